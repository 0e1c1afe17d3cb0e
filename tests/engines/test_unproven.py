"""A Numba is trusted when what it compiled computes the numbers of NumPy, and asked no more."""

import numpy as np
import pytest

from fastmlp import Network, engines
from fastmlp.data.samples import Scaling
from fastmlp.engines import numpy_engine
from fastmlp.errors import MissingDependencyError
from fastmlp.model.architecture import Architecture

from ..interpreted import needs_compiler

simd_engine = pytest.importorskip("fastmlp.engines.simd.engine")
unproven = pytest.importorskip("fastmlp.engines.unproven")

pytestmark = needs_compiler

ARCHITECTURE = Architecture.build([4, 3])
X = np.ones((2, 4), np.float32)
TRAIN, FEW = simd_engine.train_epoch, simd_engine.few_rows


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A cache folder where nothing was compiled before; engines are chosen anew."""
    monkeypatch.setattr(unproven, "cache_folder", lambda: tmp_path)
    engines._automatic.cache_clear()
    engines._compiled.cache_clear()
    yield tmp_path
    engines._automatic.cache_clear()
    engines._compiled.cache_clear()


def train_wrongly(architecture, state, *arguments, **options):
    score = TRAIN(architecture, state, *arguments, **options)
    state.parameters *= 1.01
    return score


def train_to_nan(architecture, state, *arguments, **options):
    state.parameters[:] = np.nan
    return TRAIN(architecture, state, *arguments, **options)


def fail_to_compile(*_, **options):
    raise TypeError("no implementation of load")


def answer_wrongly(*arguments):
    few = FEW(*arguments)
    return lambda parameters, X: few(parameters, X) + 1


@pytest.fixture(params=[train_wrongly, train_to_nan, fail_to_compile])
def wrong(request, monkeypatch):
    """Kernels of which the training is not compiled right."""
    monkeypatch.setattr(simd_engine, "train_epoch", request.param)


def test_right_code_is_trusted_from_then_on(folder, monkeypatch):
    engines.get_engine("numba").load(ARCHITECTURE)
    (marker,) = folder.iterdir()
    assert f"numba-{unproven.numba.__version__}" in marker.name
    monkeypatch.setattr(unproven, "_difference", None)  # it would fail if it were asked
    assert unproven.proven(simd_engine, or_numpy=True) is simd_engine


def test_another_numba_is_compared_again(monkeypatch):
    engines.get_engine("numba").load(ARCHITECTURE)
    monkeypatch.setattr(unproven.numba, "__version__", "99.0.0")
    assert unproven.proven(simd_engine, or_numpy=True) is not simd_engine


def test_without_a_folder_it_is_compared_once(monkeypatch):
    compared, difference = [], unproven._difference
    monkeypatch.setattr(unproven, "cache_folder", lambda: None)
    monkeypatch.setattr(unproven, "_difference", lambda *given: compared.append(1) or difference(*given))
    for _ in range(2):
        engines.get_engine("numba").load(ARCHITECTURE)
    assert len(compared) == 1


def test_wrong_code_is_not_used(wrong, folder, blobs):
    right, net = (Network([4, 3], seed=0) for _ in range(2))
    right.fit(*blobs, epochs=1, engine="numpy", verbose=0)
    with pytest.warns(RuntimeWarning, match=r"does not compile.*pip install 'numba<.*NumPy engine"):
        net.fit(*blobs, epochs=1, verbose=0)
    np.testing.assert_array_equal(net.state.parameters, right.state.parameters)
    np.testing.assert_array_equal(net(blobs[0][:1]), right(blobs[0][:1], engine="numpy"))
    assert engines.get_engine("auto").name == "numpy"
    assert not list(folder.iterdir())


def test_wrong_code_that_was_asked_for_is_an_error(wrong, blobs):
    for _ in range(2):
        with pytest.raises(MissingDependencyError, match=r"does not compile.*pip install 'numba<"):
            Network([4, 3]).fit(*blobs, epochs=1, engine="numba", verbose=0)


def few_outputs(name, X):
    """Outputs of a few rows by the engine of this name; None where it has no shorter way to them."""
    return engines.get_engine(name).few_rows(ARCHITECTURE, Scaling())(ARCHITECTURE.zeros(), X)


def test_a_few_rows_are_compared_before_anything_is_trained(folder):
    np.testing.assert_allclose(few_outputs("numba", X), np.full((2, 3), 1 / 3), rtol=1e-6)
    assert not list(folder.iterdir())  # of the code for training nothing is known yet


def test_wrong_outputs_of_a_few_rows_are_not_used(monkeypatch):
    monkeypatch.setattr(simd_engine, "few_rows", answer_wrongly)
    with pytest.warns(RuntimeWarning, match="does not compile"):
        assert few_outputs("auto", X) is None  # the network goes the longer way, which is NumPy's
    assert engines.get_engine("auto").name == "numpy"
    with pytest.raises(MissingDependencyError):
        few_outputs("numba", X)


def test_nothing_is_compiled_for_what_goes_another_way(monkeypatch):
    monkeypatch.setattr(unproven, "_difference", None)
    assert few_outputs("numba", [[1.0] * 4] * 9) is None


def test_many_rows_are_answered_by_what_trains(monkeypatch):
    asked = []
    monkeypatch.setattr(unproven, "_difference", lambda engine, compute, dtype: asked.append(compute) or "")
    few_outputs("numba", np.ones((30, 4), np.float32))
    assert asked == [unproven._train]


def test_numpy_is_never_compared():
    assert engines.get_engine("numpy") is numpy_engine
