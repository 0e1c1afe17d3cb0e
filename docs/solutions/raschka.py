"""Solutions to the exercises of the chapter after Raschka's book. Run: python docs/solutions/raschka.py."""

import numpy as np

from fastmlp import Adam, Dense, Network, fit_many, load_mnist

digits = load_mnist()
X, y = digits.X_train[:55000], digits.y_train[:55000]
X_val, y_val = digits.X_train[55000:], digits.y_train[55000:]
common = {"epochs": 30, "batch_size": 50, "optimizer": Adam(0.001), "verbose": 0}

# 1. The squared error of a wrong answer is bounded. The cross-entropy -log(probability of the right class) grows
# without bound as that probability goes to 0.
answer = np.array([0.1, 0.2, 0.7])
for right in (2, 0):
    target = np.eye(3)[right]
    squared, entropy = 0.5 * ((answer - target) ** 2).sum(), -np.log(answer[right])
    print(f"1. class {right + 1} is right: squared error {squared:.3f}, cross-entropy {entropy:.3f}")

# 2. The training accuracy stays at 100%. The validation accuracy rises with every doubling; the gap shrinks.
sizes = [250, 500, 1000, 2000, 4000]
fitted = fit_many(
    [Network([784, 200, 10], seed=0) for _ in sizes], X, y, settings=[{"rows": np.arange(n)} for n in sizes], **common
)
for n, one in zip(sizes, fitted, strict=True):
    seen, unseen = one.network.evaluate(X[:n], y[:n]), one.network.evaluate(X_val, y_val)
    print(f"2. {n} pictures: training {seen.accuracy:.1%}, validation {unseen.accuracy:.1%}")

# 3. The training loss grows with the penalty. The validation loss falls at first. It grows when the penalty is so
# strong that the network underfits.
penalties = [0.0001, 0.001, 0.003, 0.01, 0.03, 0.1]
fitted = fit_many([Network([784, 200, 10], seed=0, l2=l2) for l2 in penalties], X, y, rows=np.arange(1000), **common)
for l2, one in zip(penalties, fitted, strict=True):
    seen, unseen = one.network.evaluate(X[:1000], y[:1000]), one.network.evaluate(X_val, y_val)
    print(f"3. l2 {l2}: training {seen}; validation {unseen}")

# 4. Both make training harder, so it takes longer. Together they are about as good as augmentation alone, and far
# better than dropout alone (about 92% in the chapter).
for dropout in (0.0, 0.2):
    network = Network([784, Dense(200, dropout=dropout), 10], seed=0)
    network.fit(X[:1000], y[:1000], augment="digits", **common | {"epochs": 120})
    print(f"4. augmentation and dropout of {dropout}: {network.evaluate(X_val, y_val)}")

# 5. The best of 20 on 100 pictures was partly lucky, and luck doesn't repeat on the other pictures. The more often one
# chooses by the same few pictures, the less the accuracy on them means.
networks = [Network([784, 50, 10], seed=seed) for seed in range(20)]
fit_many(networks, X, y, rows=np.arange(1000), **common)
scores = [network.evaluate(X_val[:100], y_val[:100]).accuracy for network in networks]
best = networks[int(np.argmax(scores))]
mean = np.mean([network.evaluate(X_val[100:], y_val[100:]).accuracy for network in networks])
print(
    f"5. best of 20: {max(scores):.1%} on the 100, {best.evaluate(X_val[100:], y_val[100:]).accuracy:.1%} on the rest;"
)
print(f"   the mean of all 20: {np.mean(scores):.1%} on the 100, {mean:.1%} on the rest")
