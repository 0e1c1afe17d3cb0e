"""Which units a dropout layer keeps, as a pure function of counters (floor 1; imports numpy).

No generator is carried along: the decision for a unit is a hash of (seed, epoch, layer, sample, unit). So it is the
same in both engines, for any number of threads and any batch size, and a training that was interrupted goes on with
the same bits. The hash is a 32-bit integer finalizer of the multiply and xor-shift kind (Wellons 2018, "lowbias32").
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Words = NDArray[np.uint32]

GOLDEN = 0x9E3779B9
"""2³² divided by the golden ratio: consecutive units land far apart before they are mixed."""


def mix(words: Words) -> Words:
    """Scramble 32-bit words so that every input bit moves every output bit.

    Parameters
    ----------
    words : ndarray of uint32

    Returns
    -------
    ndarray of uint32
        A bijection of the input.

    Examples
    --------
    >>> mix(np.array([0, 1], dtype=np.uint32))
    array([         0, 1753845952], dtype=uint32)
    """
    x = words ^ (words >> np.uint32(16))
    x = x * np.uint32(0x7FEB352D)
    x = x ^ (x >> np.uint32(15))
    x = x * np.uint32(0x846CA68B)
    mixed: Words = x ^ (x >> np.uint32(16))
    return mixed


def epoch_key(seed: int, epoch: int, layer: int) -> int:
    """Key of one layer in one epoch; a hash of the three.

    Parameters
    ----------
    seed : int
        Of the network; its low 32 bits count.
    epoch, layer : int
        Counted from 0.

    Returns
    -------
    int
        In [0, 2**32).
    """
    key = np.zeros(1, dtype=np.uint32)
    for word in (seed, epoch, layer):
        key = mix(key + np.uint32((word + GOLDEN) & 0xFFFFFFFF))
    return int(key[0])


def threshold(rate: float) -> int:
    """The hash below which a unit is dropped: ``rate`` of all 32-bit words."""
    return int(rate * 2.0**32)


def dropout_mask(key: int, rate: float, samples: NDArray[np.integer], units: int, dtype: np.dtype[Any]) -> Array:
    """Factors that a layer's activations are multiplied by.

    Inverted dropout (Srivastava et al. 2014): a unit is 0 with probability `rate`, else ``1 / (1 - rate)``, so that the
    expected activation is unchanged and prediction needs no correction.

    Parameters
    ----------
    key : int
        From `epoch_key`.
    rate : float in [0, 1)
    samples : ndarray of int, shape (n,)
        Row numbers in the data set.
    units : int
    dtype : dtype

    Returns
    -------
    ndarray, shape (n, units)

    Examples
    --------
    >>> dropout_mask(1, 0.5, np.arange(1), 6, np.dtype("float32"))
    array([[0., 2., 0., 0., 0., 0.]], dtype=float32)
    """
    rows = mix(np.asarray(samples).astype(np.uint32) ^ np.uint32(key))
    words = mix(rows[:, None] + np.arange(units, dtype=np.uint32)[None, :] * np.uint32(GOLDEN))
    return np.where(words >= np.uint32(threshold(rate)), 1.0 / (1.0 - rate), 0.0).astype(dtype)
