"""Epochs of a recipe's network on one engine, without what `fit` does around them (imports numpy and fastmlp)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.data.dataset import Dataset
from fastmlp.data.samples import Scaling, as_samples
from fastmlp.data.targets import Targets
from fastmlp.engines import Score, get_engine, n_batches
from fastmlp.recipes import Recipe


class Trainer:
    """A network under training.

    Parameters
    ----------
    recipe : Recipe
    engine : {"numba", "loops", "numpy"}
    rows : int
        How many of the recipe's training rows, from the first.
    dtype : {"float32", "float64"}, default "float32"
    threads : int, default 1
    sparse : bool, optional
        Whether the rows are sparse ones to the compiled engine; by default it decides.
    """

    def __init__(
        self,
        recipe: Recipe,
        engine: str,
        rows: int,
        dtype: str = "float32",
        *,
        threads: int = 1,
        sparse: bool | None = None,
    ) -> None:
        self._recipe, self._engine, self._rows = recipe, get_engine(engine), rows
        network, data = recipe.network(dtype=dtype), recipe.data()
        assert isinstance(network.scaling, Scaling)
        self.architecture, self._state = network.architecture, network.state
        self._state.prepare_for(recipe.optimizer, self.architecture)
        self._engine.load(self.architecture)
        samples = as_samples(data.X_train[:rows], scaling=network.scaling)
        self._density = samples.density()
        targets = Targets(data.y_train[:rows].astype(np.int32), None)
        prepare: Any = self._engine.prepare  # the compiled engine's knows one argument more
        options = {} if sparse is None else {"sparse": sparse}
        self._data = prepare(self.architecture, Dataset.of(self.architecture, samples, targets), threads, **options)

    @property
    def parameters(self) -> NDArray[Any]:
        """The network's, as one vector."""
        return self._state.parameters

    def epoch(self) -> Score:
        """Train one."""
        recipe, rows = self._recipe, self._rows
        order = self._state.generator.permutation(rows) if recipe.shuffle else np.arange(rows)
        rates = np.full(n_batches(rows, recipe.batch_size), float(recipe.optimizer.learning_rate))
        score = self._engine.train_epoch(
            self.architecture, self._state, recipe.optimizer, self._data, order, recipe.batch_size, rates
        )
        self._state.epoch += 1
        return score

    def operations(self) -> float:
        """Additions and multiplications in the matrix products of an epoch, with the input's zeros skipped.

        Forward pass and weight gradient of every layer, and the gradient of the input of all layers but the first.
        """
        first, *others = (layer.fan_in * layer.units for layer in self.architecture.layers)
        return 2.0 * self._rows * (2 * self._density * first + 3 * sum(others))
