"""
The loss surface and the path of training
=========================================

**What you see:** the loss of a network as a landscape, and the paths of two training runs through it, from the same
start. The picture shows a flat slice through a space of 13,000 dimensions. The slice is spanned by the two directions
in which the path varies most, so most of the path lies close to it. With momentum the weights move about twice as far
in the same number of epochs, to a lower loss.

**How:** a function in ``callbacks=[...]`` copies the weights after every epoch. ``plots.loss_surface`` evaluates the
loss on a grid around the path.
"""

import copy

import matplotlib.pyplot as plt

from fastmlp import SGD, Network, load_mnist, plots

digits = load_mnist()
X, y = digits.X_train[:1000], digits.y_train[:1000]


# %%
# Train, and record the path: a copy of all weights at the start and after every epoch.


def trained(optimizer):
    """Train a small network; return the network and the path of its weights."""
    net = Network([784, 16, 16, 10], seed=0)
    path = [copy.deepcopy(net.weights)]
    net.fit(
        X,
        y,
        epochs=30,
        optimizer=optimizer,
        verbose=0,
        callbacks=[lambda run: path.append(copy.deepcopy(run.network.weights))],
    )
    return net, path


# %%
# Plain gradient descent, and gradient descent with momentum, which adds 90% of each step to the next one.

runs = {"SGD": trained(SGD(0.05)), "SGD with momentum": trained(SGD(0.05, momentum=0.9))}

figure, axes = plt.subplots(1, 2, figsize=(12, 4.8), layout="constrained")
for ax, (name, (net, path)) in zip(axes, runs.items(), strict=True):
    plots.loss_surface(net, X, y, path=path, ax=ax)
    ax.set_title(f"{name}: loss {net.history.loss[0]:.2f} to {net.history.loss[-1]:.4f}")

# %%
# **What to try next**
#
# - Use ``optimizer="adam"``, or a learning rate at which SGD bounces.
# - Train with ``batch_size=1000``: without the noise of small batches the path is smooth.
# - Start from another seed: the valley looks similar, but lies somewhere else in the 13,000 dimensions.

plt.show()
