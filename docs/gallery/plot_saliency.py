"""
Saliency: which pixels matter?
==============================

**What you see:** six digits, and below each digit the gradient of the loss with respect to its pixels. Red pixels: more
ink there would raise the loss, so the network takes ink there as evidence against the label. Blue pixels: more ink
there would lower the loss. The last row moves each image one step in the direction of the gradient's signs: we can
still read these digits easily, but the network gets them wrong.

**How:** ``net.trace(X, y)`` runs the forward and the backward pass and keeps every intermediate result. Its ``dx`` is
the derivative of the loss with respect to the scaled input.
"""

import matplotlib.pyplot as plt
import numpy as np

from fastmlp import Network, load_mnist

digits = load_mnist()
net = Network([784, 64, 10], seed=0)
history = net.fit(digits.X_train[:20_000], digits.y_train[:20_000], epochs=5, verbose=0)

# %%
# Six digits that the network gets right.

right = np.flatnonzero(net.predict(digits.X_test[:200]) == digits.y_test[:200])
chosen = [right[digits.y_test[right] == digit][0] for digit in (0, 2, 3, 5, 7, 8)]
X, y = digits.X_test[chosen], digits.y_test[chosen]
trace = net.trace(X, y)
print(f"dx has the shape of the inputs: {trace.dx.shape}")

# %%
# A small step that raises the loss: every pixel changes by at most 12% of its range, in the direction of its gradient's
# sign (the *fast gradient sign method*). Pixels stay between 0 and 255.

changed = np.clip(X + 0.12 * 255 * np.sign(trace.dx), 0, 255).astype(np.uint8)

figure, axes = plt.subplots(3, 6, figsize=(11, 6), layout="constrained")
for column in range(6):
    top, middle, bottom = axes[:, column]
    top.imshow(X[column].reshape(28, 28), cmap="gray")
    largest = np.abs(trace.dx[column]).max()
    middle.imshow(trace.dx[column].reshape(28, 28), cmap="RdBu_r", vmin=-largest, vmax=largest)
    bottom.imshow(changed[column].reshape(28, 28), cmap="gray")
    for ax, image in ((top, X[column]), (bottom, changed[column])):
        probabilities = net.predict_proba(image[None])[0]
        ax.set_title(f"{probabilities.argmax()}  {probabilities.max():.0%}")
for ax, title in zip(axes[:, 0], ("digit", "gradient by pixel", "changed"), strict=True):
    ax.set_ylabel(title)
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])

# %%
# **What to try next**
#
# - Make the step smaller until the answers stay right. Which step size is just large enough to fool the network?
# - Train with ``augment="digits"`` or with dropout. Is the network harder to fool?
# - Compute the gradient for another label: ``net.trace(X, np.full(6, 3))``.

plt.show()
