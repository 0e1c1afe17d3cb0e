"""
Regularisation: L1, L2 and dropout
==================================

**What you see:** a network with 100 hidden units memorizes 1,000 digits. Without regularisation its training loss falls
almost to zero, while its validation loss rises from about the tenth epoch on. L2, L1 and dropout each lower the
validation loss. The accuracy gains less than one point. The second figure shows the effect of each on the weights: L2
makes all of them small, L1 makes most of them nearly zero, and dropout hardly changes their sizes.

**How:** ``l1=`` and ``l2=`` belong to ``Network``; dropout belongs to a layer, ``Dense(100, dropout=0.5)``.
"""

import matplotlib.pyplot as plt
import numpy as np

from fastmlp import Dense, Network, load_mnist, plots

digits = load_mnist()
X, y = digits.X_train[:1000], digits.y_train[:1000]
X_val, y_val = digits.X_train[-3000:], digits.y_train[-3000:]

# %%
# Four networks, trained in the same way on the same 1,000 digits.

networks = {
    "none": Network([784, 100, 10], seed=0),
    "L2, 0.005": Network([784, 100, 10], l2=0.005, seed=0),
    "L1, 0.0003": Network([784, 100, 10], l1=0.0003, seed=0),
    "dropout, 50%": Network([784, Dense(100, dropout=0.5), 10], seed=0),
}
histories = {name: net.fit(X, y, epochs=60, X_val=X_val, y_val=y_val, verbose=0) for name, net in networks.items()}

# %%
# The losses don't include the penalties, so they can be compared. We leave out the steep beginning.

of_loss, of_accuracy = plots.history(histories)
of_loss.set_ylim(0, 0.6)
_ = of_accuracy.set_ylim(0.8, 1.005)

# %%
# The weights of the first layer, all 78,400 of each network. Those beyond ±0.2 are counted in the outermost bars. The
# spike at 0 with L2 comes from border pixels without ink: only the penalty acts on their weights.

figure, axes = plt.subplots(1, 4, figsize=(12, 3), sharex=True, sharey=True, layout="constrained")
for ax, (name, net) in zip(axes, networks.items(), strict=True):
    W = net.weights[0][0]
    ax.hist(np.clip(W.ravel(), -0.2, 0.2), bins=81, log=True)
    ax.set(title=f"{name}\n{(np.abs(W) < 0.001).mean():.0%} below 0.001", xlabel="weight")
_ = axes[0].set_ylabel("number of weights")

# %%
# The weights of 12 units as images, with and without L2. The penalty removes the noise of irrelevant pixels.

figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
for ax, name in zip(axes, ("none", "L2, 0.005"), strict=True):
    plots.weights(networks[name], n=12, columns=4, ax=ax)
    ax.set_title(f"{name}: {histories[name].val_accuracy[-1]:.1%} right")

# %%
# **What to try next**
#
# - Make each penalty ten times as large, then a hundred times: the network begins to underfit.
# - Stop early instead: ``callbacks=[EarlyStopping(patience=5)]``.
# - Train on 10,000 digits, or with ``augment="digits"``: more data helps more than any penalty.

plt.show()
