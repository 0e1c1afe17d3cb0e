"""Solutions to the exercises of the chapter on the NumPy tutorial. Run: python docs/solutions/numpy-tutorial.py."""

import numpy as np

from fastmlp import SGD, Network, load_mnist

digits = load_mnist()
X, labels, Y = digits.X_train[:1000] / 255, digits.y_train[:1000], np.eye(10)[digits.y_train[:1000]]
X_test, labels_test = digits.X_test[:1000] / 255, digits.y_test[:1000]
rng = np.random.default_rng(0)
start = [rng.uniform(-0.1, 0.1, (784, 100)), rng.uniform(-0.1, 0.1, (100, 10))]


def train(weights, epochs=5, rate=0.005, dropout=False, mistaken=False):
    """Train on one picture after another; return the weights."""
    masks = np.random.default_rng(1)
    W1, W2 = (W.copy() for W in weights)
    for _ in range(epochs):
        for x, y in zip(X, Y, strict=True):
            mask = masks.integers(0, 2, size=100) * 2 if dropout else 1  # new: a mask for each picture
            z = x @ W1
            a = np.maximum(z, 0) * mask  # new: times the mask
            delta2 = a @ W2 - y
            slope = (np.maximum(z, 0) >= 0) if mistaken else (z > 0)
            delta1 = (W2 @ delta2) * slope * mask  # new: times the same mask
            W2 -= rate * np.outer(a, delta2)
            W1 -= rate * np.outer(x, delta1)
    return W1, W2


def accuracy(weights):
    """Return the share of right answers on the test pictures."""
    W1, W2 = weights
    return float(((np.maximum(X_test @ W1, 0) @ W2).argmax(axis=1) == labels_test).mean())


# 1. and 2.
print(f"1. as it is {accuracy(train(start)):.1%}, with dropout {accuracy(train(start, dropout=True)):.1%}")
print(f"2. with the derivative of ReLU as 1 everywhere {accuracy(train(start, mistaken=True)):.1%}")

# 3. Equal units get equal derivatives, so they stay equal: a hundred copies of one unit.
W1, W2 = train([np.full((784, 100), 0.01), np.full((100, 10), 0.01)])
print(f"3. largest difference between hidden units {abs(W1 - W1[:, :1]).max():.0e}, right {accuracy((W1, W2)):.1%}")


# 4. x is now a matrix with a row for each picture, and the outer products become matrix products. The error of a batch
# is the mean over its pictures, so the derivative is divided by the number of pictures.
def train_in_batches(weights, epochs=5, rate=0.05, size=10):
    """Train on `size` pictures per step; return the weights."""
    W1, W2 = (W.copy() for W in weights)
    for _ in range(epochs):
        for first in range(0, len(X), size):
            x, y = X[first : first + size], Y[first : first + size]
            z = x @ W1
            a = np.maximum(z, 0)
            delta2 = (a @ W2 - y) / len(x)
            delta1 = (delta2 @ W2.T) * (z > 0)
            W2 -= rate * a.T @ delta2
            W1 -= rate * x.T @ delta1
    return W1, W2


ours = train_in_batches(start)
net = Network([784, 100, 10], output="identity", loss="squared_error", bias=False, dtype="float64", seed=0)
net.set_weights([(W, None) for W in start])
net.fit(digits.X_train[:1000], labels, epochs=5, batch_size=10, shuffle=False, optimizer=SGD(0.05), verbose=0)
difference = max(abs(W - one).max() for (W, _), one in zip(net.weights, ours, strict=True))
assert difference < 1e-10
print(f"4. batches of 10: {accuracy(ours):.1%}, largest difference from fastmlp {difference:.0e}")

# 5. The time grows with the number of pictures. More pictures help more than anything else in this chapter.
for rows in (1_000, 5_000, 20_000, 60_000):
    net = Network([784, 100, 10], output="identity", loss="squared_error", bias=False, seed=0)
    history = net.fit(
        digits.X_train[:rows], digits.y_train[:rows], epochs=2, batch_size=1, optimizer=SGD(0.005), verbose=0
    )
    score = net.evaluate(digits.X_test, digits.y_test)
    print(f"5. {rows} pictures: {sum(history.seconds):.3f} s, {score.accuracy:.1%} right")
