"""The built-in MNIST, and `Dataset`, the form in which every data set is returned (floor 3; imports numpy, errors).

The archive beside this file is made by `build_mnist.py`; its licence is in `MNIST-LICENSE.md`.
"""

from __future__ import annotations

import contextlib
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.errors import ArgumentError, ArgumentTypeError, DataFileError


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Dataset:
    """Training and test samples with their labels.

    Unpacks as ``X_train, y_train, X_test, y_test``. The fields cannot be replaced; their arrays can be written to.

    Attributes
    ----------
    X_train : ndarray of shape (n_train, n_features)
        Training samples, one a row.
    y_train : ndarray of shape (n_train,) or (n_train, n_outputs)
        Their labels or targets.
    X_test : ndarray of shape (n_test, n_features)
        Test samples; of shape (0, n_features) where a data set has none.
    y_test : ndarray of shape (n_test,) or (n_test, n_outputs)
        Their labels or targets.

    Raises
    ------
    ArgumentTypeError
        If a field is not an array.
    ArgumentError
        If samples and labels differ in number, or training and test rows differ in shape.

    Examples
    --------
    >>> import numpy as np
    >>> data = Dataset(np.zeros((3, 2)), np.array([0, 1, 0]), np.zeros((1, 2)), np.array([1]))
    >>> data
    Dataset(3 training and 1 test samples of 2 float64 features, 2 classes)
    >>> X_train, y_train, X_test, y_test = data
    """

    X_train: NDArray[Any]
    y_train: NDArray[Any]
    X_test: NDArray[Any]
    y_test: NDArray[Any]

    def __post_init__(self) -> None:
        """Check that the four arrays belong together."""
        for name, value in zip(self.__slots__, self, strict=True):
            if not getattr(value, "shape", None) or not hasattr(value, "dtype"):
                raise ArgumentTypeError(
                    f"{name} must be an array with a row for each sample, not {type(value).__name__}; "
                    f"convert it with numpy.asarray({name})"
                )
        for part in ("train", "test"):
            X, y = getattr(self, f"X_{part}"), getattr(self, f"y_{part}")
            if X.shape[0] != y.shape[0]:
                raise ArgumentError(
                    f"X_{part} has {X.shape[0]} samples but y_{part} has {y.shape[0]} labels; "
                    "give one label for each sample"
                )
        for letter in ("X", "y"):
            train, test = getattr(self, f"{letter}_train"), getattr(self, f"{letter}_test")
            if train.shape[1:] != test.shape[1:]:
                raise ArgumentError(
                    f"rows of {letter}_train have the shape {train.shape[1:]} but rows of {letter}_test "
                    f"{test.shape[1:]}; training and test rows must have the same shape"
                )

    def __iter__(self) -> Iterator[NDArray[Any]]:
        """Yield ``X_train, y_train, X_test, y_test``."""
        yield self.X_train
        yield self.y_train
        yield self.X_test
        yield self.y_test

    def __repr__(self) -> str:
        """Say in one line how many samples of what there are."""
        features = " x ".join(str(size) for size in self.X_train.shape[1:]) or "1"
        return (
            f"Dataset({len(self.y_train):,} training and {len(self.y_test):,} test samples of {features} "
            f"{self.X_train.dtype} features, {self._describe_labels()})"
        )

    def _describe_labels(self) -> str:
        y = self.y_train
        if y.ndim > 1:
            return f"{' x '.join(str(size) for size in y.shape[1:])} {y.dtype} targets a sample"
        # Labels of these kinds can always be sorted, so that a repr never raises.
        if y.dtype.kind in "biuSU" and y.dtype.kind == self.y_test.dtype.kind:
            return f"{len(np.union1d(y, self.y_test))} classes"
        return f"{y.dtype} targets"


def load_mnist() -> Dataset:
    """Load MNIST, which comes with fastmlp: no download, no cache.

    Returns
    -------
    Dataset
        ``X_train`` uint8 (60000, 784), ``y_train`` int64 (60000,), ``X_test`` uint8 (10000, 784), ``y_test`` int64
        (10000,), in the order of the original files. A row is a 28 x 28 image, row by row; 0 is background, 255 ink.
        The arrays are new on every call and belong to the caller.

    Raises
    ------
    DataFileError
        If the archive is missing from the installation or damaged.

    Notes
    -----
    MNIST by Yann LeCun and Corinna Cortes, CC BY-SA 3.0. Described in LeCun, Bottou, Bengio and Haffner,
    "Gradient-based learning applied to document recognition", Proceedings of the IEEE, 1998.

    Examples
    --------
    >>> digits = load_mnist()
    >>> digits
    Dataset(60,000 training and 10,000 test samples of 784 uint8 features, 10 classes)
    >>> digits.y_train[:5]
    array([5, 0, 4, 1, 9])
    """
    with _archive() as arrays:
        return Dataset(
            X_train=arrays["X_train"],
            y_train=arrays["y_train"].astype(np.int64),
            X_test=arrays["X_test"],
            y_test=arrays["y_test"].astype(np.int64),
        )


def in_order_of_mnist(y_train: NDArray[Any]) -> bool:
    """Tell whether training labels are those of MNIST in the order of the original files, which is a random one.

    Raises
    ------
    DataFileError
        As `load_mnist`.
    """
    if np.shape(y_train) != (60_000,):
        return False
    with _archive() as arrays:
        return np.array_equal(arrays["y_train"], y_train)


@contextlib.contextmanager
def _archive() -> Iterator[Any]:
    """Open the archive, and say so where it can't be read."""
    archive = resources.files("fastmlp.datasets").joinpath("mnist.npz")
    try:
        with archive.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            yield arrays
    # All that a missing, cut or altered archive can raise.
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataFileError(
            f"{archive}: cannot be read as the MNIST archive of fastmlp ({error}); install fastmlp again"
        ) from error
