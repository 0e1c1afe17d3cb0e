"""
Learning rates compared
=======================

**What you see:** the same network trained with four learning rates. With 0.03 it learns too slowly for ten epochs. With
0.3 it comes close to the best accuracy, but only after several epochs. With 3 it learns fast and steadily. With 100 the
first steps are so large that the sigmoids saturate, their gradients vanish, and the accuracy stays at the level of
guessing.

**How:** the network is Nielsen's, 784-30-10 with sigmoids and squared error, on 10,000 digits of MNIST. All four start
with the same weights and see the same batches, because they have the same seed. ``plots.history`` draws several
histories into one plot.
"""

import matplotlib.pyplot as plt

from fastmlp import SGD, Network, load_mnist, plots

digits = load_mnist()
X, y = digits.X_train[:10_000], digits.y_train[:10_000]
X_val, y_val = digits.X_test[:2000], digits.y_test[:2000]

# %%
# One training run for each rate.

histories = {}
for rate in (0.03, 0.3, 3.0, 100.0):
    net = Network([784, 30, 10], hidden="sigmoid", loss="squared_error", output="sigmoid", seed=0)
    histories[f"rate {rate:g}"] = net.fit(
        X, y, epochs=10, batch_size=10, optimizer=SGD(rate), X_val=X_val, y_val=y_val, verbose=0
    )

# %%
# Solid lines show the training rows, dashed lines the validation rows, which the network never trains on.

axes = plots.history(histories)

# %%
# The accuracy after the last epoch:

for name, history in histories.items():
    print(f"{name:>9}: {history.val_accuracy[-1]:.1%} of the validation rows right")

# %%
# **What to try next**
#
# - Add rates between 3 and 100 and find where training breaks down.
# - Use ``loss="cross_entropy"`` and leave ``output`` out: good rates are then
#   about ten times smaller.
# - Use ``optimizer="adam"``: its default rate of 0.001 suits most networks.
# - Lower the rate during training: ``fit(..., schedule="cosine")``.

plt.show()
