"""scikit-learn's MLPClassifier and MLPRegressor (imports numpy and sklearn)."""

import time
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from sklearn.neural_network import MLPClassifier, MLPRegressor

from ..workloads import Array, Data, Weights, Workload
from . import base

_ACTIVATIONS = {"sigmoid": "logistic", "tanh": "tanh", "relu": "relu"}

_SPARSE_BELOW = 0.1
"""Density below which a table is a sparse matrix, which scikit-learn trains on as it is."""


class Trainer(base.Trainer):
    """See `base.Trainer`.

    `partial_fit` takes one epoch. Rows are put in order before it, outside the timing: it has no way to be given one,
    and so it is spared gathering them.
    """

    def __init__(self, workload: Workload, data: Data, weights: Weights, threads: int | None) -> None:
        super().__init__(workload, data, weights, threads)
        make = MLPClassifier if workload.classifies else MLPRegressor
        model = make(
            hidden_layer_sizes=workload.sizes[1:-1],
            activation=_ACTIVATIONS[workload.hidden],
            solver="adam" if workload.optimizer == "adam" else "sgd",
            alpha=0.0,
            batch_size=min(workload.batch_size, workload.rows),
            learning_rate_init=workload.learning_rate,
            shuffle=False,
            momentum=workload.momentum,
            nesterovs_momentum=False,
        )
        single = data.given_y.shape[1:] == (1,)
        self._y = data.given_y[:, 0] if single else data.given_y  # it warns of a column
        self._X = csr_array(data.X) if workload.density < _SPARSE_BELOW else data.X
        self._model = with_weights(model, weights, data.X[:1], self._y[:1])

    def train(self, orders: base.Orders) -> float:
        """See `base.Trainer.train`."""
        seconds = 0.0
        for order in orders:
            X, y = (self._X[order], self._y[order]) if self.workload.shuffled else (self._X, self._y)
            start = time.perf_counter()
            self._model.partial_fit(X, y)
            seconds += time.perf_counter() - start
        return seconds

    def outputs(self) -> Array:
        """See `base.Trainer.outputs`."""
        if self.workload.classifies:
            probabilities: Array = self._model.predict_proba(self.data.X)
            return probabilities
        return np.reshape(self._model.predict(self.data.X), self.data.Y.shape)

    @staticmethod
    def differences(workload: Workload) -> str:
        """A classifier of scikit-learn's ends in a softmax with cross-entropy, whatever one would like."""
        return "softmax and cross-entropy" if workload.classifies and workload.output != "softmax" else ""

    @staticmethod
    def supports(workload: Workload) -> bool:
        """It has few activations."""
        return workload.hidden in _ACTIVATIONS


class Predictor(base.Predictor):
    """See `base.Predictor`."""

    def __init__(self, weights: Weights, threads: int | None) -> None:
        model = MLPClassifier(hidden_layer_sizes=[len(b) for _, b in weights[:-1]])
        row = np.zeros((1, len(weights[0][0])), dtype=np.float32)
        self._model = with_weights(model, weights, row, np.zeros(1, dtype=np.int64))

    def predict(self, X: Array) -> Array:
        """See `base.Predictor.predict`."""
        probabilities: Array = self._model.predict_proba(X)
        return probabilities


def with_weights(model: Any, weights: Weights, X: Array, y: Array) -> Any:
    """Return the model as if it had been made with these weights.

    It has its arrays only after a first fit, here to the row `X`. The optimizer of that fit holds on to them and
    remembers its step, so it has to go: the next fit makes a new one.
    """
    classes = {"classes": np.arange(len(weights[-1][1]))} if isinstance(model, MLPClassifier) else {}
    batch_size, model.batch_size = model.batch_size, 1
    model.partial_fit(X, y, **classes)
    model.batch_size = batch_size
    model.coefs_, model.intercepts_ = ([array.copy() for array in arrays] for arrays in zip(*weights, strict=True))
    del model._optimizer
    return model
