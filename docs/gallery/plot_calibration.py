"""
Calibration: does 90% mean 90%?
===============================

**What you see:** a reliability diagram. It groups the answers by the network's confidence, and shows the accuracy of
each group. A calibrated network lies on the diagonal. The curve of a network that memorized its 2,000 training digits
lies below the diagonal: the network is overconfident. Label smoothing lifts the curve. Here 0.01 is about right, and
0.1, a common choice, makes the network far underconfident.

**How:** ``Network(..., label_smoothing=0.1)`` trains towards targets of 0.91 and 0.01 instead of 1 and 0. The network
can't lower its loss by becoming ever more confident.
"""

import matplotlib.pyplot as plt
import numpy as np

from fastmlp import Network, load_mnist

digits = load_mnist()
X, y = digits.X_train[:2000], digits.y_train[:2000]
X_test, y_test = digits.X_test, digits.y_test

# %%
# Train the same network with three amounts of smoothing.

networks = {smoothing: Network([784, 64, 10], label_smoothing=smoothing, seed=0) for smoothing in (0.0, 0.01, 0.1)}
for net in networks.values():
    net.fit(X, y, epochs=30, verbose=0)

# %%
# Divide the answers into ten groups by confidence: the probability of the predicted label.

edges = np.linspace(0, 1, 11)


def reliability(net):
    """Return for each answer its confidence, its correctness (True or False) and its group."""
    probabilities = net.predict_proba(X_test)
    confidence = probabilities.max(axis=1)
    right = net.predict(X_test) == y_test
    return confidence, right, np.clip(np.digitize(confidence, edges) - 1, 0, 9)


figure, (above, below) = plt.subplots(2, 1, figsize=(7, 7), sharex=True, height_ratios=(3, 1), layout="constrained")
above.plot([0, 1], [0, 1], "k--", linewidth=1, label="calibrated")
for (smoothing, net), marker in zip(networks.items(), "osD", strict=True):
    confidence, right, group = reliability(net)
    used = [number for number in range(10) if (group == number).sum() >= 20]
    mean_confidence = [confidence[group == number].mean() for number in used]
    share_right = [right[group == number].mean() for number in used]
    error = sum((group == n).mean() * abs(c - s) for n, c, s in zip(used, mean_confidence, share_right, strict=True))
    above.plot(mean_confidence, share_right, marker=marker, label=f"smoothing {smoothing:g}")
    below.hist(confidence, bins=edges, histtype="step", linewidth=2)
    print(f"smoothing {smoothing:g}: {right.mean():.1%} right, confidence {confidence.mean():.1%}, ECE {error:.3f}")
above.set(ylabel="accuracy", title="10,000 test digits", ylim=(0, 1))
above.legend()
_ = below.set(xlabel="confidence", ylabel="answers")

# %%
# ECE, the expected calibration error, is the mean vertical distance from the diagonal, weighted by the number of
# answers. Groups of fewer than 20 answers are left out.
#
# **What to try next**
#
# - Stop early instead of smoothing: train for five epochs.
# - Train on all 60,000 digits. More data improves calibration as well as accuracy.
# - Divide the outputs before the softmax by a temperature chosen on validation data, and compare.

plt.show()
