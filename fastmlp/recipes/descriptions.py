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
                "The network with which the book begins: one hidden layer of 30 sigmoid neurons, half the squared norm "
                "of the error as cost, and plain stochastic gradient descent. With weights as large as N(0, 1) many "
                "hidden neurons start saturated; the rate of 3.0 is what moves them."
            ),
            differences=(
                "the book counts the best of the 30 epochs, and its code reports on the test images after every epoch; "
                "here the last epoch counts, and epochs are watched on the 10,000 validation images."
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
                "What chapter 3 makes of the first network: the cross-entropy of each sigmoid output, weights that "
                "start narrower the more inputs a neuron has, N(0, 1/√fan_in), an L2 penalty, and 100 hidden neurons. "
                "His λ = 5.0 is divided by the number of training images; Network's l2 is that quotient, 5.0 / 50,000 "
                "= 0.0001. Biases start from N(0, 1) and are not penalised."
            ),
            differences=(
                "the reported 98.04% is on the validation images, of an epoch picked there; here the last one counts."
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
                "A hidden ReLU layer of 100 units with half of them dropped, ten linear outputs, no biases, squared "
                "error, and one step per image over the first 1,000 training images, always in the same order. It is "
                "judged on the first 1,000 test images."
            ),
            differences=(
                "the tutorial's backward pass takes the derivative of ReLU as 1 everywhere, since it tests an "
                "activation that is never negative for being at least 0, and leaves out dropout's factor of 2. Here "
                "the gradient is that of the loss, and the accuracy is higher for it."
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
                "pixels from -1 to 1. He differentiates the squared norm of the error and we half of it, so his rate "
                "of 0.1 is written as 0.2 here."
            ),
            differences=(
                "the book splits all 70,000 images at random, stratified by label, into 55,000, 5,000 and 10,000; here "
                "the test images are MNIST's own, and the last 5,000 training images validate."
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
                "The network that people write when they first do without a library: 128 ReLU units, a softmax, "
                "cross-entropy, uniform weights, and one step of gradient descent for every image. A single pass over "
                "the 60,000 images is enough."
            ),
            differences=(
                "there is no one source; the start within ±0.05, the zero biases and the rate of 0.01 are chosen here, "
                "and a rate of 0.02 does as well."
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
                "Two hidden layers of 128 ReLU units and a softmax, trained with Adam in batches of 128. Everything "
                "else is Keras' default: Glorot's uniform start, zero biases, an epsilon of 1e-7, and a validation "
                "split that takes the last 20% of the rows, 12,000 of 60,000, before anything is shuffled."
            ),
            differences=(
                "the book drops units and trains longer. Keras adds epsilon to the root of the second moment before it "
                "corrects the moment's bias, we after, as algorithm 1 of Adam's paper; at 1e-7 that does not show."
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
                "The network whose 13,002 weights and biases the videos animate: two hidden layers of 16 sigmoid "
                "neurons, with the squared error that they explain gradient descent on."
            ),
            differences=(
                "the videos name no settings. Chosen here for a quick and steady way past 94%: weights from N(0, "
                "1/√fan_in), zero biases, SGD at 1.0 (half the squared error; 0.5 for the whole), batches of 32, 20 "
                "epochs, and the 50,000/10,000 split of Nielsen's book, on which the videos build. Their 96% is a "
                "round figure."
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
            title="Simard's network, on images distorted elastically",
            source=Source(
                "P. Simard, D. Steinkraus and J. Platt",
                "Best Practices for Convolutional Neural Networks Applied to Visual Document Analysis (2003)",
                "the two-layer perceptron, cross-entropy, elastic distortions",
            ),
            description=(
                "One hidden layer of 800 units, trained on images that are bent anew in every epoch, as if each digit "
                "had been written again by another hand: every pixel is displaced by smoothed noise. Without the "
                "distortions the paper reports 98.4% for this network, with them 99.3%."
            ),
            differences=(
                "the paper's units are sigmoids, and it names neither batches nor epochs. Chosen here, on 10,000 "
                "training images held out: ReLU, Adam in batches of 100 with a cosine schedule, a wider and smoother "
                "distortion than the paper's alpha 34 and sigma 4, and with it small shifts, turns, scalings and "
                "leans, which were worth 0.2 points."
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
