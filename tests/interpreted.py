"""What tests do less of: where kernels run as the Python they are written in (``NUMBA_DISABLE_JIT=1``), and where only
another version of Python, NumPy or Numba is new (``FASTMLP_FEW_EXAMPLES=1``).
"""

import os

import pytest

INTERPRETED = os.environ.get("NUMBA_DISABLE_JIT", "0") != "0"

FEW_EXAMPLES = os.environ.get("FASTMLP_FEW_EXAMPLES", "0") != "0"

needs_compiler = pytest.mark.skipif(INTERPRETED, reason="nothing is compiled with NUMBA_DISABLE_JIT")
too_long_for_python = pytest.mark.skipif(INTERPRETED, reason="minutes, where kernels run as Python")


def size(usual, tiny):
    """How much of something a test uses: usually, and where kernels take a thousand times as long."""
    return tiny if INTERPRETED else usual


def examples(usual, tiny):
    """How many examples hypothesis draws: `size`, or a fifth of the usual number."""
    return -(-usual // 5) if FEW_EXAMPLES and not INTERPRETED else size(usual, tiny)
