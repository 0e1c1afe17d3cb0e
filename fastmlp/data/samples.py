"""What `fit` was given, as the engines want it (floor 4; imports numpy, checks, errors).

Samples stay in the form they came in: dense rows of uint8 or floats, or compressed sparse rows (CSR), with the scaling
of the features beside them. So a matrix of pixels is never blown up into floats; an engine scales the rows of a batch.
"""

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import check_unmasked, objects_as_floats
from ..errors import ArgumentError, ArgumentTypeError
from .memory_map import blocks, is_mapped, take
from .sharing import Once
from .sparse import SparseRows, as_sparse_rows
from .statistics import mean_and_deviation, sparse_mean_and_deviation, sparse_range
from .weights import as_sample_weights

Array = NDArray[Any]

_ROWS_AT_A_TIME = 4096

FOUND_ON = ("", "pixels", "fractions")
"""What "auto" may have found a scaling on; see `Scaling`."""


@dataclass(frozen=True)
class Scaling:
    """Linear scaling of each feature: the network sees ``(x - centre) * scale + shift``.

    Parameters
    ----------
    scale, shift : float or ndarray of shape (n_features,), default 1.0 and 0.0
    centre : float or ndarray of shape (n_features,), default 0.0
        What is subtracted first. A mean belongs here rather than into `shift`: where it is many deviations,
        ``x * scale`` is large, and adding ``-mean * scale`` would cancel the digits that matter.
    found_on : {"", "pixels", "fractions"}, default ""
        What "auto" found it on, where samples of another kind would be scaled wrongly and are refused: uint8 pixels, or
        numbers with fractions or none beyond ±1. Empty for a scaling that somebody chose, which takes all samples.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        A field that is neither one finite number nor one per feature, or fields for different numbers of features.

    Examples
    --------
    >>> Scaling.pixels().apply(np.array([[0, 255]], dtype=np.uint8))
    array([[0., 1.]])
    >>> Scaling(2.0, centre=1e9).apply(np.array([[1e9, 1e9 + 1]]))
    array([[0., 2.]])
    """

    scale: float | Array = 1.0
    shift: float | Array = 0.0
    centre: float | Array = field(default=0.0, kw_only=True)
    found_on: str = field(default="", compare=False, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.found_on, str) or self.found_on not in FOUND_ON:
            raise ArgumentError(f"found_on of a Scaling must be one of {FOUND_ON}, got {self.found_on!r}")
        for name in ("scale", "shift", "centre"):
            try:
                given = np.asarray(getattr(self, name))
                if given.dtype.kind not in "iufO":  # dates and truth values would become numbers
                    raise TypeError
                value = given.astype(np.float64)
            except (TypeError, ValueError, OverflowError):
                raise ArgumentTypeError(
                    f"{name} of a Scaling must be a number, or one per feature; got {getattr(self, name)!r}"
                ) from None
            if value.ndim > 1 or value.size == 0 or not np.isfinite(value).all():
                raise ArgumentError(f"{name} of a Scaling must be one finite number, or one per feature; got {value!r}")
            object.__setattr__(self, name, float(value) if value.ndim == 0 else value)
        if len(self._lengths()) > 1:
            raise ArgumentError(f"fields of a Scaling must be for the same features; got lengths {self._lengths()}")

    def _lengths(self) -> list[int]:
        return sorted({len(value) for value in (self.scale, self.shift, self.centre) if isinstance(value, np.ndarray)})

    @classmethod
    def pixels(cls, low: float = 0.0, high: float = 1.0) -> "Scaling":
        """Map pixels from 0..255 to the range from `low` to `high`."""
        return cls((high - low) / 255.0, low)

    @classmethod
    def standardize(cls, X: Any, sample_weight: Any = None) -> "Scaling":
        """Give every feature of `X`, shape (n_samples, n_features), zero mean and unit variance.

        A constant feature only loses its mean.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features), or Samples
            As in `Network.fit`.
        sample_weight : array_like, shape (n_samples,), optional
            Mean and variance are weighted: whole numbers are as good as repeated rows, and a row of weight 0 counts
            for nothing. By default all rows count alike.

        Raises
        ------
        ArgumentError, ArgumentTypeError
            `X` or `sample_weight` is not what `Network.fit` takes, or a feature is too large to square.

        Examples
        --------
        >>> Scaling.standardize([[1.0], [3.0], [500.0]], sample_weight=[1, 1, 0]).apply(np.array([[1.0], [3.0]]))
        array([[-1.],
               [ 1.]])
        """
        samples = X if isinstance(X, Samples) else as_samples(X)
        weights = as_sample_weights(sample_weight, samples.n_rows, np.dtype(np.float64))
        if samples.sparse is not None:
            mean, deviation = sparse_mean_and_deviation(samples.sparse, samples.n_features, weights)
        else:
            mean, deviation = mean_and_deviation(samples.raw, samples.n_rows, samples.n_features, weights)
        return cls(1.0 / deviation, centre=mean)

    @property
    def changes_nothing(self) -> bool:
        """Whether the scaling leaves all features unchanged."""
        return bool(np.all(self.scale == 1) and not np.any(self.shift) and not np.any(self.centre))

    def then(self, other: "Scaling") -> "Scaling":
        """Return the scaling that applies this one, then `other`.

        Raises
        ------
        ArgumentError
            They are for different numbers of features.

        Examples
        --------
        >>> Scaling(centre=5.0).then(Scaling(0.5))
        Scaling(scale=0.5, shift=0.0, centre=5.0)
        """
        if len({*self._lengths(), *other._lengths()}) > 1:
            raise ArgumentError(
                f"scalings of {self._lengths()[0]} and {other._lengths()[0]} features don't fit together"
            )
        if np.all(self.scale == 1) and not np.all(other.scale == 1):
            # What was only moved until now is moved before: to multiply first would cancel digits.
            return Scaling(other.scale, other.shift, centre=self.centre - self.shift + other.centre)
        shift = (self.shift - other.centre) * other.scale + other.shift
        return Scaling(self.scale * other.scale, shift, centre=self.centre)

    def rounded(self, dtype: np.dtype[Any]) -> "Scaling":
        """Return the same scaling for arithmetic in `dtype`: what rounding takes from `centre` goes into `shift`.

        Examples
        --------
        >>> Scaling(10.0, centre=2.0**24 + 1).rounded(np.dtype(np.float32))
        Scaling(scale=10.0, shift=-10.0, centre=16777216.0)
        """
        if isinstance(self.centre, float) and self.centre == 0:  # asked for with every batch
            return self
        with np.errstate(over="ignore"):
            centre = np.asarray(self.centre).astype(dtype).astype(np.float64)
        if not np.isfinite(centre).all() or (centre == self.centre).all():
            return self
        return replace(self, shift=self.shift - (self.centre - centre) * self.scale, centre=centre)

    def vectors(self, n_features: int, dtype: np.dtype[Any]) -> tuple[Array, Array, Array]:
        """Scale, shift and centre of the `rounded` scaling as vectors of shape (n_features,), to be read only.

        Raises
        ------
        ArgumentError
            They are vectors of another length, or `dtype` cannot hold them.
        """
        made = self.__dict__.get("_made")
        # Asked for with every call, by small networks too.
        if made is None or made[0] != n_features or made[1] != dtype:
            rounded = self.rounded(dtype)
            vectors = tuple(rounded._vector(name, n_features, dtype) for name in ("scale", "shift", "centre"))
            made = n_features, dtype, vectors
            self.__dict__["_made"] = made
        scale, shift, centre = made[2]
        return scale, shift, centre

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_made"}

    def apply(self, X: Array, dtype: Any = np.float64) -> Array:
        """Return the scaled rows, shape as `X`, in `dtype`; float64 rows are rounded to it after they were scaled."""
        finest = np.result_type(X.dtype, dtype) if X.dtype.kind == "f" else np.dtype(dtype)
        rounded, n_features, rows = self.rounded(finest), X.shape[-1], X.astype(finest)
        if np.any(rounded.centre):
            rows -= rounded._vector("centre", n_features, finest)
        scale, shift = (rounded._vector(name, n_features, finest) for name in ("scale", "shift"))
        scaled: Array = (rows * scale + shift).astype(dtype, copy=False)
        return scaled

    def _vector(self, name: str, n_features: int, dtype: np.dtype[Any]) -> Array:
        value = np.asarray(getattr(self, name))
        if value.shape not in ((), (n_features,)):
            raise ArgumentError(f"scaling has {value.shape[0]} features, but X has {n_features}")
        too_large = np.abs(value) > np.finfo(dtype).max
        if too_large.any():
            raise ArgumentError(
                f"{name} of the scaling is {value[too_large][0]:g}, which {dtype} cannot hold: the features are far "
                "from unit size; give them in other units, or make the network with dtype='float64'"
            )
        return np.ascontiguousarray(np.broadcast_to(value.astype(dtype), (n_features,)))


AS_THEY_ARE, PIXELS = Scaling(), Scaling.pixels()
"""Scalings of samples for which nobody chose one: of numbers, and of uint8."""


@dataclass(frozen=True)
class Samples:
    """The rows of a data set.

    Attributes
    ----------
    n_rows, n_features : int
    dense : ndarray of uint8, float32 or float64, shape (n_rows, n_features), or None
        C-contiguous, perhaps read-only or memory-mapped.
    sparse : SparseRows or None
        One of the two is there.
    scaling : Scaling
    picked : ndarray of int or None
        Of a memory-mapped table, which stays where it is, the rows that are the samples; None for all.
    unchecked : bool
        Whether there may be numbers that are not finite.
    forms : Once
        What engines make of these samples: all that train on them share it, and it goes with them.
    """

    n_rows: int
    n_features: int
    dense: Array | None
    sparse: SparseRows | None
    scaling: Scaling = AS_THEY_ARE
    picked: NDArray[np.integer[Any]] | None = None
    unchecked: bool = False
    forms: Once = field(default_factory=Once, init=False, repr=False, compare=False)

    @property
    def mapped(self) -> bool:
        """Whether the samples are dense rows in a file."""
        return is_mapped(self.dense)

    def raw(self, rows: Any) -> Array:
        """Rows as they came, dense; `rows` is a slice or an array of row numbers. Of a file they are a copy."""
        if self.dense is not None:
            if not self.mapped:
                return np.asarray(self.dense[rows])
            return take(self.dense, (np.arange(self.n_rows) if self.picked is None else self.picked)[rows])
        assert self.sparse is not None
        return self.sparse.dense(np.arange(self.n_rows)[rows], self.n_features)

    def stored(self) -> Array:
        """All values that are held: those of the table, or the sparse rows' own."""
        if self.dense is not None:
            return self.dense
        assert self.sparse is not None
        return self.sparse.values

    def take(self, rows: NDArray[np.integer[Any]]) -> "Samples":
        """Rows of these numbers as a data set of its own, as sparse as this one, or as much on disk."""
        if self.mapped:
            return replace(self, n_rows=len(rows), picked=rows if self.picked is None else self.picked[rows])
        dense = None if self.dense is None else np.ascontiguousarray(self.dense[rows])
        sparse = None if self.sparse is None else self.sparse.take(rows)
        return replace(self, n_rows=len(rows), dense=dense, sparse=sparse)

    def rows(self, rows: Any, dtype: np.dtype[Any]) -> Array:
        """Rows as the network sees them: dense and scaled, in `dtype`."""
        return self.scaling.apply(self.raw(rows), dtype)

    def density(self, rows: int = 512) -> float:
        """Share of the values that are not zero, measured on some `rows` rows spread over the data set."""
        if self.sparse is not None:
            return len(self.sparse.values) / max(1, self.n_rows * self.n_features)
        block = self._some(rows)
        # Compared first: NumPy counts what is true several times faster than what is a float.
        return float(np.count_nonzero(block != 0)) / max(1, block.size)

    def densities(self, rows: int = 512) -> NDArray[np.float64]:
        """The same for every feature, shape (n_features,), measured on some rows in any case."""
        if self.sparse is not None:
            some = self.sparse.take(np.arange(0, self.n_rows, max(1, self.n_rows // rows)))
            there = np.bincount(some.columns[some.values != 0], minlength=self.n_features)
            return there / max(1, len(some.starts) - 1)
        return np.asarray((self._some(rows) != 0).mean(axis=0), dtype=np.float64)

    def _some(self, rows: int) -> Array:
        return self.raw(slice(None, None, max(1, self.n_rows // rows)))


def as_samples(
    X: Any,
    n_features: int | None = None,
    scaling: Scaling | None = None,
    name: str = "X",
    dtype: np.dtype[Any] | None = None,
    later: bool = False,
) -> Samples:
    """Check what a user gave as samples, and wrap it without copying where that is possible.

    Parameters
    ----------
    X : array_like, shape (n_samples, n_features)
        An array (float32, float64, uint8; other numbers become floats), a list of rows, a DataFrame, a SciPy sparse
        matrix, a memory map. Images of shape (n, height, width) are taken as rows of pixels.
    n_features : int, optional
        How many are expected.
    scaling : Scaling, optional
        By default uint8 pixels go to [0, 1] and all else stays as it is.
    name : str, default "X"
        Of the argument, for error messages.
    dtype : dtype, optional
        Of the network: values and scaling must fit into it. By default nobody computes with less than the values' own.
    later : bool, default False
        Leave it to the caller to look with `check_finite` for numbers that are not finite, where that takes a pass over
        a table in memory: such samples are `unchecked`.

    Returns
    -------
    Samples

    Raises
    ------
    ArgumentError
        Not two-dimensional, no rows, another number of features, NaN, infinity or numbers that `dtype` cannot hold
        among the values, masked values, a damaged sparse matrix, or values of another kind than `scaling` was found on.
    ArgumentTypeError
        Not numbers.

    Examples
    --------
    >>> as_samples([[0.0, 1.0]]).n_features
    2
    """
    rows, width = as_sparse_rows(X, name) if hasattr(X, "tocsr") else (None, 0)
    given = _as_table(X, name) if rows is None else rows.values
    values = _as_numbers(given, name)
    if scaling is None:
        scaling = PIXELS if values.dtype == np.uint8 else AS_THEY_ARE
    if rows is None:
        values = np.ascontiguousarray(values)
        unchecked = later and values.dtype == dtype and not is_mapped(values)
        samples = Samples(values.shape[0], values.shape[1], values, None, scaling, unchecked=unchecked)
    else:
        samples = Samples(len(rows.starts) - 1, width, None, replace(rows, values=values), scaling)
    if samples.n_rows == 0:
        raise ArgumentError(f"{name} has no rows; at least one sample is needed")
    if n_features is not None and samples.n_features != n_features:
        raise ArgumentError(
            f"{name} has {samples.n_features} features, but the network was built for {n_features} inputs"
            f"{_shape_hint(X, n_features, name)}"
        )
    if not samples.unchecked:
        check_finite(samples, name, dtype)
    scaling.vectors(samples.n_features, np.dtype(np.float64) if dtype is None else dtype)  # raises where it doesn't fit
    _check_kind(values, given.dtype.kind in "fO", scaling, name)
    return samples


def plain_dtypes(scaling: Scaling, dtype: np.dtype[Any]) -> tuple[np.dtype[Any], ...]:
    """Return the dtypes of dense rows that a network of `dtype` takes without a conversion that may fail, and without a
    look at all values for those that the scaling refuses.
    """
    pixels = np.dtype(np.uint8)
    return {"pixels": (pixels,), "fractions": (dtype,)}.get(scaling.found_on, (dtype, pixels))


def found_scaling(samples: Samples) -> Scaling:
    """Return the scaling of samples that "auto" was resolved on, with what later samples are held against."""
    values = samples.stored()
    if values.dtype == np.uint8:
        found_on = "pixels" if any((block > 1).any() for _, block in blocks(values)) else ""
    else:
        found_on = "fractions" if _has_fractions(values) else ""
    return replace(samples.scaling, found_on=found_on)


def _has_fractions(values: Array) -> bool:
    """Whether there are numbers with fractions, or none beyond ±1: those of pixels that were scaled already."""
    largest = 0.0
    for _, block in blocks(values):
        if (block != np.floor(block)).any():
            return True
        largest = max(largest, float(np.abs(block).max(initial=0)))
    return largest <= 1


def _check_kind(values: Array, floats: bool, scaling: Scaling, name: str) -> None:
    """Say so when samples are of another kind than those that "auto" found its scaling on."""
    if scaling.found_on == "fractions" and values.dtype == np.uint8:
        raise ArgumentError(
            f"{name} is uint8, but the network was trained on numbers with fractions, or from -1 to 1; scale {name} "
            f"as the training samples were (pixels often are {name} / 255) and give it as floats, or train on uint8 "
            "with Network(..., scaling='pixels')"
        )
    if scaling.found_on == "pixels" and floats and values.size:
        ranges = [(float(block.min()), float(block.max())) for _, block in blocks(values)]
        low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
        if low < 0 or 0 < high <= 1:
            raise ArgumentError(
                f"{name} looks already scaled (from {low:g} to {high:g}), but the network was trained on uint8 pixels "
                f"and scales them itself; give {name} as pixels from 0 to 255, or make the network with a scaling of "
                "your choice, such as Network(..., scaling=None), and train it on samples that are scaled alike"
            )


def _shape_hint(X: Any, n_features: int, name: str) -> str:
    """Say what to write where somebody gave one sample, or samples as columns."""
    shape = tuple(np.shape(X))
    if math.prod(shape) == n_features:
        return f"; for one sample of shape {shape} give {name}.reshape(1, -1)"
    return f"; samples are rows: give {name}.T" if len(shape) == 2 and shape[0] == n_features else ""


def _as_table(X: Any, name: str) -> Array:
    check_unmasked(X, name)
    try:
        array = np.asarray(X)
    except ValueError as error:
        raise ArgumentError(
            f"{name} must be a table of numbers: rows of the same length; NumPy says: {error}"
        ) from None
    if array.ndim == 3:
        array = array.reshape(len(array), math.prod(array.shape[1:]))
    if array.ndim != 2:
        hint = f"; for one sample give {name}.reshape(1, -1)" if array.ndim == 1 else ""
        hint = f"; for images give {name}.reshape(len({name}), -1)" if array.ndim > 3 else hint
        raise ArgumentError(f"{name} must be two-dimensional, (n_samples, n_features); got shape {array.shape}{hint}")
    return array


def _as_numbers(array: Array, name: str) -> Array:
    if array.dtype in (np.uint8, np.float32, np.float64) and array.dtype.isnative:
        return array
    if array.dtype == object:
        return objects_as_floats(array, name)
    if array.dtype.kind == "f":
        return array.astype(np.float32 if array.dtype.itemsize <= 4 else np.float64)
    if array.dtype.kind in "iub":
        return array.astype(np.float32 if array.dtype.itemsize <= 2 else np.float64)
    raise ArgumentTypeError(
        f"{name} must hold numbers, got dtype {array.dtype}; encode text and dates as numbers first"
    )


def check_finite(samples: Samples, name: str, dtype: np.dtype[Any] | None) -> None:
    """Say so when a number is not finite, or `dtype` cannot hold it; see `as_samples`."""
    values = samples.stored()
    if values.dtype.kind != "f":
        return
    narrow = dtype is not None and dtype.itemsize < values.dtype.itemsize
    for first, block in blocks(values):
        with np.errstate(over="ignore", invalid="ignore"):
            # A sum is finite only if all numbers are, and takes a quarter of the time that a look at each does.
            if not narrow and np.isfinite(block.sum()):
                continue
        bad = ~(np.abs(block) <= np.finfo(dtype).max) if narrow and dtype is not None else ~np.isfinite(block)
        if bad.any():
            place = tuple(np.argwhere(bad)[0])
            raise _unfit(samples, name, (first + place[0], *place[1:]), dtype)


def _unfit(samples: Samples, name: str, place: tuple[int, ...], dtype: np.dtype[Any] | None) -> ArgumentError:
    value = samples.stored()[place]
    if samples.sparse is not None:
        row = int(np.searchsorted(samples.sparse.starts, place[0], side="right")) - 1
        place = (row, samples.sparse.columns[place[0]])
    where = f"the value at row {place[0]}, column {place[1]} is {value}"
    if np.isfinite(value):
        return ArgumentError(
            f"{name} must fit into {dtype}, but {where}; give such features in other units, or make the network with "
            "dtype='float64'"
        )
    return ArgumentError(f"{name} must be finite, but {where}; drop such rows or fill in the missing values first")


def memory_range(samples: Samples, rows: int = _ROWS_AT_A_TIME) -> tuple[float, float]:
    """Smallest and largest scaled value among the first `rows` rows, for messages."""
    if samples.sparse is None:
        with np.errstate(over="ignore"):
            block = samples.rows(slice(0, rows), np.dtype(np.float64))
        return float(block.min()), float(block.max())
    n_rows = min(rows, samples.n_rows)
    stop = samples.sparse.starts[n_rows]
    columns, values = samples.sparse.columns[:stop], samples.sparse.values[:stop]
    zeros = n_rows - np.bincount(columns, minlength=samples.n_features)
    with np.errstate(over="ignore"):
        least, largest = samples.scaling.apply(np.stack(sparse_range(columns, values, zeros)))
    # A negative scale turns a feature's range around.
    return float(min(least.min(), largest.min())), float(max(least.max(), largest.max()))


def is_of_pixels(scaling: Any) -> bool:
    """Whether a network with this scaling was trained on pixels from 0 to 255, rather than on fractions of them.

    A scaling that was given or measured, rather than found, tells by its size: what divides by some hundred, or by a
    deviation of some dozen, is meant for 0 to 255.

    Examples
    --------
    >>> is_of_pixels(Scaling.pixels()), is_of_pixels(Scaling(2.0))
    (True, False)
    """
    if not isinstance(scaling, Scaling):
        return True
    return float(np.median(scaling.scale)) < 0.1 if not scaling.found_on else scaling.found_on == "pixels"
