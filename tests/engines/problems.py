"""Small training problems, and running them on any engine."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from fastmlp.data.dataset import Dataset
from fastmlp.data.samples import as_samples
from fastmlp.data.targets import Targets
from fastmlp.engines import get_engine, n_batches
from fastmlp.engines.simd import engine as simd_engine
from fastmlp.model.architecture import Architecture, Dense
from fastmlp.model.losses import LOSSES
from fastmlp.model.training_state import TrainingState

every_engine = pytest.mark.parametrize("engine", ["numpy", "loops", "numba"])
both_dtypes = pytest.mark.parametrize("dtype", ["float32", "float64"])


def build(sizes, loss="cross_entropy", activation="tanh", output=None, dtype="float64", **options):
    """An architecture, with an output of the same activation where the loss leaves that open."""
    if output is None and not LOSSES[loss].from_logits:
        output = activation
    return Architecture.build(sizes, loss=loss, hidden=activation, output=output, dtype=dtype, **options)


@dataclass(frozen=True)
class Problem:
    """A network, data, and where its parameters start."""

    architecture: Architecture
    data: Dataset
    parameters: np.ndarray

    def prepare(self, engine, threads=1, sparse=None):
        """The data as the engine wants it; `sparse` decides for the compiled one."""
        if engine == "numba":
            return simd_engine.prepare(self.architecture, self.data, threads, sparse=sparse)
        return get_engine(engine).prepare(self.architecture, self.data, threads)

    def gradient(self, engine, parameters=None, **options):
        parameters = self.parameters if parameters is None else parameters
        return get_engine(engine).loss_and_gradient(self.architecture, parameters, self.prepare(engine, **options))

    def train(self, engine, optimizer, batch_size, epochs=1, order=None, seed=5, **options):
        """Train from the start; return the state and the scores of the epochs."""
        prepared = self.prepare(engine, **options)
        state = TrainingState(self.architecture.zeros(), np.random.default_rng(0), seed)
        state.parameters[:] = self.parameters
        state.prepare_for(optimizer, self.architecture)
        generator, scores = np.random.default_rng(1), []
        for _ in range(epochs):
            rows = generator.permutation(self.data.samples.n_rows) if order is None else order
            rates = np.full(n_batches(len(rows), batch_size), optimizer.learning_rate)
            scores.append(
                get_engine(engine).train_epoch(self.architecture, state, optimizer, prepared, rows, batch_size, rates)
            )
            state.epoch += 1
        return state, scores


def random_inputs(rows, features, kind="float64", seed=0, density=0.5):
    """A table in one of the forms that `fastmlp.data.samples.as_samples` takes."""
    generator = np.random.default_rng([seed, rows, features])
    present = generator.random((rows, features)) < density
    if kind in ("uint8", "csr-uint8"):
        X = generator.integers(1, 256, (rows, features)) * present
        X = X.astype(np.uint8)
    else:
        X = (generator.uniform(-1, 1, (rows, features)) * present).astype("float32" if "32" in kind else "float64")
    if kind.startswith("csr"):
        sparse = pytest.importorskip("scipy.sparse")
        return sparse.csr_matrix(X)
    return X


def random_problem(
    architecture, rows, kind="float64", labels=True, weighted=False, scaling=None, density=0.5, seed=0, one_class=False
):
    """Random data for an architecture, and weights that neither enlarge nor lose what goes through them."""
    generator = np.random.default_rng([seed, 1])
    samples = as_samples(random_inputs(rows, architecture.inputs, kind, seed, density), scaling=scaling)
    outputs, dtype = architecture.outputs, architecture.dtype
    if labels:
        task = "classes" if outputs > 1 else "multilabel"
        targets = Targets(generator.integers(0, 1 if one_class else outputs, rows).astype(np.int32), None)
    else:
        task = "regression"
        wanted = generator.dirichlet(np.ones(outputs), rows) if outputs > 1 else generator.random((rows, 1))
        targets = Targets(None, wanted.astype(dtype))
    weights = None
    if weighted:
        weights = generator.uniform(0.1, 3, rows)
        weights = (weights / weights.mean()).astype(dtype)
    parameters = architecture.zeros()
    for W, b in architecture.views(parameters):
        W[...] = generator.uniform(-1, 1, W.shape) * np.sqrt(3 / max(W.shape))
        if b is not None:
            b[...] = generator.uniform(-0.5, 0.5, len(b))
    return Problem(architecture, Dataset.of(architecture, samples, targets, weights, task), parameters)


def padding(architecture):
    """Which numbers of the flat vector are no parameters."""
    flat = np.ones(architecture.flat_size, bool)
    for W, b in architecture.views(flat):
        W[...] = False
        if b is not None:
            b[...] = False
    return flat


__all__ = ["Dataset", "Dense", "Problem", "replace"]
