"""Plain NumPy: fastmlp's reference engine, and for inference products into memory that is kept (imports numpy)."""

import numpy as np

from ..workloads import Array, Weights
from . import base, fastmlp_fit


class Trainer(fastmlp_fit.Trainer):
    """See `fastmlp_fit.Trainer`: all the same, with ``engine="numpy"``."""

    engine = "numpy"


class Predictor(base.Predictor):
    """See `base.Predictor`."""

    def __init__(self, weights: Weights, threads: int | None) -> None:
        self._weights = weights
        self._layers: list[Array] = []

    def predict(self, X: Array) -> Array:
        """See `base.Predictor.predict`."""
        if not self._layers or len(self._layers[0]) != len(X):
            self._layers = [np.empty((len(X), len(b)), dtype=np.float32) for _, b in self._weights]
        a = X
        for (W, b), z in zip(self._weights, self._layers, strict=True):
            np.matmul(a, W, out=z)
            z += b
            if z is not self._layers[-1]:
                np.maximum(z, 0, out=z)
            a = z
        a -= a.max(axis=1, keepdims=True)
        np.exp(a, out=a)
        a /= a.sum(axis=1, keepdims=True)
        return a
