"""Solutions to the exercises of the chapter on 3Blue1Brown. Run: python docs/solutions/three-blue-one-brown.py."""

import numpy as np

from fastmlp import SGD, Network, load_mnist, recipes

digits = load_mnist()
recipe = recipes.get("three-blue-one-brown")
data = recipe.data()
net = recipe.network(seed=0)
net.fit(data.X_train, data.y_train, epochs=20, batch_size=32, optimizer=SGD(1.0), verbose=0)

# 1. The pixels that contribute most have the largest product of weight and ink.
x = digits.X_test[0] / 255
W, b = net.weights[0]
z = (W[:, 0] * x).sum() + b[0]
by_hand, by_fastmlp = 1 / (1 + np.exp(-z)), net.activations(digits.X_test[:1])[1][0, 0]
assert np.isclose(by_hand, by_fastmlp, atol=1e-5)
strongest = [divmod(int(pixel), 28) for pixel in (W[:, 0] * x).argsort()[::-1][:3]]
print(f"1. z = {z:.3f}, activation {by_hand:.4f}; strongest pixels (row, column): {strongest}")

# 2. |x - m|² = |x|² - 2 m·x + |m|². The first term is the same for all digits, so the nearest mean has the largest
# m·x - |m|²/2: a layer with weights m and bias -|m|²/2.
means = np.stack([digits.X_train[digits.y_train == digit].mean(axis=0) / 255 for digit in range(10)])
nearest = Network([784, 10], scaling="pixels", seed=0)
nearest.set_weights([(means.T, -0.5 * (means**2).sum(axis=1))])
print(f"2. nearest mean picture: {nearest.evaluate(digits.X_test, digits.y_test).accuracy:.1%} right")

# 3. The stem of a 7 runs from the upper right to the lower middle. An eighth neuron looks for ink along this
# diagonal, and only the output of the 7 has a positive weight from it.
bars = [
    (slice(3, 9), slice(9, 19)), (slice(11, 17), slice(9, 19)), (slice(19, 25), slice(9, 19)),
    (slice(6, 13), slice(5, 12)), (slice(6, 13), slice(16, 23)), (slice(15, 22), slice(5, 12)),
    (slice(15, 22), slice(16, 23)),
]  # fmt: skip
lit = np.array(
    [
        [1, 0, 1, 1, 0, 1, 1, 1, 1, 1],
        [0, 0, 1, 1, 1, 1, 1, 0, 1, 1],
        [1, 0, 1, 1, 0, 1, 1, 0, 1, 0],
        [1, 0, 0, 0, 1, 1, 1, 0, 1, 1],
        [1, 1, 1, 1, 1, 0, 0, 1, 1, 1],
        [1, 0, 1, 0, 0, 0, 1, 0, 1, 0],
        [1, 1, 0, 1, 1, 1, 1, 1, 1, 1],
    ]
)


def clock(masks, lit, levels):
    """Return a network whose hidden neurons fire where the mean ink under a mask is above its level."""
    W1 = np.stack([20 * mask.ravel() / mask.sum() for mask in masks], axis=1)
    network = Network(
        [784, len(masks), 10], hidden="sigmoid", output="sigmoid", loss="squared_error", scaling="pixels", seed=0
    )
    network.set_weights([(W1, -20.0 * np.array(levels)), (4.0 * (2 * lit - 1), 4.0 * (0.5 - lit.sum(axis=0)))])
    return network


masks = [np.zeros((28, 28)) for _ in bars]
for mask, bar in zip(masks, bars, strict=True):
    mask[bar] = 1
rows, columns = np.mgrid[:28, :28]
diagonal = (abs(columns - (21 - 0.5 * (rows - 8))) < 2.5) & (rows >= 8) & (rows <= 24)
for name, network in {
    "seven bars": clock(masks, lit, [0.3] * 7),
    "and a stem": clock([*masks, 1.0 * diagonal], np.vstack([lit, np.arange(10) == 7]), [0.3] * 7 + [0.4]),
}.items():
    answers = network.predict(digits.X_test)
    sevens = np.mean(answers[digits.y_test == 7] == 7)
    print(f"3. {name}: {np.mean(answers == digits.y_test):.1%} right, of the 7s {sevens:.1%}")


# 4. For each pixel of the rotated picture, compute where it was before the rotation, and copy the nearest pixel.
def turned(images, degrees):
    """Return the images rotated about their centre."""
    angle = np.deg2rad(degrees)
    down, right = rows - 13.5, columns - 13.5
    from_row = np.rint(13.5 + np.cos(angle) * down - np.sin(angle) * right).astype(int)
    from_column = np.rint(13.5 + np.sin(angle) * down + np.cos(angle) * right).astype(int)
    inside = (from_row >= 0) & (from_row < 28) & (from_column >= 0) & (from_column < 28)
    squares = images.reshape(-1, 28, 28)[:, from_row.clip(0, 27), from_column.clip(0, 27)]
    return (squares * inside).reshape(-1, 784)


for degrees in (0, 10, 20, 30):
    print(f"4. turned by {degrees}°: {net.evaluate(turned(digits.X_test, degrees), digits.y_test).accuracy:.1%} right")

# 5. With ten times the learning rate, the network leaves the plateau after a few epochs without visible progress.
deep = Network(
    [784, 16, 16, 16, 16, 10], hidden="sigmoid", output="sigmoid", loss="squared_error", scaling="pixels", seed=0
)
history = deep.fit(
    data.X_train[:20000], data.y_train[:20000], epochs=60, batch_size=32, optimizer=SGD(3.0),
    X_val=data.X_val, y_val=data.y_val, verbose=0,
)  # fmt: skip
learned = [epoch for epoch, share in enumerate(history.val_accuracy, start=1) if share > 0.5]
print(f"5. rate 3: above 50% from epoch {learned[0] if learned else '-'}; after 60: {history.val_accuracy[-1]:.1%}")
