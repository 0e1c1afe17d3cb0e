"""
Quantile regression with its band
=================================

**What you see:** noisy points around a curve, and a band that contains about 90% of them. The band is narrow where the
noise is small and wide where it is large. A single line of predictions could not show that.

**How:** three networks with ``loss="quantile"``, for the levels 5%, 50% and 95%. The network for the level 95% learns a
curve that lies above 95% of the points.
"""

import matplotlib.pyplot as plt
import numpy as np

from fastmlp import Adam, Network

# %%
# The data: a wave whose noise grows from left to right.

generator = np.random.default_rng(0)


def sample(n):
    """Draw points around the wave."""
    x = generator.uniform(0, 10, n)
    return x[:, None], np.sin(x) + generator.normal(0, 0.08 + 0.06 * x)


X, y = sample(2000)

# %%
# One network for each level. ``scaling="standardize"`` standardizes the feature, inside the network, to zero mean and
# unit variance.

levels = 0.05, 0.5, 0.95
networks = {}
for level in levels:
    net = networks[level] = Network(
        [1, 32, 32, 1], hidden="tanh", loss="quantile", quantile=level, scaling="standardize", seed=0
    )
    net.fit(X, y, epochs=300, optimizer=Adam(0.01), schedule="cosine", verbose=0)

# %%
# The band between the lowest and the highest level, with the median inside.

x = np.linspace(0, 10, 400)[:, None]
low, middle, high = (net.predict(x) for net in networks.values())

figure, ax = plt.subplots(figsize=(9, 4.5), layout="constrained")
ax.scatter(X[:, 0], y, s=5, color="0.55", label="training points")
ax.fill_between(x[:, 0], low, high, alpha=0.3, label="band from 5% to 95%")
ax.plot(x[:, 0], middle, linewidth=2, label="median")
ax.plot(x[:, 0], np.sin(x[:, 0]), "k--", linewidth=1, label="true median")
ax.set(xlabel="x", ylabel="y", title="A network for each quantile")
_ = ax.legend(ncols=2)

# %%
# Do the levels hold on new data? Count new points below each curve.

X_new, y_new = sample(20_000)
for level, net in networks.items():
    print(f"level {level:.0%}: {(y_new <= net.predict(X_new)).mean():.1%} of fresh points lie below")

# %%
# **What to try next**
#
# - Train on 200 points for 3,000 epochs: the band becomes too narrow, because the networks overfit.
# - Choose other levels, such as 25% and 75%.
# - Use ``fit_many`` to train all three at once.
# - Curves of separate networks can cross where data is scarce. If that matters, sort the three predictions of each row.

plt.show()
