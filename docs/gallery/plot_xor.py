"""
XOR and its decision boundary
=============================

**What you see:** four points in two classes, and the regions that three networks assign to each class. A network
without a hidden layer can only draw a straight line, and no straight line separates XOR. Two hidden units bend the
line enough. Eight hidden units draw a smoother boundary.

**How:** train each network on the four points, then colour the plane by its answers with ``plots.decision_boundary``.
"""

import matplotlib.pyplot as plt
import numpy as np

from fastmlp import Adam, Network, plots

# %%
# The data: the label is 1 where exactly one of the two inputs is 1.

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.float32)
y = np.array([0, 1, 1, 0])

# %%
# Three networks with the same two inputs and two outputs. They differ in the hidden layer only.

networks = {
    "no hidden layer": Network([2, 2], seed=1),
    "2 hidden units": Network([2, 2, 2], hidden="tanh", seed=1),
    "8 hidden units": Network([2, 8, 2], hidden="tanh", seed=1),
}
for net in networks.values():
    net.fit(X, y, epochs=400, batch_size=4, optimizer=Adam(0.05), verbose=0)

# %%
# The first network gets at most three of the four points right, however long it trains.

figure, axes = plt.subplots(1, 3, figsize=(11, 3.8), layout="constrained")
for ax, (name, net) in zip(axes, networks.items(), strict=True):
    plots.decision_boundary(net, X, y, ax=ax)
    right = int((net.predict(X) == y).sum())
    ax.set_title(f"{name}: {right} of 4 right")

# %%
# **What to try next**
#
# - Change ``seed``. Some starts with two hidden units get stuck with three points right. More units make that rare.
# - Use ``hidden="relu"``: the boundary is then made of straight pieces.
# - Replace the four points with a cloud of 400, and the label with ``X[:, 0] * X[:, 1] > 0``.

plt.show()
