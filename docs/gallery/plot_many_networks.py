"""
Many networks at once
=====================

**What you see:** the accuracy of 56 networks against their number of hidden units. One unit is far too few, 16 are
good, and more than 64 gain little. The networks of one column differ only in their seed and in the split into training
and test rows, so their spread shows the effect of chance.

**How:** ``fit_many`` trains all of them on one table. It checks and scales the data once, and trains several networks
at a time. Each network ends with the same weights as if ``fit`` had trained it alone.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from fastmlp import Network, fit_many

# %%
# The data: 1,797 digits of 8 x 8 pixels, which come with scikit-learn. The seven folds are masks of rows, not copies of
# the data.

X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
folds = np.random.default_rng(0).permutation(len(X)) % 7

# %%
# Eight sizes times seven folds. ``settings`` has the arguments that differ from network to network.

sizes = 1, 2, 4, 8, 16, 32, 64, 128
networks = [Network([64, size, 10], seed=fold) for size in sizes for fold in range(7)]
settings = [{"rows": folds != fold, "rows_val": folds == fold} for size in sizes for fold in range(7)]
fitted = fit_many(networks, X, y, epochs=40, settings=settings, verbose=0)

# %%
# Each result holds the network, its history, and the error if training failed.

accuracy = np.array([result.history.val_accuracy[-1] for result in fitted]).reshape(len(sizes), 7)
for size, row in zip(sizes, accuracy, strict=True):
    print(f"{size:>3} hidden units: {row.mean():.1%} ± {row.std():.1%}")

figure, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
for fold in range(7):
    ax.plot(sizes, accuracy[:, fold], "o", color="C0", alpha=0.4, label="one network" if fold == 0 else None)
ax.plot(sizes, accuracy.mean(axis=1), color="C1", linewidth=2, label="mean of 7 folds")
ax.set_xscale("log", base=2)
ax.set_xticks(sizes, sizes)
ax.set(xlabel="hidden units", ylabel="accuracy on the rows held out", title=f"{len(networks)} networks, one call")
ax.grid(alpha=0.3)
_ = ax.legend()

# %%
# **What to try next**
#
# - Compare learning rates: ``{"optimizer": Adam(rate)}`` in ``settings``.
# - Train 50 networks on bootstrap samples, ``rows=generator.integers(0, len(X), len(X))``, and average their
#   probabilities: an ensemble is usually better than its best member.
# - Save the networks of one size, and look for the rows on which they disagree.

plt.show()
