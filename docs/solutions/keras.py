"""Solutions to the exercises of the chapter on Keras. Run: python docs/solutions/keras.py."""

import numpy as np

from fastmlp import Adam, EarlyStopping, Network, load_mnist

digits = load_mnist()
X_train, y_train = digits.X_train[:48000], digits.y_train[:48000]
X_val, y_val = digits.X_train[48000:], digits.y_train[48000:]

# 1. At the first step m / (1 - 0.9) is the derivative itself, and v / (1 - 0.999) its square. So every weight moves by
# almost exactly the learning rate, large derivative or small, unless its derivative is 0.
net = Network([784, 128, 128, 10], dtype="float64", seed=0)
X, y = digits.X_train[:100], digits.y_train[:100]
_, gradient = net.gradient(X, y)
expected = []
for (W, _), (dW, _) in zip(net.weights, gradient, strict=True):
    m, v = 0.1 * dW, 0.001 * dW**2
    expected.append(W - 0.001 * (m / (1 - 0.9)) / (np.sqrt(v / (1 - 0.999)) + 1e-8))
net.fit(X, y, epochs=1, batch_size=100, optimizer=Adam(0.001), verbose=0)
assert all(np.allclose(W, one, atol=1e-12) for (W, _), one in zip(net.weights, expected, strict=True))
print("1. One step of Adam in NumPy gives fastmlp's weights.")

# 2. The last 20% are all the 8s and 9s, and 200 of the 7s. The training rows have no 8s and no 9s. Training looks fine,
# validation is terrible. The split is wrong, not the network.
order = np.argsort(digits.y_train, kind="stable")
X_sorted, y_sorted = digits.X_train[order], digits.y_train[order]
net = Network([784, 128, 128, 10], seed=0)
net.fit(X_sorted[:48000], y_sorted[:48000], epochs=2, batch_size=128, verbose=0)
seen = np.unique(y_sorted[:48000], return_counts=True)
print("2. digits trained on:", dict(zip(*(part.tolist() for part in seen), strict=True)))
print(f"2. right in the last 20%: {net.evaluate(X_sorted[48000:], y_sorted[48000:]).accuracy:.1%}")

# 3. The right digit is often the second likeliest.
net = Network([784, 128, 128, 10], seed=0)
net.fit(X_train, y_train, epochs=5, batch_size=128, verbose=0)
wrong = int(np.flatnonzero(net.predict(digits.X_test) != digits.y_test)[0])
probabilities = net.predict_proba(digits.X_test[wrong : wrong + 1])[0]
likeliest = probabilities.argsort()[::-1][:3]
text = ", ".join(f"{digit} ({probabilities[digit]:.0%})" for digit in likeliest)
print(f"3. test picture {wrong} is a {digits.y_test[wrong]}; the network says {text}")

# 4. 784 * 149 + 149 + 149 * 10 + 10 = 118,465 parameters. On MNIST one layer is about as good as two.
wide = Network([784, 149, 10], seed=0)
wide.fit(X_train, y_train, epochs=5, batch_size=128, verbose=0)
for network in (net, wide):
    print(f"4. {network.n_parameters:,} parameters: {network.evaluate(X_val, y_val)}")

# 5. `EarlyStopping` restores the weights of the best epoch.
net, stopping = Network([784, 128, 128, 10], seed=0), EarlyStopping("val_loss", patience=3)
history = net.fit(
    X_train, y_train, epochs=50, batch_size=128, X_val=X_val, y_val=y_val, callbacks=[stopping], verbose=0
)
score = net.evaluate(digits.X_test, digits.y_test)
print(f"5. stopped after epoch {history.epochs}, best was {stopping.best_epoch}; test: {score}")
