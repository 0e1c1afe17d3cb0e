"""Solutions to the exercises of the chapter on Nielsen's network. Run: python docs/solutions/nielsen.py."""

import numpy as np

from fastmlp import SGD, Network, load_mnist, recipes

digits = load_mnist()
recipe = recipes.get("nielsen")
data = recipe.data()


def sigmoid(z):
    """Return the sigmoid of each number."""
    return 1 / (1 + np.exp(-z))


# 1. Without a hidden layer each output is a single neuron, which can only weigh pixels. The accuracy is about 20
# points lower than with 30 hidden neurons. Two of the ten outputs saturate near 0, so the network never answers 6 or 8.
book = {"output": "sigmoid", "loss": "squared_error", "initializer": "normal", "bias_initializer": "normal"}
shallow = Network([784, 10], scaling="pixels", seed=0, **book)
deep = recipe.network(seed=0)
for network in (shallow, deep):
    network.fit(data.X_train, data.y_train, epochs=10, batch_size=10, optimizer=SGD(3.0), verbose=0)
    print("1.", network, network.evaluate(digits.X_test, digits.y_test))

# 2. BP2 once more for the additional layer.
network = Network([784, 20, 20, 10], hidden="sigmoid", scaling="pixels", dtype="float64", seed=0, **book)
X, y = digits.X_train[:20], digits.y_train[:20]
activations = [X / 255]
for W, b in network.weights:
    activations.append(sigmoid(activations[-1] @ W + b))
delta = (activations[-1] - np.eye(10)[y]) * activations[-1] * (1 - activations[-1]) / len(X)  # BP1
for number in (2, 1, 0):
    dW, db = network.gradient(X, y)[1][number]
    assert np.allclose(activations[number].T @ delta, dW, atol=1e-12)  # BP4
    assert np.allclose(delta.sum(axis=0), db, atol=1e-12)  # BP3
    if number > 0:
        W = network.weights[number][0]
        delta = (delta @ W.T) * activations[number] * (1 - activations[number])  # BP2
print("2. The gradient of all three layers is that of fastmlp.")

# 3. Equal neurons have equal activations. By BP2 they have equal deltas, and by BP4 equal derivatives. So they stay
# equal, and 30 neurons do the work of one.
network = recipe.network(seed=0)
network.set_weights([(np.full(W.shape, 0.5), np.full(b.shape, 0.5)) for W, b in network.weights])
network.fit(data.X_train, data.y_train, epochs=3, batch_size=10, optimizer=SGD(3.0), verbose=0)
W = network.weights[0][0]
print("3. Largest difference between hidden neurons:", float(abs(W - W[:, :1]).max()))

# 4. The cross-entropy -(y log a + (1 - y) log(1 - a)) has the derivative (a - y) / (a (1 - a)) with respect
# to a. BP1 multiplies it by sigmoid'(z) = a (1 - a), which cancels: delta = a - y. A large error now has a large
# derivative.
improved = recipes.get("nielsen-cross-entropy").network(seed=0)
improved.fit(data.X_train, data.y_train, epochs=5, batch_size=10, optimizer=SGD(0.1), verbose=0)
print("4. Cross-entropy, 100 hidden neurons, 5 epochs:", improved.evaluate(digits.X_test, digits.y_test))

# 5. Smaller batches make more steps in an epoch. Batches of 10 learn most here. The gradient of a single picture
# is too noisy for this learning rate, and batches of 1,000 make too few steps. The times depend on the machine; batches
# of 1 have the most overhead.
sizes = [1, 10, 100, 1000]
for size in sizes:
    network = recipe.network(seed=0)
    history = network.fit(data.X_train, data.y_train, epochs=3, batch_size=size, optimizer=SGD(3.0), verbose=0)
    score = network.evaluate(digits.X_test, digits.y_test)
    print(f"5. batches of {size}: {score}, {np.mean(history.seconds):.3f} s an epoch")
