"""Images moved, turned and bent; the compiled twin of `fastmlp.data.augmentation.augmented` (floor 2).

All that decides where a pixel comes from is whole numbers, as there: the noise, the weights of its smoothing and the
sums are held in float32, which is exact below 2**24, so that the smoothing is fused multiply-adds of whole vectors and
still has the bits of NumPy's.
"""

from .elementwise import row_key
from .runtime.jit import entry, kernel
from .runtime.simd import fma, get, lanes, load, nearest, pointer, put, splat, store

_FIRST_OF_FIELD = 8  # of `fastmlp.data.augmentation`, as are 255, 2**-8 and the parts of a pixel below
_GOLDEN = 0x9E3779B9
_WORD = 0xFFFFFFFF


@kernel
def draw_noise(across, down, row, height, width, stride):
    """Noise of both directions for an image: odd numbers from -255 to 255, from the two high bytes of a hash each.

    Parameters
    ----------
    across, down : float32, (height, stride)
    row : int
        Of the image, from `row_key`.
    """
    for i in range(height):
        first = _FIRST_OF_FIELD + i * width
        for j in range(width):
            x = (row + (first + j) * _GOLDEN) & _WORD
            x = ((x ^ (x >> 16)) * 0x7FEB352D) & _WORD
            x = ((x ^ (x >> 15)) * 0x846CA68B) & _WORD
            x = x ^ (x >> 16)
            put(across, i * stride + j, 2 * (x >> 24) - 255)
            put(down, i * stride + j, 2 * ((x >> 16) & 255) - 255)


@kernel
def smooth_along(out, x, weights, taps, rows, width, stride):
    """Smooth rows, ``out[i, j] = nearest(sum of weights[t] * x[i, j + t] / 256)``.

    Parameters
    ----------
    out : float32, (rows, width)
    x : float32, (rows, stride)
    weights : float32, (taps,)
    width : int
        A multiple of a vector.
    """
    vector = lanes(out)
    for i in range(rows):
        for j in range(0, width, vector):
            start = i * stride + j
            sums = splat(out, 0.0)
            for t in range(taps):
                sums = fma(splat(out, get(weights, t)), load(x, start + t), sums)
            store(out, i * width + j, nearest(sums * splat(out, 0.00390625)))


@kernel
def smooth_down(out, x, weights, taps, rows, width):
    """Smooth columns, ``out[i, j] = sum of weights[t] * x[i + t, j]``; as `smooth_along`."""
    vector = lanes(out)
    for i in range(rows):
        for j in range(0, width, vector):
            start = i * width + j
            sums = splat(out, 0.0)
            for t in range(taps):
                sums = fma(splat(out, get(weights, t)), load(x, start + t * width), sums)
            store(out, i * width + j, sums)


@kernel
def between_pixels(
    out, out_start, frame, maps, map_start, across, down, field_row, factor, height, width, half
):  # fmt: skip
    """Take every pixel of an image from where it comes from, bilinearly.

    Parameters
    ----------
    out : flat array
        The image goes to `out_start` and behind.
    frame : flat array, (height + 3, width + 3)
        The image with zeros around it: one above and to the left, two below and to the right.
    maps : int64
        Six numbers of `fastmlp.data.augmentation.affine_maps` from `map_start` on.
    across, down : float32, (height, field_row)
        Smoothed noise, which times `factor` / 4096 is a displacement in 1/65536; with a factor of 0 it is not read.
    half : float
        What is added before the division by 65536: half of that for bytes, which are cut to whole numbers; else 0.
    """
    a, b, c = get(maps, map_start), get(maps, map_start + 1), get(maps, map_start + 2)
    d, e, f = get(maps, map_start + 3), get(maps, map_start + 4), get(maps, map_start + 5)
    wide, last_x, last_y = width + 3, width * 65536, height * 65536
    for i in range(height):
        for j in range(width):
            x, y = a * j + b * i + c + 128, d * j + e * i + f + 128
            if factor != 0:
                x += (int(get(across, i * field_row + j)) * factor) >> 12
                y += (int(get(down, i * field_row + j)) * factor) >> 12
            x, y = min(max(x, -65536), last_x) >> 8, min(max(y, -65536), last_y) >> 8
            right, below = x & 255, y & 255
            at = ((y >> 8) + 1) * wide + (x >> 8) + 1
            above = get(frame, at) * (256 - right) + get(frame, at + 1) * right
            under = get(frame, at + wide) * (256 - right) + get(frame, at + wide + 1) * right
            put(out, out_start + i * width + j, (above * (256 - below) + under * below + half) * (1 / 65536))


@entry
def augment(
    thread, threads, barrier, out, images, rows, names, maps, key, weights, factor, height, width, half, frame, memory
):  # fmt: skip
    """Augment a thread's share of some images; what `fastmlp.engines.simd.threads.Team` runs, without its barrier.

    Parameters
    ----------
    out, images : flat arrays of uint8 or float, (n_images * height * width,)
        Not the same.
    rows : ndarray of int64, shape (n,)
        Which images; those go to the same places of `out`.
    names : ndarray of int64, shape (n,)
        Their numbers in the data set.
    maps : flat array of int64, (n * 6,)
    key : int
        Of the epoch.
    weights : ndarray of float32, shape (taps,)
        Of the Gaussian; an odd number of them. None where nothing is distorted elastically.
    factor, half
        As in `between_pixels`.
    frame : flat array in the dtype of images, (height + 3) * (width + 3) zeros
        Room of this thread's own.
    memory : ndarray of float32
        Room for two fields of noise, those smoothed along rows, and smoothed both ways; see `room`.
    """
    taps = len(weights)
    n, pixels = len(rows), height * width
    out, images, frame, maps = pointer(out), pointer(images), pointer(frame), pointer(maps)
    rows, names, weights = pointer(rows), pointer(names), pointer(weights)
    high, wide = height + taps - 1, width + taps - 1
    padded = (width + 15) // 16 * 16
    stride = padded + taps - 1
    across, down = memory[: high * stride], memory[high * stride : 2 * high * stride]
    rest = memory[2 * high * stride :]
    half_way_x, half_way_y = rest[: high * padded], rest[high * padded : 2 * high * padded]
    fields = rest[2 * high * padded :]
    field_x, field_y = pointer(fields[: height * padded]), pointer(fields[height * padded :])
    across, down, half_way_x, half_way_y = pointer(across), pointer(down), pointer(half_way_x), pointer(half_way_y)
    for number in range(n * thread // threads, n * (thread + 1) // threads):
        start = get(rows, number) * pixels
        if factor != 0:
            draw_noise(across, down, row_key(key, get(names, number)), high, wide, stride)
            smooth_along(half_way_x, across, weights, taps, high, padded, stride)
            smooth_along(half_way_y, down, weights, taps, high, padded, stride)
            smooth_down(field_x, half_way_x, weights, taps, height, padded)
            smooth_down(field_y, half_way_y, weights, taps, height, padded)
        for i in range(height):
            for j in range(width):
                put(frame, (i + 1) * (width + 3) + j + 1, get(images, start + i * width + j))
        between_pixels(
            out, start, frame, maps, number * 6, field_x, field_y, padded, factor, height, width, half
        )  # fmt: skip


def room(height, width, taps):
    """Numbers of float32 that a thread of `augment` needs room for."""
    high, padded = height + taps - 1, (width + 15) // 16 * 16
    return 2 * (high * (padded + taps - 1) + high * padded + height * padded) + 16
