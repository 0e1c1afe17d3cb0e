"""
Equal initial weights: a symmetry that never breaks
====================================================

**What you see:** the weights of 16 hidden units as images, blue positive and red negative. Above, all weights started
with the same value: after training, all 16 units are identical, and the network is hardly better than one with a single
hidden unit. Below, the weights started at random: every unit responds to different pixels.

**Why:** units that start equal compute the same output, receive the same gradient, and take the same step. They never
become different.

**How:** ``Normal(std=0, mean=0.01)`` as the initializer gives every weight the value 0.01.
"""

import matplotlib.pyplot as plt
import numpy as np

from fastmlp import Network, Normal, load_mnist, plots

digits = load_mnist()
X, y = digits.X_train[:10_000], digits.y_train[:10_000]

# %%
# Two networks that differ only in their initial weights, and one network with a single hidden unit for comparison.

networks = {
    "equal start": Network([784, 16, 10], hidden="tanh", initializer=Normal(std=0.0, mean=0.01), seed=0),
    "random start": Network([784, 16, 10], hidden="tanh", seed=0),
    "1 hidden unit": Network([784, 1, 10], hidden="tanh", seed=0),
}
for net in networks.values():
    net.fit(X, y, epochs=10, verbose=0)

# %%
# How different are the weights of the 16 units? With the equal start the largest difference is zero.

for name, net in networks.items():
    W, b = net.weights[0]
    apart = np.ptp(W, axis=1).max()
    accuracy = net.evaluate(digits.X_test, digits.y_test).accuracy
    print(f"{name:>13}: {accuracy:.1%} of the test images right, units differ by at most {apart:.3f}")

# %%
# The same result, as images of the weights.

figure, axes = plt.subplots(2, 1, figsize=(8, 4.8), layout="constrained")
for ax, name in zip(axes, ("equal start", "random start"), strict=True):
    plots.weights(networks[name], columns=8, ax=ax)
    accuracy = networks[name].evaluate(digits.X_test, digits.y_test).accuracy
    ax.set_title(f"{name}: {accuracy:.0%} of the test images right")

# %%
# **What to try next**
#
# - Use ``initializer="zeros"``: then all weights stay zero, and only the output biases learn.
# - Use ``Normal(std=1e-6, mean=0.01)``: a tiny difference is enough.
# - Give the hidden layer dropout, ``Dense(16, "tanh", dropout=0.5)``, with the equal start: chance breaks the symmetry.

plt.show()
