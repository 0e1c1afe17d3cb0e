"""Images moved, turned and bent; the compiled twin of `fastmlp.data.augmentation.augmented` (floor 2).

All that decides where a pixel comes from is whole numbers, as there: the noise, the weights of its smoothing and the
sums are held in float32, which is exact below 2**24, so that the smoothing is fused multiply-adds of whole vectors and
still has the bits of NumPy's.
"""

from .elementwise import row_key
from .runtime.fields import taken
from .runtime.jit import entry, kernel
from .runtime.records import Images
from .runtime.simd import fma, get, lanes, load, moved, nearest, put, splat, store

_FIRST_OF_FIELD = 8  # of `fastmlp.data.augmentation`, as are 255, 2**-8 and the parts of a pixel below
_GOLDEN = 0x9E3779B9
_WORD = 0xFFFFFFFF
take_images = taken(Images)


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
def between_pixels(given, number, across, down, field_row):
    """Take every pixel of an image from where it comes from, bilinearly.

    Parameters
    ----------
    given : Images
        Its frame holds the image with zeros around it: one above and to the left, two below and to the right.
    number : int
        Of the image among `Images.rows`.
    across, down : float32, (height, field_row)
        Smoothed noise.
    """
    maps, height, width, factor = moved(given.maps, number * 6), given.height, given.width, given.factor
    out, frame = moved(given.out, get(given.rows, number) * height * width), given.frame
    a, b, c, d, e, f = get(maps, 0), get(maps, 1), get(maps, 2), get(maps, 3), get(maps, 4), get(maps, 5)
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
            put(out, i * width + j, (above * (256 - below) + under * below + given.half) * (1 / 65536))


@entry
def augment(thread, threads, barrier, table, like):
    """Augment a thread's share of some images; what `fastmlp.engines.simd.threads.Team` runs, without its barrier.

    Parameters
    ----------
    table, like : arrays
        The `handle` of `Images`, which is all else.
    """
    given = take_images(table, like)
    height, width, taps, weights, n = given.height, given.width, given.taps, given.weights, given.n_rows
    high, wide, padded = height + taps - 1, width + taps - 1, (width + 15) // 16 * 16
    stride, noise, smoothed = padded + taps - 1, high * (padded + taps - 1), high * padded
    across, down = given.memory, moved(given.memory, noise)
    half_way_x, half_way_y = moved(down, noise), moved(down, noise + smoothed)
    field_x = moved(half_way_y, smoothed)
    field_y = moved(field_x, height * padded)
    for number in range(n * thread // threads, n * (thread + 1) // threads):
        if given.factor != 0:
            draw_noise(across, down, row_key(given.key, get(given.names, number)), high, wide, stride)
            smooth_along(half_way_x, across, weights, taps, high, padded, stride)
            smooth_along(half_way_y, down, weights, taps, high, padded, stride)
            smooth_down(field_x, half_way_x, weights, taps, height, padded)
            smooth_down(field_y, half_way_y, weights, taps, height, padded)
        image = moved(given.images, get(given.rows, number) * height * width)
        for i in range(height):
            for j in range(width):
                put(given.frame, (i + 1) * (width + 3) + j + 1, get(image, i * width + j))
        between_pixels(given, number, field_x, field_y, padded)


def room(height, width, taps):
    """Numbers of float32 that a thread of `augment` needs room for."""
    high, padded = height + taps - 1, (width + 15) // 16 * 16
    return 2 * (high * (padded + taps - 1) + high * padded + height * padded) + 16
