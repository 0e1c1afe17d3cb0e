"""Every kernel compiled ahead of its first use (floor 5; imports numpy, model, data)."""

import time

import numpy as np

from ...data.augmentation import Augmentation
from ...data.dataset import Dataset
from ...data.samples import Samples, Scaling
from ...model.architecture import Architecture
from . import lanes
from .augmenting import augment
from .compression import compress
from .engine import load
from .few_rows import FewRows

_PIXELS = np.dtype(np.uint8)
_SIDE = 3


def warm_up(dtype: str) -> dict[str, float]:
    """Call each entry of the kernels once for every type of argument that networks of a dtype give it.

    Returns
    -------
    dict
        Seconds by what the entry is for.
    """
    architecture = Architecture.build([_SIDE * _SIDE, 8, 2], dtype=dtype)
    images = {kind: np.ones((1, _SIDE * _SIDE), kind) for kind in (_PIXELS, architecture.dtype)}

    def sparse_rows() -> None:
        for image in images.values():
            compress(Samples(1, image.size, image, None), architecture.dtype, 1, np.arange(image.size), 0)

    def few_rows() -> None:
        FewRows(architecture, Scaling())(architecture.zeros(), images[architecture.dtype])

    def augmentation() -> None:
        for image in images.values():
            data = Dataset.of(architecture, Samples(1, image.size, image, None))
            augment(Augmentation(shift=1.0), data, 0, 0, 1)

    seconds = {}
    for what, call in (
        (f"conversion of dense rows to sparse ones, uint8 and {dtype}", sparse_rows),
        (f"training, evaluation and predictions, {dtype}", lambda: load(architecture)),
        (f"training of many small networks at once, {dtype}", lambda: lanes.load(architecture.dtype)),
        (f"predictions of a few rows, {dtype}", few_rows),
        (f"augmentation of images, uint8 and {dtype}", augmentation),
    ):
        start = time.perf_counter()
        call()
        seconds[what] = time.perf_counter() - start
    return seconds
