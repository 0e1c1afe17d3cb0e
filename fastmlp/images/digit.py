"""A photograph, scan or drawing of a digit made into what MNIST is (floor 3; imports PIL, numpy, checks, errors).

MNIST's digits lie in a box of 20 by 20 pixels, with grey edges where strokes were scaled down, and with their centre of
mass in the middle of 28 by 28 (LeCun, Bottou, Bengio and Haffner 1998). A network that learned from them knows no
others: a digit that fills its picture, or lies in its corner, has to be made one of them first.
"""

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import check_unmasked
from ..errors import ArgumentError, ArgumentTypeError, DataFileError, require
from .segmentation import find_ink, shrink
from .several import count_digits
from .strokes import with_wide_strokes

Array = NDArray[Any]

SIDE = 28
"""Pixels of a side of MNIST's images."""

BOX = 20
"""Pixels of the longer side of the box around a digit."""

MAX_PIXELS = 64_000_000
"""The largest picture that is looked at: a file of some kilobytes may say that it has thousands of millions."""

LARGEST_MULTIPLE = 128
"""A file is decoded where that takes at most so many times the memory that the file takes on disk, or
`LARGEST_PICTURE`: blank paper can be packed to a thousandth, and so can what is only meant to fill the memory."""

LARGEST_PICTURE = 256 << 20
"""Bytes that decoding any file may take."""

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP")
"""Formats of files that are read; the fewer decoders, the fewer mistakes in them."""

_BYTES_PER_PIXEL = 12
"""That decoding takes at most: a picture and a copy of it, of four bytes each, and what the decoder keeps.

Half of it where the picture is decoded in place and scaled down before there is a copy."""

_WORKING_SIDE = 400
_FAINT = 0.08
"""Of full ink: what is less is no part of the box around a digit."""


def as_digit(image: "str | os.PathLike[str] | bytes | Array | Any", *, name: str = "image") -> NDArray[np.uint8]:
    """Convert a picture of one digit to MNIST's format: bright ink on black, 28 by 28.

    Ink may be dark on light or light on dark, of any colour, anywhere in the picture and of any size; a photograph may
    have uneven light and cast shadows. Noise and specks are left out, and so are frames, rules, the axes of a plot and
    strokes that run in over the border, where they don't touch the digit. Strokes thinner than MNIST's are widened.
    Of what is transparent, ink is what is not.

    Parameters
    ----------
    image : path, bytes, PIL image, or array_like of shape (h, w), (h, w, 3) or (h, w, 4)
        A path or bytes are of a file in one of `FORMATS`. A JPEG or PNG has at most 40 million pixels, others 22
        million, or more in proportion to the length of the file. Arrays are uint8, or float in [0, 1]; Pillow is not
        used for them. At most 64 million pixels.
    name : str, default "image"
        What messages call it; a file is called by its path.

    Returns
    -------
    ndarray of uint8, shape (28, 28)
        Ink is bright, its centre of mass in the middle, the longer side of the box around it 20 pixels.

    Raises
    ------
    ArgumentError
        Nothing stands out from the background, there are several digits or too many pixels, or an array has another
        shape or range.
    ArgumentTypeError
        Something that is no image.
    DataFileError
        The file is missing, or no image that can be read; the message starts with its path.
    MissingDependencyError
        A file or bytes were given, and Pillow is not installed.

    Examples
    --------
    >>> page = np.full((200, 300), 230, dtype=np.uint8)
    >>> page[40:160, 100:112] = 30
    >>> digit = as_digit(page)
    >>> digit.shape, int(digit.max()), int((digit.max(axis=1) > 0).sum())
    ((28, 28), 255, 20)
    """
    if isinstance(image, str | os.PathLike):
        name = os.fspath(image)
        name = name if isinstance(name, str) else os.fsdecode(name)
    pixels = _pixels(image, name)
    ink = find_ink(_tones(pixels))
    if ink is None:
        raise ArgumentError(
            f"{name}: nothing stands out from the background; give a picture of one digit, in ink that is darker or "
            "lighter than its paper"
        )
    n_digits = count_digits(ink)
    if n_digits > 1:
        raise ArgumentError(f"{name}: this looks like {n_digits} digits; give a picture of each, cropped to it")
    return _centred(_boxed(ink))


def only_shrunk(image: "bytes | Array", *, name: str = "image") -> NDArray[np.uint8]:
    """Shrink a picture to 28 by 28 pixels and do nothing else: what a network would see without `as_digit`.

    The digit stays where it is, and dark ink stays dark. A picture that is no square is squeezed into one.

    Parameters
    ----------
    image, name
        As in `as_digit`.

    Returns
    -------
    ndarray of uint8, shape (28, 28)

    Examples
    --------
    >>> page = np.full((200, 300), 230, dtype=np.uint8)
    >>> page[40:160, 100:112] = 30
    >>> shrunk = only_shrunk(page)
    >>> shrunk.shape, int(shrunk[0, 0]), int((shrunk < 200).sum(axis=0).argmax())
    ((28, 28), 230, 9)
    """
    tones = _tones(_pixels(image, name))
    down, across = (_resampling(n, SIDE) for n in tones.shape)
    return np.asarray(np.rint(255 * (down @ tones @ across.T).clip(0, 1)).astype(np.uint8))


def _pixels(image: Any, name: str) -> Array:
    """Return the pixels of whatever was given: uint8, or float in [0, 1]."""
    if isinstance(image, str | os.PathLike | bytes | bytearray | memoryview):
        return _opened(image, name)
    if type(image).__module__.startswith("PIL."):
        return _decoded(image, name)
    check_unmasked(image, name)
    try:
        array = np.asarray(image)
    except ValueError:
        array = np.empty(0, dtype=object)
    if array.dtype.kind not in "buif":
        raise ArgumentTypeError(
            f"{name} must be a path, the bytes of a file, a PIL image, or an array of pixels, got {_short(image)}"
        )
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)) or array.size == 0:
        hint = "; of a batch give one image at a time" if array.ndim in (3, 4) else ""
        hint = f"; give {name}.reshape(28, 28)" if array.shape == (784,) else hint
        raise ArgumentError(
            f"{name} must have shape (height, width), (height, width, 3) or (height, width, 4), got {array.shape}{hint}"
        )
    _check_size(array.shape[1], array.shape[0], name)
    if array.dtype == np.uint8:
        return array
    if array.dtype == bool:
        return array.astype(np.uint8) * np.uint8(255)
    low, high = float(array.min()), float(array.max())
    if array.dtype.kind != "f" or not (low >= 0 and high <= 1):
        raise ArgumentError(
            f"{name} must be uint8 from 0 to 255, or float from 0 to 1; got {array.dtype} from {low:g} to {high:g}; "
            f"give {name}.astype('uint8') if it holds 0 to 255"
        )
    return array


def _opened(source: Any, name: str) -> Array:
    """Return the pixels of a file."""
    try:
        from PIL import Image
    except ImportError:
        raise require("images", "pillow") from None
    try:
        # Not the path: of a file on disk Python makes room for as many bytes as a damaged length asks for.
        content = Path(os.fsdecode(source)).read_bytes() if isinstance(source, str | os.PathLike) else bytes(source)
        opened = Image.open(io.BytesIO(content), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ArgumentError(f"{name} has more than {MAX_PIXELS:,} pixels; make it smaller first") from None
    except FileNotFoundError:
        raise DataFileError(f"{name}: there is no such file") from None
    except IsADirectoryError:
        raise DataFileError(f"{name}: this is a folder; give the path of an image in it") from None
    except PermissionError:
        raise DataFileError(f"{name}: this file may not be read") from None
    except Exception:  # a damaged header raises whatever reading it raises
        raise DataFileError(f"{name}: this is no image in a format that is read ({', '.join(FORMATS)})") from None
    with opened:
        width, height = opened.size
        _check_size(width, height, name)
        if _bytes_to_decode(opened) > max(LARGEST_PICTURE, LARGEST_MULTIPLE * len(content)):
            raise ArgumentError(
                f"{name} has {width:,} by {height:,} pixels in {len(content):,} bytes of file, which could be meant to "
                "fill the memory; make it smaller, or if you trust it, open it yourself and give what PIL.Image.open "
                "returns"
            )
        return _decoded(opened, name)


def _bytes_to_decode(picture: Any) -> int:
    """Return how much memory decoding a file takes at most; a JPEG is told to be decoded small."""
    width, height = _size(picture)
    if picture.format in ("JPEG", "MPO"):
        _draft(picture)
        small_width, small_height = _size(picture)
        # One that is sent in several scans has the coefficients of all its pixels in memory, of two bytes each.
        coefficients = 2 * max(3, len(picture.getbands())) * width * height
        return coefficients + _BYTES_PER_PIXEL * small_width * small_height
    once = picture.format == "PNG" and picture.mode in ("1", "L", "P", "RGB") and "transparency" not in picture.info
    return (_BYTES_PER_PIXEL // 2 if once else _BYTES_PER_PIXEL) * width * height


def _size(picture: Any) -> tuple[int, int]:
    width, height = picture.size
    return int(width), int(height)


def _draft(picture: Any) -> None:
    """Have a JPEG decoded at 1/2, 1/4 or 1/8 of its size, where that is still at least twice what is needed."""
    picture.draft(None, (2 * _WORKING_SIDE, 2 * _WORKING_SIDE))


def _decoded(picture: Any, name: str) -> Array:
    """Return the pixels of a PIL image, scaled down where there are more than are needed."""
    from PIL import ImageOps

    width, height = picture.size
    _check_size(width, height, name)
    try:
        if hasattr(picture, "draft"):
            _draft(picture)
        numbers = picture.mode in ("I", "F") or picture.mode.startswith("I;")  # 16 bits, or numbers of any range
        transparent = "A" in picture.getbands() or "a" in picture.getbands() or "transparency" in picture.info
        if not transparent and picture.mode in ("1", "L", "RGB"):
            picture = _reduced(picture.convert("L") if picture.mode == "1" else picture)  # before there are copies
        converted = _reduced(picture.convert("F" if numbers else "RGBA" if transparent else "RGB"))
        if numbers:
            values = np.asarray(converted, dtype=np.float64)
            return np.clip(values / next((top for top in (1, 255, 65535) if values.max() <= top), values.max()), 0, 1)
        return np.asarray(ImageOps.exif_transpose(converted))
    except Exception as error:  # damaged pixels raise whatever decoding them raises
        raise DataFileError(f"{name}: the image is damaged and can't be decoded ({error})") from None


def _reduced(picture: Any) -> Any:
    factor = max(picture.size) // (2 * _WORKING_SIDE)
    return picture.reduce(factor) if factor > 1 else picture


def _check_size(width: int, height: int, name: str) -> None:
    if width * height > MAX_PIXELS:
        raise ArgumentError(
            f"{name} has {width:,} by {height:,} pixels, more than {MAX_PIXELS:,}; make it smaller first"
        )


def _tones(pixels: Array) -> NDArray[np.float64]:
    """One number a pixel, dark to light or the other way round, of an image that is small enough to work on.

    Of colours it is the component in which they differ most, so that red on green stands out although both are equally
    bright: the first principal axis, in units in which black and white are 1 apart.
    """
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        opacity = pixels[:, :, 3] / (255.0 if pixels.dtype == np.uint8 else 1.0)
        if opacity.min() > 0.98:
            pixels = pixels[:, :, :3]
        elif _is_cut_out(opacity, pixels):
            pixels = _on_paper(opacity, pixels)
        else:
            return shrink(opacity, _WORKING_SIDE)[0]
    small = shrink(pixels, _WORKING_SIDE)[0] / (255.0 if pixels.dtype == np.uint8 else 1.0)
    if small.ndim == 2:
        return small
    colours = small.reshape(-1, 3)
    # Grey, where there are no differences.
    axis = np.linalg.eigh(np.cov(colours, rowvar=False, bias=True) + 1e-12)[1][:, -1]
    axis *= 1 if axis.sum() >= 0 else -1
    return np.asarray(small @ (axis / np.abs(axis).sum()))


def _is_cut_out(opacity: NDArray[np.float64], pixels: Array) -> bool:
    """Whether what is opaque is a piece of paper with ink on it, and not the ink."""
    there = opacity > 0.5
    if not there.any():
        return False
    rows, columns = np.flatnonzero(there.any(axis=1)), np.flatnonzero(there.any(axis=0))
    filled = there.sum() / ((rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1))
    tones = pixels[there][:, :3].mean(axis=1) / (255.0 if pixels.dtype == np.uint8 else 1.0)
    return bool(filled > 0.6 and tones.std() > 0.05)


def _on_paper(opacity: NDArray[np.float64], pixels: Array) -> NDArray[np.float64]:
    """The opaque part of an image on a background of its own usual colour."""
    colours = pixels[:, :, :3] / (255.0 if pixels.dtype == np.uint8 else 1.0)
    usual = np.median(colours[opacity > 0.5], axis=0)
    return np.asarray(opacity[:, :, None] * colours + (1 - opacity[:, :, None]) * usual)


def _boxed(ink: NDArray[np.float64]) -> NDArray[np.float64]:
    """Crop to the ink, widen its strokes where they are thin, and scale the longer side to 20 pixels."""
    inked = ink > _FAINT
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    cropped = with_wide_strokes(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    height, width = cropped.shape
    scale = BOX / max(height, width)
    down = _resampling(height, max(1, round(height * scale)))
    across = _resampling(width, max(1, round(width * scale)))
    return np.asarray(down @ cropped @ across.T)


def _resampling(n: int, wanted: int) -> NDArray[np.float64]:
    """Weights, shape (wanted, n), by which n pixels in a row become another number of them.

    Each new pixel averages the old ones around it, weighted by a triangle that reaches as far as its neighbours, in
    the coarser of the two grids: linear interpolation, and no aliasing.
    """
    stretch = n / wanted
    middles = (np.arange(wanted) + 0.5) * stretch - 0.5
    distances = np.abs(np.arange(n) - middles[:, None]) / max(stretch, 1.0)
    weights = np.maximum(1.0 - distances, 0.0)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _centred(box: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Put a box into 28 by 28 pixels, its centre of mass in the middle as nearly as whole pixels allow."""
    box = box / box.max()
    places = []
    for axis in (0, 1):
        amounts = box.sum(axis=1 - axis)
        centre = np.arange(len(amounts)) @ amounts / amounts.sum()
        # In every image of MNIST it lies less than half a pixel from the middle of row and column 14, counted from 0.
        places.append(int(np.clip(np.ceil(SIDE / 2 - 0.5 - centre), 0, SIDE - len(amounts))))
    digit = np.zeros((SIDE, SIDE), dtype=np.uint8)
    top, left = places
    digit[top : top + box.shape[0], left : left + box.shape[1]] = np.rint(box * 255)
    return digit


def _short(value: Any) -> str:
    text = repr(value)
    return f"a {type(value).__name__}" if len(text) > 60 else text
