"""
Your own digits
===============

**What you see:** ten digits, drawn by this script as a person might draw them: off centre, with pens of different
widths, on grey paper in uneven light. The middle row shows each image after ``as_digit``, and the network's answer. The
last row skips ``as_digit``: the same digits are only shrunk to 28 x 28, and the network misreads most of them.

**How:** the network was trained on MNIST, whose digits are white on black, fit a box of 20 x 20 pixels, and are centred
by their centre of mass. ``fastmlp.images.as_digit`` converts a picture to exactly that format.
"""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np

from fastmlp import Network, load_mnist
from fastmlp.images import as_digit

# %%
# A network for digits. ``augment="digits"`` shifts, rotates and bends every image differently in each epoch. This
# improves accuracy on other people's handwriting.

digits = load_mnist()
net = Network([784, 128, 10], seed=0)
net.fit(digits.X_train, digits.y_train, epochs=4, batch_size=128, augment="digits", verbose=0)
print(net.evaluate(digits.X_test, digits.y_test))

# %%
# Each digit is a list of strokes, and a stroke is a list of points, in a square from 0 to 1. Replace this part with
# pictures of your own: ``as_digit`` takes the path of a photograph as well.


def arc(x, y, width, height, start, end):
    """Return points on an arc of an ellipse, between two angles in degrees."""
    angles = np.radians(np.linspace(start, end, 30))
    return [(x + width * np.cos(angle), y + height * np.sin(angle)) for angle in angles]


STROKES = [
    [arc(0.5, 0.5, 0.27, 0.42, -90, 270)],
    [[(0.38, 0.25), (0.55, 0.1), (0.5, 0.9)]],
    [[*arc(0.48, 0.32, 0.24, 0.22, -170, 40), (0.22, 0.9), (0.8, 0.88)]],
    [[*arc(0.45, 0.3, 0.24, 0.2, -150, 90), *arc(0.45, 0.7, 0.28, 0.2, -90, 150)]],
    [[(0.3, 0.1), (0.22, 0.55), (0.8, 0.55)], [(0.66, 0.15), (0.62, 0.92)]],
    [[(0.74, 0.12), (0.34, 0.12), (0.3, 0.46), *arc(0.47, 0.66, 0.26, 0.22, -110, 140)]],
    [[(0.66, 0.08), (0.4, 0.35), *arc(0.5, 0.68, 0.24, 0.22, 190, 540)]],
    [[(0.22, 0.14), (0.78, 0.14), (0.42, 0.92)]],
    [[*arc(0.5, 0.3, 0.2, 0.19, 90, 450), *arc(0.5, 0.7, 0.24, 0.21, -90, 270)]],
    [[*arc(0.5, 0.32, 0.22, 0.22, 0, 360), (0.7, 0.5), (0.62, 0.92)]],
]


def drawn(strokes, generator):
    """Draw strokes on a sheet of 160 x 220 pixels: dark ink on grey paper, float in [0, 1]."""
    height, width, size = 160, 220, generator.uniform(70, 110)
    left, top = generator.uniform(8, width - size - 8), generator.uniform(8, height - size - 8)
    pen = generator.uniform(2.0, 5.0)
    rows, columns = np.mgrid[:height, :width]
    distance = np.full((height, width), np.inf)
    for stroke in strokes:
        points = np.array(stroke) * size + [left, top]
        for (x1, y1), (x2, y2) in pairwise(points):
            along = ((columns - x1) * (x2 - x1) + (rows - y1) * (y2 - y1)) / ((x2 - x1) ** 2 + (y2 - y1) ** 2 + 1e-9)
            along = np.clip(along, 0, 1)
            distance = np.minimum(distance, np.hypot(columns - x1 - along * (x2 - x1), rows - y1 - along * (y2 - y1)))
    ink = np.clip(pen - distance + 0.5, 0, 1)
    paper = 0.85 - 0.25 * columns / width + generator.normal(0, 0.01, (height, width))
    return np.clip(paper * (1 - 0.8 * ink), 0, 1)


def shrunk(picture):
    """Shrink the dark pixels to 28 x 28 by averaging, wherever the digit is."""
    rows = np.array_split(picture < 0.4, 28, axis=0)
    means = [[part.mean() for part in np.array_split(row, 28, axis=1)] for row in rows]
    return np.round(255 * np.array(means)).astype(np.uint8)


# %%
# Draw, convert and predict.

generator = np.random.default_rng(1)
pictures = [drawn(strokes, generator) for strokes in STROKES]
converted = np.array([as_digit(picture) for picture in pictures])
naive = np.array([shrunk(picture) for picture in pictures])
answers, naive_answers = net.predict(converted), net.predict(naive)
sure = net.predict_proba(converted).max(axis=1)

figure, axes = plt.subplots(3, 10, figsize=(13, 4.6), layout="constrained")
for digit in range(10):
    top, middle, bottom = axes[:, digit]
    top.imshow(pictures[digit], cmap="gray", vmin=0, vmax=1)
    middle.imshow(converted[digit], cmap="gray")
    bottom.imshow(naive[digit], cmap="gray", vmin=0, vmax=255)
    middle.set_title(f"{answers[digit]}  {sure[digit]:.0%}", color="green" if answers[digit] == digit else "red")
    wrong = naive_answers[digit] != digit
    bottom.set_title(f"{naive_answers[digit]}{' wrong' if wrong else ''}", color="red" if wrong else "green")
for ax, title in zip(axes[:, 0], ("drawn", "as_digit", "only shrunk"), strict=True):
    ax.set_ylabel(title)
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])
print(f"With as_digit {(answers == np.arange(10)).sum()} of 10 right, shrunk {(naive_answers == np.arange(10)).sum()}.")

# %%
# **What to try next**
#
# - Draw a digit in any paint program, or photograph one: ``net.predict(as_digit("photo.jpg").reshape(1, -1))``.
# - Change the strokes until the network is wrong. Look for the reason in the middle row.
# - Run ``fastmlp serve`` and draw in the browser.

plt.show()
