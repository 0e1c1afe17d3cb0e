"""Augmentation by the compiled kernel, on as many threads as are wanted (floor 5; imports numpy, kernels, data)."""

import numpy as np

from ...data.augmentation import SUBPIXELS, Augmentation, affine_maps, smoothing
from ...data.dataset import Dataset
from ...kernels import augmentation as kernels
from ...kernels.runtime.records import Images
from ..base import Array
from .compression import plain
from .threads import Team, available_threads

ROWS_FROM = 512
"""Images from which a thread of its own pays."""


def augment(augmentation: Augmentation, data: Dataset, key: int, first_name: int, threads: int) -> Array:
    """See `Engine.augment`."""
    images, rows = data.samples.dense, data.training_rows
    assert images is not None
    height, width = shape = augmentation.shape_of(data.samples.n_features)
    out = np.empty_like(images) if data.rows is None else images.copy()
    weights, factor = smoothing(augmentation)
    given = Images(
        images.dtype,
        **{"out": out, "images": plain(images), "height": height, "width": width, "rows": plain(rows)},
        **{"n_rows": len(rows), "names": rows + first_name, "key": key, "weights": weights, "taps": len(weights)},
        maps=affine_maps(augmentation, shape, key, rows + first_name),
        factor=factor,
        half=SUBPIXELS / 2 if images.dtype == np.uint8 else 0.0,
    )
    wanted = (threads and min(threads, available_threads())) or min(available_threads(), 1 + len(rows) // ROWS_FROM)
    own = [given.copy() for _ in range(wanted)]
    for each in own:
        each.enter(
            frame=np.zeros((height + 3) * (width + 3), images.dtype),
            memory=np.zeros(kernels.room(height, width, len(weights)), np.float32),
        )
    Team().run(kernels.augment, [each.handle for each in own])
    return out
