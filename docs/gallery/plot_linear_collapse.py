"""
Without activations, layers collapse into one
=============================================

**What you see:** two rings of points, one inside the other. A network with two hidden layers of 32 units each but no
activation function draws a straight line, exactly like a network without hidden layers. With ReLU the same network
draws a closed curve.

**Why:** a layer without an activation multiplies by a matrix. Two matrices in a row are one matrix, so depth adds
nothing.

**How:** ``hidden="identity"`` switches the activations off. At the end we multiply the three weight matrices into one
and check that the resulting network gives the same outputs.
"""

import matplotlib.pyplot as plt
import numpy as np

from fastmlp import Network, plots

# %%
# The data: 400 points in two rings.

generator = np.random.default_rng(0)
y = np.arange(400) % 2
radius = np.where(y == 1, 1.0, 0.4) + generator.normal(0, 0.1, 400)
angle = generator.uniform(0, 2 * np.pi, 400)
X = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)

# %%
# Three networks, trained in the same way.

networks = {
    "no hidden layer": Network([2, 2], seed=0),
    "2 hidden layers, no activation": Network([2, 32, 32, 2], hidden="identity", seed=0),
    "2 hidden layers, ReLU": Network([2, 32, 32, 2], hidden="relu", seed=0),
}
for net in networks.values():
    net.fit(X, y, epochs=60, verbose=0)

# %%
# The boundary of each network.

figure, axes = plt.subplots(1, 3, figsize=(11.5, 3.9), layout="constrained")
for ax, (name, net) in zip(axes, networks.items(), strict=True):
    plots.decision_boundary(net, X, y, ax=ax)
    ax.set_title(f"{name}\n{net.evaluate(X, y).accuracy:.0%} right")

# %%
# The three matrices of the network without activations, multiplied into one. Each bias is multiplied by the later
# matrices too.

deep = networks["2 hidden layers, no activation"]
(W1, b1), (W2, b2), (W3, b3) = deep.weights
flat = Network([2, 2], seed=0)
flat.set_weights([(W1 @ W2 @ W3, (b1 @ W2 + b2) @ W3 + b3)])
print(f"{deep.n_parameters:,} parameters collapse into {flat.n_parameters}.")
print(f"The outputs differ by at most {np.abs(deep(X) - flat(X)).max():.1e}.")

# %%
# **What to try next**
#
# - Give one of the two hidden layers an activation: ``Network([2, Dense(32, "identity"), Dense(32, "relu"), 2])``.
# - Try ``hidden="tanh"`` and compare the shape of the boundary.
# - Add ``X**2`` as two more features: then even the network without a hidden layer separates the rings.

plt.show()
