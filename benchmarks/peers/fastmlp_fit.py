"""fastmlp as anybody uses it: `Network.fit`, on the compiled engine (imports fastmlp)."""

import time

from fastmlp import Network
from fastmlp.measure.timing import finished

from ..workloads import Array, Data, Weights, Workload
from . import base


class Trainer(base.Trainer):
    """See `base.Trainer`.

    A timing is that of the whole call: checking and preparing the rows, drawing their order, training, and keeping the
    state of before each epoch. The network draws the very orders that the others are given; see `Workload.orders`.
    """

    engine = "numba"
    dtype: str | None = None
    """Where it is another than the workload's."""

    def __init__(self, workload: Workload, data: Data, weights: Weights, threads: int | None) -> None:
        super().__init__(workload, data, weights, threads)
        self._network = workload.network(self.dtype)
        self._network.set_weights(weights)

    def train(self, orders: base.Orders) -> float:
        """See `base.Trainer.train`; `own_seconds` are those of the history, the epochs without what is around them."""
        workload, data = self.workload, self.data
        optimizer = workload.own_optimizer()
        start = time.perf_counter()
        history = self._network.fit(
            data.given_X,
            data.given_y,
            epochs=len(orders),
            batch_size=workload.batch_size,
            optimizer=optimizer,
            shuffle=workload.shuffled,
            engine=self.engine,
            verbose=0,
        )
        seconds = time.perf_counter() - start
        self.own_seconds = sum(finished(history)["seconds"])
        return seconds

    def outputs(self) -> Array:
        """See `base.Trainer.outputs`."""
        return self._network(self.data.given_X, engine=self.engine)


class Predictor(base.Predictor):
    """See `base.Predictor`."""

    def __init__(self, weights: Weights, threads: int | None) -> None:
        self._network = Network([weights[0][0].shape[0], *(len(b) for _, b in weights)], scaling=None, seed=0)
        self._network.set_weights(weights)

    def predict(self, X: Array) -> Array:
        """See `base.Predictor.predict`."""
        return self._network.predict_proba(X, engine="numba")
