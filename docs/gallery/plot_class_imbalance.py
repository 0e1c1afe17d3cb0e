"""
Class imbalance and ``class_weight``
====================================

**What you see:** 950 points of one class, 50 of another, and a region where both occur. A network that weights every
point equally assigns that region to the larger class. It is right most of the time, but misses more than half of the
small class. With ``class_weight="balanced"`` both classes have the same total weight. The boundary moves: the network
finds most of the small class, and raises more false alarms.

**How:** ``fit(..., class_weight="balanced")``, or your own weights as a dictionary.
"""

import matplotlib.pyplot as plt
import numpy as np

from fastmlp import Network, plots

# %%
# The data: two clouds that overlap. 5% of the points are "faulty".

generator = np.random.default_rng(0)


def sample(n_fine, n_faulty):
    """Draw points of both classes."""
    fine = generator.normal([0, 0], 1.0, (n_fine, 2))
    faulty = generator.normal([1.6, 1.2], 0.6, (n_faulty, 2))
    return np.concatenate([fine, faulty]), np.repeat(["fine", "faulty"], [n_fine, n_faulty])


X, y = sample(950, 50)
X_test, y_test = sample(19_000, 1000)

# %%
# Train the same network twice.

networks = {}
for weight in (None, "balanced"):
    net = networks[f"class_weight={weight!r}"] = Network([2, 16, 2], hidden="tanh", seed=0)
    net.fit(X, y, epochs=60, class_weight=weight, verbose=0)

figure, axes = plt.subplots(1, 2, figsize=(10, 4.4), layout="constrained")
for ax, (name, net) in zip(axes, networks.items(), strict=True):
    plots.decision_boundary(net, X, y, ax=ax)
    ax.set_title(name)

# %%
# The mistakes on 20,000 new points.

figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for ax, (name, net) in zip(axes, networks.items(), strict=True):
    plots.confusion_matrix(net, X_test, y_test, ax=ax)
    ax.set_title(name)

# %%
# Accuracy alone hides the difference. *Recall* is the share of the faulty points that are found, *precision* is the
# share of the alarms that are right.

for name, net in networks.items():
    answers = net.predict(X_test)
    found = ((answers == "faulty") & (y_test == "faulty")).sum()
    recall, precision = found / (y_test == "faulty").sum(), found / (answers == "faulty").sum()
    accuracy = (answers == y_test).mean()
    print(f"{name}: accuracy {accuracy:.1%}, recall {recall:.1%}, precision {precision:.1%}")

# %%
# **What to try next**
#
# - Give weights of your own, such as ``class_weight={"fine": 1, "faulty": 5}``, and see how recall rises and precision
#   falls.
# - Leave the weights out and move the threshold instead: answer "faulty" where ``predict_proba`` is above 0.2.
# - Weigh single rows with ``sample_weight``.

plt.show()
