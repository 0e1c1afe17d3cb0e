"""
A callback of your own
======================

**What you see:** the accuracy for each digit after every epoch. The network recognises 0 and 1 well after one epoch; 5
and 8 take longest. Training stops as soon as the accuracy for every digit is at least 90%.

**How:** write a class with a method ``on_epoch_end``; it is called after every epoch. It can use the network, for
example to predict, and end the training with ``run.stop``. For something short a plain function is enough.
"""

import matplotlib.pyplot as plt
import numpy as np

from fastmlp import SGD, Callback, Network, load_mnist

digits = load_mnist()
X, y = digits.X_train[:20_000], digits.y_train[:20_000]
X_val, y_val = digits.X_train[-10_000:], digits.y_train[-10_000:]


# %%
# The callback. ``run.network`` is the network in its current state; ``run.history`` is the history so far.


class AccuracyByDigit(Callback):
    """Record the accuracy for each digit, and stop when the worst one is good enough."""

    def __init__(self, X, y, target):
        self.X, self.y, self.target = X, y, target
        self.rows = []

    def on_fit_start(self, run):
        """Clear the rows of an earlier training run."""
        self.rows = []

    def on_epoch_end(self, run):
        """Record the accuracy for each digit; stop if all reach the target."""
        right = run.network.predict(self.X) == self.y
        self.rows.append([right[self.y == digit].mean() for digit in range(10)])
        if min(self.rows[-1]) >= self.target:
            run.stop(f"every digit reached {self.target:.0%}")


# %%
# A function is a callback too. This one prints a line every five epochs.


def report(run):
    """Print the loss every five epochs."""
    if run.epoch % 5 == 0:
        print(f"epoch {run.epoch}: loss {run.history.loss[-1]:.3f}")


by_digit = AccuracyByDigit(X_val, y_val, target=0.9)
net = Network([784, 32, 10], hidden="sigmoid", seed=0)
history = net.fit(X, y, epochs=60, optimizer=SGD(0.05), callbacks=[by_digit, report], verbose=0)
print(f"Stopped after epoch {history.epochs}: {history.stop_reason}.")

# %%
# A line for each digit. The legend begins with the digit that was best after the first epoch.

figure, ax = plt.subplots(figsize=(9, 5), layout="constrained")
curves = np.array(by_digit.rows)
for digit in np.argsort(-curves[0]):
    ax.plot(np.arange(1, len(curves) + 1), curves[:, digit], color=f"C{digit}", marker=".", label=str(digit))
ax.axhline(by_digit.target, color="black", linestyle="--", linewidth=1)
ax.set(xlabel="epoch", ylabel="accuracy for each digit", title=f"Stopped: {history.stop_reason}")
ax.xaxis.get_major_locator().set_params(integer=True)
_ = ax.legend(title="digit", loc="center left", bbox_to_anchor=(1, 0.5))

# %%
# **What to try next**
#
# - Set ``run.learning_rate`` in the callback: halve it whenever the worst digit gets worse.
# - Append ``copy.deepcopy(run.network.weights)`` to a list after every epoch, and draw the path with
#   ``plots.loss_surface``.
# - Look at the built-in callbacks first: ``EarlyStopping``, ``ReduceOnPlateau`` and ``Checkpoint``.

plt.show()
