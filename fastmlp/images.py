"""A photograph, scan or drawing of a digit made into what MNIST is (floor 0; imports numpy and fastmlp.errors, and
Pillow where a file has to be read).
"""

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray


def as_digit(image: "str | os.PathLike[str] | bytes | NDArray[Any] | Any", *, name: str = "image") -> NDArray[np.uint8]:
    """Make a picture of one digit into what MNIST is: bright ink on black, 28 by 28.

    Parameters
    ----------
    image : path, bytes, PIL image, or array_like of shape (h, w), (h, w, 3) or (h, w, 4)
        Arrays are uint8, or float in [0, 1]; Pillow is not used for them.
    name : str, default "image"
        What messages call it.

    Returns
    -------
    ndarray of uint8, shape (28, 28)
        Ink is bright.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        An image that is blank or too large, or something that is no image.
    DataFileError
        The file is missing, or no image.
    MissingDependencyError
        A file or bytes were given, and Pillow is not installed.
    """
    raise NotImplementedError
