"""
XOR and its decision boundary
=============================

**What you see:** four clouds of points in two classes, and the regions that three networks assign to each class. A
network without a hidden layer can only draw a straight line, and no straight line separates XOR. With two hidden units
the network draws two boundaries, which is enough. Eight hidden units separate the clouds as well.

**How:** train each network on the points, then colour the plane by the network's answers with
``plots.decision_boundary``.
"""

import matplotlib.pyplot as plt
import numpy as np

from fastmlp import Adam, Network, plots

# %%
# The data: 60 noisy points around each corner of a square. The label is 1 where exactly one of the two inputs is 1.

corners = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], 60, axis=0)
X = corners + np.random.default_rng(0).normal(0, 0.13, corners.shape)
y = corners[:, 0] ^ corners[:, 1]

# %%
# Three networks with the same two inputs and two outputs. They differ in the hidden layer only.

networks = {
    "no hidden layer": Network([2, 2], seed=4),
    "2 hidden units": Network([2, 2, 2], hidden="tanh", seed=4),
    "8 hidden units": Network([2, 8, 2], hidden="tanh", seed=4),
}
for net in networks.values():
    net.fit(X, y, epochs=150, optimizer=Adam(0.03), verbose=0)

# %%
# A straight line can get at most three of the four clouds right. This one does no better than chance: its loss is
# smallest with equal probabilities for both classes everywhere, where the gradients of the four clouds cancel.

figure, axes = plt.subplots(1, 3, figsize=(11, 3.8), layout="constrained")
for ax, (name, net) in zip(axes, networks.items(), strict=True):
    plots.decision_boundary(net, X, y, ax=ax)
    ax.set_title(f"{name}: {net.evaluate(X, y).accuracy:.0%} right")

# %%
# **What to try next**
#
# - Change ``seed``. With two hidden units, many networks get stuck with three clouds right. More units make this rare.
# - Use ``hidden="relu"``: the boundary is then made of straight pieces.
# - Train on the four corners alone, without the noise.

plt.show()
