import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.engines.simd.workspace import describe_layers
from fastmlp.kernels import clipping
from fastmlp.kernels.runtime.records import Settings
from fastmlp.model import optimizers

from ..engines.problems import build, random_problem
from . import twins
from .calls import both_dtypes, from_python, random_numbers, run_both


def test_the_length_is_divided_alike():
    assert clipping.LEAST == optimizers.CLIP_EPSILON


@both_dtypes
@given(first=st.integers(0, 3), size=st.integers(0, 5))
def test_sum_of_squares(dtype, first, size):
    g = random_numbers(160, dtype)
    want = twins.sum_of_squares(g, 16 * first, 16 * size)
    assert from_python(clipping.sum_of_squares)(g, 16 * first, 16 * size) == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("clip_norm", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("bias", [True, False])
def test_clip(bias, clip_norm, dtype):
    architecture = build([9, 5, 3], dtype=dtype, bias=bias)
    w, g = (random_problem(architecture, 1, seed=seed).parameters for seed in (1, 2))
    layers = describe_layers(architecture)
    arguments = g, w, 2, layers, Settings(l1=0.01, l2=0.1, clip_norm=clip_norm)
    for got, want in zip(*run_both(clipping.clip, twins.clip, arguments), strict=True):
        np.testing.assert_allclose(got, want, rtol=0, atol=16 * np.finfo(dtype).eps)
