"""The eight recipes (floor 9; imports model, data).

Sources are followed number for number where they give numbers. A learning rate belongs to a loss: our squared error is
half the squared norm of a sample's error, averaged over the batch, so the rate of a source that differentiates the
whole square is doubled here.
"""

from ..data.augmentation import Augmentation
from ..model.architecture import Dense
from ..model.initializers import Normal, Uniform
from ..model.optimizers import SGD, Adam
from .recipe import Recipe, Source

_NIELSEN = "Neural Networks and Deep Learning (2015)"

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="nielsen",
            title="Nielsen's first network",
            source=Source("Michael Nielsen", _NIELSEN, "chapter 1, network.py"),
            description=(
                "The book's first network: one hidden layer of 30 sigmoid units, squared error (half the squared "
                "norm), and plain stochastic gradient descent. Initial weights from N(0, 1) saturate many hidden "
                "units, so the learning rate has to be as high as 3.0."
            ),
            differences=(
                "the book reports the best of 30 epochs on the test images. Here the last epoch counts, and the "
                "10,000 validation images are evaluated during training."
            ),
            layers=(784, 30, 10),
            hidden="sigmoid",
            output="sigmoid",
            loss="squared_error",
            initializer="normal",
            bias_initializer="normal",
            optimizer=SGD(3.0),
            batch_size=10,
            epochs=30,
            train_rows=50_000,
            validation_rows=10_000,
            reported=0.9542,
            target=0.945,
        ),
        Recipe(
            name="nielsen-cross-entropy",
            title="Nielsen's improved network",
            source=Source("Michael Nielsen", _NIELSEN, "chapter 3, network2.py"),
            description=(
                "The first network with the improvements of chapter 3: cross-entropy of each sigmoid output, initial "
                "weights from N(0, 1/√fan_in), an L2 penalty, and 100 hidden units. Nielsen's λ = 5.0 is divided by "
                "the number of training images; Network's l2 is the quotient, 5.0 / 50,000 = 0.0001. Biases start "
                "from N(0, 1) and are not penalised."
            ),
            differences=(
                "the reported 98.04% is the best epoch on the validation images. Here the last epoch on the test "
                "images counts."
            ),
            layers=(784, 100, 10),
            hidden="sigmoid",
            output="sigmoid",
            loss="binary_cross_entropy",
            initializer="lecun_normal",
            bias_initializer="normal",
            l2=5.0 / 50_000,
            optimizer=SGD(0.1),
            batch_size=10,
            epochs=60,
            train_rows=50_000,
            validation_rows=10_000,
            reported=0.9804,
            target=0.976,
        ),
        Recipe(
            name="numpy-tutorial",
            title="The network of the NumPy tutorials",
            source=Source(
                "NumPy tutorials", "Deep learning on MNIST", "after Andrew Trask, Grokking Deep Learning (2019)"
            ),
            description=(
                "One hidden layer of 100 ReLU units with dropout 0.5, ten linear outputs, no biases, and squared "
                "error. Training takes one step per image over the first 1,000 training images, always in the same "
                "order. The first 1,000 test images count."
            ),
            differences=(
                "the tutorial's backward pass takes the derivative of ReLU as 1 everywhere, because its test "
                "(activation >= 0) is always true, and it leaves out dropout's factor of 2. Here the gradient is "
                "exact, and the accuracy is higher."
            ),
            layers=(784, Dense(100, dropout=0.5), 10),
            output="identity",
            loss="squared_error",
            bias=False,
            initializer=Uniform(-0.1, 0.1),
            optimizer=SGD(0.005),
            batch_size=1,
            epochs=20,
            shuffle=False,
            train_rows=1_000,
            test_rows=1_000,
            reported=0.784,
            target=0.75,
        ),
        Recipe(
            name="raschka",
            title="Raschka's NeuralNetMLP",
            source=Source(
                "Sebastian Raschka", "Machine Learning with PyTorch and Scikit-Learn (2022)", "chapter 11, neuralnet.py"
            ),
            description=(
                "The multilayer perceptron that the book implements in NumPy: 50 hidden sigmoid units, squared error, "
                "pixels scaled to [-1, 1]. The book's loss is twice ours, so its learning rate of 0.1 is 0.2 here."
            ),
            differences=(
                "the book splits all 70,000 images at random, stratified by label, into 55,000, 5,000 and 10,000. "
                "Here the test images are MNIST's own, and the last 5,000 training images are for validation."
            ),
            layers=(784, 50, 10),
            hidden="sigmoid",
            output="sigmoid",
            loss="squared_error",
            initializer=Normal(0.1),
            scaling="centred_pixels",
            optimizer=SGD(0.2),
            batch_size=100,
            epochs=50,
            train_rows=55_000,
            validation_rows=5_000,
            reported=0.9451,
            target=0.94,
        ),
        Recipe(
            name="from-scratch",
            title="A network from scratch, one image at a time",
            source=Source("many authors", "the exercise of writing a neural network from scratch", ""),
            description=(
                "A typical network written without a library: 128 ReLU units, softmax, cross-entropy, uniform initial "
                "weights, and one gradient step per image. A single pass over the 60,000 images is enough."
            ),
            differences=(
                "there is no single source. The range of ±0.05 for the initial weights, the zero biases and the "
                "learning rate of 0.01 are chosen here; 0.02 works as well."
            ),
            layers=(784, 128, 10),
            output="softmax",
            loss="cross_entropy",
            initializer=Uniform(-0.05, 0.05),
            optimizer=SGD(0.01),
            batch_size=1,
            epochs=1,
            train_rows=60_000,
            target=0.95,
        ),
        Recipe(
            name="keras",
            title="A Keras tutorial's two hidden layers",
            source=Source(
                "A. Gulli, A. Kapoor and S. Pal",
                "Deep Learning with TensorFlow 2 and Keras (2019)",
                "chapter 1",
            ),
            description=(
                "Two hidden layers of 128 ReLU units and a softmax, trained with Adam in batches of 128. All other "
                "settings are Keras' defaults: Glorot uniform initial weights, zero biases, an epsilon of 1e-7, and a "
                "validation split of the last 20% of the rows (12,000 of 60,000)."
            ),
            differences=(
                "the book uses dropout and trains longer. Keras adds epsilon before it corrects the bias of the "
                "second moment; fastmlp adds it after, as algorithm 1 of Adam's paper does. With 1e-7 this makes no "
                "visible difference."
            ),
            layers=(784, 128, 128, 10),
            output="softmax",
            loss="cross_entropy",
            initializer="xavier_uniform",
            optimizer=Adam(0.001, epsilon=1e-7),
            batch_size=128,
            epochs=10,
            train_rows=48_000,
            validation_rows=12_000,
            target=0.973,
        ),
        Recipe(
            name="three-blue-one-brown",
            title="The network of the 3Blue1Brown videos",
            source=Source(
                "Grant Sanderson (3Blue1Brown)", "Neural networks, a series of videos (2017)", "chapters 1 to 4"
            ),
            description=(
                "The network of the videos, with 13,002 weights and biases: two hidden layers of 16 sigmoid units, "
                "and squared error."
            ),
            differences=(
                "the videos give no training settings. Those chosen here pass 94% quickly and reliably: initial "
                "weights from N(0, 1/√fan_in), zero biases, SGD with a learning rate of 1.0 (0.5 for the videos' "
                "loss, which is twice ours), batches of 32, 20 epochs, and the 50,000/10,000 split of Nielsen's book. "
                "The videos' 96% is a round figure."
            ),
            layers=(784, 16, 16, 10),
            hidden="sigmoid",
            output="sigmoid",
            loss="squared_error",
            initializer="lecun_normal",
            optimizer=SGD(1.0),
            batch_size=32,
            epochs=20,
            train_rows=50_000,
            validation_rows=10_000,
            reported=0.96,
            target=0.94,
        ),
        Recipe(
            name="simard",
            title="Simard's network, with elastic distortions",
            source=Source(
                "P. Simard, D. Steinkraus and J. Platt",
                "Best Practices for Convolutional Neural Networks Applied to Visual Document Analysis (2003)",
                "the two-layer perceptron, cross-entropy, elastic distortions",
            ),
            description=(
                "One hidden layer of 800 units, trained on images that are distorted anew in every epoch: smoothed "
                "noise displaces every pixel. The paper reports 98.4% for this network without the distortions, and "
                "99.3% with them."
            ),
            differences=(
                "the paper uses sigmoid units and gives neither batch size nor epochs. Chosen on 10,000 held-out "
                "training images: ReLU, Adam in batches of 100 with a cosine schedule, a wider and smoother "
                "distortion than the paper's alpha 34 and sigma 4, and small shifts, rotations, scalings and shears, "
                "which add 0.2 points."
            ),
            layers=(784, 800, 10),
            output="softmax",
            loss="cross_entropy",
            initializer="he_uniform",
            optimizer=Adam(0.001),
            schedule="cosine",
            batch_size=100,
            epochs=80,
            augment=Augmentation(shift=1.0, rotation=7.5, scale=0.08, shear=5.0, elastic=(38.0, 5.0)),
            train_rows=60_000,
            reported=0.993,
            target=0.99,
        ),
    )
}
"""Every recipe by name; the keys are what ``fastmlp train`` takes."""
