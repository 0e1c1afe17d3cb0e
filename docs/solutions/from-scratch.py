"""Solutions to the exercises of the chapter that starts from scratch. Run: python docs/solutions/from-scratch.py."""

import numpy as np

from fastmlp import SGD, Network, load_mnist

digits = load_mnist()
X, labels, Y = digits.X_train[:10000] / 255, digits.y_train[:10000], np.eye(10)[digits.y_train[:10000]]
X_test, labels_test = digits.X_test / 255, digits.y_test

# 1. A column of ones stands for the bias. Even the best weights are no better: the idea is at fault, not the training.
ones = np.c_[digits.X_train[:20000] / np.float32(255), np.ones(20000, dtype=np.float32)]
best, *_ = np.linalg.lstsq(ones, digits.y_train[:20000].astype(np.float32), rcond=1e-6)
numbers = np.c_[X_test, np.ones(len(X_test))] @ best
print(f"1. least squares: {np.mean(np.round(numbers) == labels_test):.1%} right")


# 2. Where all ten outputs are negative, max(0, z) gives 0 / 0, which is NaN. From then on all weights are NaN. |z|
# never divides by 0 here, but its slope jumps at 0, and like z² it takes a strong "no" for a "yes".
def train_layer(g, slope, epochs=3, rate=0.1, size=10):
    """Train one layer; return the share of right test answers, and whether all weights are finite."""
    W, b = np.random.default_rng(0).uniform(-0.05, 0.05, (784, 10)), np.zeros(10)
    for _ in range(epochs):
        for first in range(0, len(X), size):
            x, y = X[first : first + size], Y[first : first + size]
            z = x @ W + b
            total = g(z).sum(axis=1, keepdims=True)
            p = g(z) / total
            error = p - y
            delta = slope(z) / total * (error - (error * p).sum(axis=1, keepdims=True)) / len(x)
            W -= rate * x.T @ delta
            b -= rate * delta.sum(axis=0)
    return float(np.mean(g(X_test @ W + b).argmax(axis=1) == labels_test)), bool(np.isfinite(W).all())


with np.errstate(all="ignore"):
    print(
        "2. max(0, z): right, and all weights finite:", train_layer(lambda z: np.maximum(z, 0), lambda z: 1.0 * (z > 0))
    )
    print("2. |z|: right, and all weights finite:", train_layer(abs, np.sign))


# 3. e^(z + c) = e^c e^z: the factor e^c is in the numerator and in the denominator, and cancels. With c = -max(z) the
# largest power is e^0 = 1. Without the subtraction, e^800 is too large for a float.
def softmax(z):
    """Return the softmax: probabilities that add up to 1."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


z = np.array([2.0, 1.0, -1.0])
assert np.allclose(softmax(z), softmax(z + 100))
print("3.", softmax(z), softmax(z + 100), softmax(z + 800))

# 4. Sigmoid outputs need not add up to 1, so their errors need not add up to 0. The hidden layer gets an error, but
# every unit gets the same one. It says nothing about which output was too large or too small.
rng = np.random.default_rng(0)
outputs = 1 / (1 + np.exp(-rng.normal(size=10)))
print("4. sum of the errors behind sigmoids:", float((outputs - np.eye(10)[3]).sum().round(2)))


# 5. The 56 numbers say much about a digit, but not all: different digits have similar sums.
def ink(images):
    """Return the mean ink of each row and each column."""
    squares = images.reshape(-1, 28, 28) / 255
    return np.concatenate([squares.mean(axis=2), squares.mean(axis=1)], axis=1)


by_hand = Network([56, 64, 10], scaling="standardize", seed=0)
by_hand.fit(ink(digits.X_train), digits.y_train, epochs=5, optimizer=SGD(0.1), verbose=0)
pixels = Network([784, 64, 10], seed=0)
pixels.fit(digits.X_train, digits.y_train, epochs=5, optimizer=SGD(0.1), verbose=0)
print("5. 56 sums:  ", by_hand.evaluate(ink(digits.X_test), digits.y_test))
print("5. 784 pixels:", pixels.evaluate(digits.X_test, digits.y_test))
