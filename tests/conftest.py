"""Fixtures that all tests share."""

import importlib.util
import signal

import numpy as np
import pytest
from hypothesis import settings

from .interpreted import examples

# No deadline, since a first call may compile; the same examples each time, so that a failure is always the code's.
settings.register_profile("fastmlp", deadline=None, max_examples=examples(40, 4), derandomize=True)
settings.load_profile("fastmlp")

_numba = (
    importlib.util.find_spec("numba") is not None
    and importlib.util.find_spec("fastmlp.engines.simd.engine") is not None
)


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c_is_heard():
    """Hear Ctrl-C, and let child processes: a shell has its background jobs ignore it, which they would inherit."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


_needs_numba = pytest.mark.skipif(not _numba, reason="needs Numba")


@pytest.fixture(params=["numpy", *(pytest.param(name, marks=_needs_numba) for name in ("loops", "numba"))])
def engine(request):
    """Name of each engine in turn."""
    return request.param


@pytest.fixture
def blobs():
    """Three classes of 20 points each in four dimensions, as (X, y): float32 and integer labels."""
    generator = np.random.default_rng(0)
    y = np.repeat(np.arange(3), 20)
    X = generator.normal(size=(60, 4)) + 2 * np.eye(4)[y]
    return X.astype(np.float32), y
