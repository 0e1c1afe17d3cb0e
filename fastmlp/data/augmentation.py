"""Images moved, turned and bent a little, anew in every epoch (floor 4; imports numpy, checks, errors, model).

What is done to an image is a pure function of counters, as in `fastmlp.model.dropout`: hashes of (seed, epoch, sample).
So it is the same for any number of threads, and a training that was interrupted goes on with the same bits. And it is
the same in both engines, since positions are whole numbers: of 1/65536 of a pixel, and of 1/256 where two pixels mix.
Of uint8 images both engines make the same bits, of floats the same up to rounding.

`augmented` is the specification, in NumPy; `fastmlp.kernels.augmentation` is its compiled twin.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import check_number, check_whole
from ..errors import ArgumentError, ArgumentTypeError, unknown_name
from ..model.dropout import GOLDEN, epoch_key, mix

Array = NDArray[Any]
Whole = NDArray[np.int64]

PURPOSE = 0xFFFFFFFF
"""What stands in the place of the layer's number in the key of an epoch (`fastmlp.model.dropout.epoch_key`)."""

FIRST_OF_FIELD = 8
"""Number of the first hash of a displacement field; the six before it move the image as a whole."""

SUBPIXELS = 2**16
"""Parts of a pixel in which positions are counted."""

WEIGHTS = 2**12
"""What the weights of the smoothing sum to. They are whole numbers, and so are the noise and all sums, below 2**24:
exact in float32 in any order."""

MIDWAY = 2**8
"""By which the sums of the smoothing along rows are divided, to whole numbers, before those along columns are made."""

NOISE = 255
"""The noise to be smoothed is an odd number from minus to plus this, in the place of -1 to 1."""

LARGEST_SIDE = 1024
_ROWS_AT_A_TIME = 512


def _check(value: object, name: str, low: float, high: float) -> float:
    number = check_number(value, f"{name} of an Augmentation")
    if not low <= number <= high:
        raise ArgumentError(f"{name} of an Augmentation must lie between {low} and {high}, got {number!r}")
    return number


def _pair(value: Any, name: str, expected: str) -> tuple[Any, Any]:
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise ArgumentTypeError(f"{name} of an Augmentation must be a pair {expected}, got {value!r}")
    return value[0], value[1]


@dataclass(frozen=True)
class Augmentation:
    """Random shifts, rotations, scaling, shear and elastic distortions of images.

    Each amount is drawn uniformly, from minus to plus the number given.

    Parameters
    ----------
    shift : float >= 0, default 0.0
        In pixels, to the side and up or down.
    rotation : float in [0, 180], default 0.0
        In degrees.
    scale : float in [0, 1), default 0.0
        Width and height are each multiplied by 1 plus a number up to this.
    shear : float in [0, 90), default 0.0
        In degrees, by which upright lines come to lean.
    elastic : tuple (alpha, sigma) or None, default None
        Elastic distortion (Simard, Steinkraus and Platt 2003): every pixel is displaced by `alpha` times noise, even
        in [-1, 1] for each pixel and direction, that was smoothed by a Gaussian of standard deviation `sigma` pixels,
        cut off at 3 `sigma`. The displacements' own standard deviation is about ``0.163 * alpha / sigma`` pixels:
        1.4 for the paper's (34, 4). `alpha` lies in [0, 1000], `sigma` in [0.5, 32].
    image_shape : tuple (height, width) or None, default None
        Of the images that the rows are; None for squares. At most 1024 each.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        A number out of its range, or no number.

    Notes
    -----
    What comes in from outside of an image is 0. Between pixels, values are interpolated bilinearly.

    Examples
    --------
    >>> image = np.zeros((1, 28, 28), dtype=np.uint8)
    >>> image[0, 4:24, 13:15] = 255
    >>> moved = Augmentation(shift=2.0, rotation=15.0, scale=0.1, elastic=(34.0, 4.0))(image, seed=1)
    >>> moved.shape, moved.dtype
    ((1, 28, 28), dtype('uint8'))
    """

    shift: float = 0.0
    rotation: float = 0.0
    scale: float = 0.0
    shear: float = 0.0
    elastic: tuple[float, float] | None = None
    image_shape: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        _check(self.shift, "shift", 0, LARGEST_SIDE)
        _check(self.rotation, "rotation", 0, 180)
        if _check(self.scale, "scale", 0, 1) == 1:
            raise ArgumentError("scale of an Augmentation must lie below 1, where an image would vanish; got 1")
        if _check(self.shear, "shear", 0, 90) == 90:
            raise ArgumentError("shear of an Augmentation must lie below 90 degrees, got 90")
        if self.elastic is not None:
            alpha, sigma = _pair(self.elastic, "elastic", "(alpha, sigma), such as (34.0, 4.0)")
            _check(alpha, "alpha in elastic", 0, 1000)
            _check(sigma, "sigma in elastic", 0.5, 32)
            object.__setattr__(self, "elastic", (alpha, sigma))  # a list could not be hashed
        if self.image_shape is not None:
            for side in _pair(self.image_shape, "image_shape", "(height, width)"):
                check_whole(side, "a side in image_shape", 1, LARGEST_SIDE)

    def __str__(self) -> str:
        """Return what is done, in words: ``"shift 2 px, rotation 15°"``."""
        parts = [
            f"{name} {getattr(self, name):g}{unit}"
            for name, unit in (("shift", " px"), ("rotation", "°"), ("scale", ""), ("shear", "°"))
            if getattr(self, name)
        ]
        if self.elastic is not None:
            parts.append(f"elastic alpha {self.elastic[0]:g}, sigma {self.elastic[1]:g}")
        return ", ".join(parts) or "nothing"

    def shape_of(self, n_features: int) -> tuple[int, int]:
        """Height and width of images of so many pixels.

        Raises
        ------
        ArgumentError
            They are no squares, and `image_shape` does not say what else; or it says something else.

        Examples
        --------
        >>> Augmentation(shift=1.0).shape_of(784)
        (28, 28)
        """
        if self.image_shape is None:
            side = math.isqrt(n_features)
            if side * side != n_features or side > LARGEST_SIDE:
                raise ArgumentError(
                    f"augment needs images, but {n_features} features make no square of at most {LARGEST_SIDE} by "
                    f"{LARGEST_SIDE} pixels; say what they are with Augmentation(..., image_shape=(height, width))"
                )
            return side, side
        height, width = self.image_shape
        if height * width != n_features:
            raise ArgumentError(
                f"image_shape {self.image_shape} of the Augmentation makes {height * width} pixels, but samples have "
                f"{n_features} features"
            )
        return height, width

    def __call__(self, images: Any, *, seed: int = 0, epoch: int = 0) -> Array:
        """Return the images as a network of this seed sees them in this epoch of its life.

        Parameters
        ----------
        images : array_like, shape (n, height * width) or (n, height, width)
            uint8 or floats; ink on a background of 0.
        seed, epoch : int, default 0

        Returns
        -------
        ndarray
            In the shape and dtype of `images`.
        """
        given = np.asarray(images)
        if given.ndim not in (2, 3) or given.dtype not in (np.uint8, np.float32, np.float64):
            raise ArgumentError(
                "images must be uint8, float32 or float64 of shape (n, pixels) or (n, height, width), got "
                f"{given.dtype} of shape {given.shape}"
            )
        n_pixels = math.prod(given.shape[1:])
        shape = given.shape[1:] if given.ndim == 3 and self.image_shape is None else self.shape_of(n_pixels)
        flat = given.reshape(len(given), n_pixels)
        key = epoch_key(seed, epoch, PURPOSE)
        return augmented(self, flat, (int(shape[0]), int(shape[1])), key, np.arange(len(flat))).reshape(given.shape)


AUGMENTATIONS: dict[str, Augmentation] = {
    "digits": Augmentation(shift=2.0, rotation=12.0, scale=0.12, shear=8.0, elastic=(34.0, 4.0)),
    "elastic": Augmentation(elastic=(34.0, 4.0)),
}
"""What `get_augmentation` knows by name: all that handwriting does, and the elastic distortion of the paper alone."""


def get_augmentation(augment: "str | Augmentation") -> Augmentation:
    """Return the augmentation of this name, or the one given.

    Parameters
    ----------
    augment : str or Augmentation
        One of `AUGMENTATIONS`, or an object.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        An unknown name, or something else altogether.

    Examples
    --------
    >>> get_augmentation("elastic")
    Augmentation(shift=0.0, rotation=0.0, scale=0.0, shear=0.0, elastic=(34.0, 4.0), image_shape=None)
    """
    if isinstance(augment, Augmentation):
        return augment
    if not isinstance(augment, str):
        raise ArgumentTypeError(
            f"augment must be a name ({', '.join(AUGMENTATIONS)}) or an Augmentation such as "
            f"Augmentation(shift=2.0, rotation=15.0), got {augment!r}"
        )
    if augment not in AUGMENTATIONS:
        raise unknown_name("augmentation", augment, AUGMENTATIONS)
    return AUGMENTATIONS[augment]


def augmented(
    augmentation: Augmentation, images: Array, shape: tuple[int, int], key: int, names: NDArray[np.integer[Any]]
) -> Array:
    """Move, turn and bend images: the specification.

    Parameters
    ----------
    augmentation : Augmentation
    images : ndarray of uint8 or float, shape (n, height * width)
    shape : tuple (height, width)
    key : int
        Of the epoch, from `fastmlp.model.dropout.epoch_key`.
    names : ndarray of int, shape (n,)
        The images' numbers in the data set, which decide with the key what is drawn for each.

    Returns
    -------
    ndarray, shape (n, height * width)
        In the dtype of `images`.
    """
    out = np.empty_like(images)
    for first in range(0, len(images), _ROWS_AT_A_TIME):
        some = slice(first, first + _ROWS_AT_A_TIME)
        x, y = _positions(augmentation, shape, key, names[some])
        out[some] = _between_pixels(images[some], shape, x, y)
    return out


def affine_maps(augmentation: Augmentation, shape: tuple[int, int], key: int, names: NDArray[np.integer[Any]]) -> Whole:
    """Where the pixels of the moved images come from, without the elastic part; both engines take it from here.

    Parameters
    ----------
    augmentation, shape, key, names
        As in `augmented`.

    Returns
    -------
    ndarray of int64, shape (n, 6)
        ``a, b, c, d, e, f``: the pixel at column x of row y comes from column ``a x + b y + c`` of row
        ``d x + e y + f``, in 1/65536 of a pixel.
    """
    rows = mix(np.asarray(names).astype(np.uint32) ^ np.uint32(key))
    words = mix(rows[:, None] + np.arange(6, dtype=np.uint32) * np.uint32(GOLDEN))
    draws = ((words.astype(np.float64) + 0.5) * 2.0**-31 - 1.0).T
    right, down = augmentation.shift * draws[:2]
    angle, lean = np.radians(augmentation.rotation) * draws[2], np.tan(np.radians(augmentation.shear) * draws[3])
    wide, high = 1.0 + augmentation.scale * draws[4:]
    return _inverse((right, down, angle, lean, wide, high), shape)


def moved(
    images: Array,
    shape: tuple[int, int],
    *,
    right: float = 0.0,
    down: float = 0.0,
    turn: float = 0.0,
    size: float = 1.0,
) -> Array:
    """Scale and turn images about their middle, then shift them: all of them alike, by amounts that are given.

    Parameters
    ----------
    images : ndarray of uint8 or float, shape (n, height * width)
    shape : tuple (height, width)
    right, down : float, default 0.0
        In pixels.
    turn : float, default 0.0
        In degrees, clockwise.
    size : float, default 1.0
        The factor by which width and height are multiplied.

    Returns
    -------
    ndarray, shape (n, height * width)
        In the dtype of `images`; interpolated as `augmented` does.

    Examples
    --------
    >>> moved(np.array([[1.0, 2.0, 3.0, 4.0]]), (2, 2), right=1.0)
    array([[0., 1., 0., 3.]])
    """
    amounts = np.array([[right], [down], [math.radians(turn)], [0.0], [size], [size]])
    x, y = _mapped(_inverse(amounts, shape), shape)
    return _between_pixels(images, shape, x, y)


def _inverse(amounts: Any, shape: tuple[int, int]) -> Whole:
    """Return where pixels come from, as `affine_maps` does.

    Parameters
    ----------
    amounts : six ndarrays of shape (n,)
        Shift to the right and down; angle of the turn in radians; tangent of the lean; factors of width and height.
    shape : tuple (height, width)
    """
    right, down, angle, lean, wide, high = amounts
    # An image is widened, then leans, then turns about its middle, then moves; here all that is undone, last first.
    cosine, sine = np.cos(angle), np.sin(angle)
    a, b = (cosine + lean * sine) / wide, (sine - lean * cosine) / wide
    d, e = -sine / high, cosine / high
    middle_x, middle_y = (shape[1] - 1) / 2, (shape[0] - 1) / 2
    c = middle_x - a * (middle_x + right) - b * (middle_y + down)
    f = middle_y - d * (middle_x + right) - e * (middle_y + down)
    return np.ascontiguousarray(np.rint(np.stack([a, b, c, d, e, f], axis=1) * SUBPIXELS).astype(np.int64))


def smoothing(augmentation: Augmentation) -> tuple[NDArray[np.float32], int]:
    """Weights of the Gaussian, whole numbers that sum to `WEIGHTS`, and what sums are multiplied by in 1/4096.

    No weights where there is no elastic distortion.
    """
    if augmentation.elastic is None:
        return np.zeros(0, dtype=np.float32), 0
    alpha, sigma = augmentation.elastic
    reach = math.ceil(3 * sigma)
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weights = np.rint(bell / bell.sum() * WEIGHTS)
    weights[reach] += WEIGHTS - weights.sum()  # what rounding left over
    return weights.astype(np.float32), round(alpha * 4096 / NOISE)


def _positions(
    augmentation: Augmentation, shape: tuple[int, int], key: int, names: NDArray[np.integer[Any]]
) -> tuple[Whole, Whole]:
    """Where each pixel of each image comes from: columns and rows, shape (n, height, width), in 1/65536."""
    height, width = shape
    x, y = _mapped(affine_maps(augmentation, shape, key, names), shape)
    weights, factor = smoothing(augmentation)
    if len(weights):
        high, wide = height + len(weights) - 1, width + len(weights) - 1
        rows = mix(np.asarray(names).astype(np.uint32) ^ np.uint32(key))
        numbers = np.arange(FIRST_OF_FIELD, FIRST_OF_FIELD + high * wide, dtype=np.uint32) * np.uint32(GOLDEN)
        words = mix(rows[:, None] + numbers).reshape(-1, high, wide)
        x = x + (_smooth(words >> np.uint32(24), weights) * factor >> 12)
        y = y + (_smooth(words >> np.uint32(16) & np.uint32(255), weights) * factor >> 12)
    return x, y


def _mapped(maps: Whole, shape: tuple[int, int]) -> tuple[Whole, Whole]:
    """Columns and rows, shape (n, height, width), where pixels come from by maps of the form of `affine_maps`."""
    a, b, c, d, e, f = maps.T[:, :, None, None]
    across, down = np.arange(shape[1]), np.arange(shape[0])[:, None]
    return a * across + b * down + c, d * across + e * down + f


def _smooth(noise: NDArray[np.uint32], weights: NDArray[np.float32]) -> Whole:
    """Smooth bytes, as odd numbers from -255 to 255, along rows and along columns; the margins go."""
    field, reach = 2.0 * noise - NOISE, len(weights) - 1
    height, width = field.shape[1] - reach, field.shape[2] - reach
    along = sum(weight * field[:, :, j : j + width] for j, weight in enumerate(weights.tolist()))
    along = np.rint(along / MIDWAY)
    return np.asarray(sum(weight * along[:, i : i + height] for i, weight in enumerate(weights.tolist()))).astype(
        np.int64
    )


def _between_pixels(images: Array, shape: tuple[int, int], x: Whole, y: Whole) -> Array:
    """Values of images at positions in 1/65536 of a pixel, bilinearly; outside they are 0."""
    height, width = shape
    framed = np.zeros((len(images), height + 3, width + 3), dtype=np.float64)
    framed[:, 1:-2, 1:-2] = images.reshape(-1, height, width)
    # To the nearest 1/256; beyond the frame there is no more than in it.
    x = np.clip(x + 128, -SUBPIXELS, width * SUBPIXELS) >> 8
    y = np.clip(y + 128, -SUBPIXELS, height * SUBPIXELS) >> 8
    column, row, right, below = (x >> 8) + 1, (y >> 8) + 1, x & 255, y & 255
    image = np.arange(len(images))[:, None, None]
    above = framed[image, row, column] * (256 - right) + framed[image, row, column + 1] * right
    under = framed[image, row + 1, column] * (256 - right) + framed[image, row + 1, column + 1] * right
    mixed = above * (256 - below) + under * below
    if images.dtype == np.uint8:
        mixed = mixed + SUBPIXELS / 2  # a half, for the cut to a whole number below
    return np.asarray((mixed / SUBPIXELS).astype(images.dtype)).reshape(len(images), -1)
