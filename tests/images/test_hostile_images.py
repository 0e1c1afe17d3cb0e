"""Whatever is in an image file, it is an error of ours or a digit, in bounded memory."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("PIL", reason="needs Pillow")
from fastmlp.images import as_digit
from tests.fuzz.readers import READERS, check, without_checksums

IMAGE = READERS["image"]
SEEDS = IMAGE.seeds()


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("images") / "picture.png"
    for seed in SEEDS:
        path.write_bytes(seed)
        as_digit(path)  # what is imported late is imported now
    return path


SIZES = st.sampled_from([0, 1, 127, 128, 255, 32767, 65535, 2**24 - 1, 2**31 - 1, 2**32 - 1])


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, len(SEEDS) - 1),
    changes=st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=4)), max_size=4),
    sizes=st.lists(st.tuples(st.integers(0, 60), SIZES, st.sampled_from(["<H", ">H", "<I", ">I"])), max_size=2),
    cut=st.floats(0, 2),
    checked=st.booleans(),
)
def test_changed_files(path, seed, changes, sizes, cut, checked):
    content = bytearray(SEEDS[seed])
    for place, size, form in sizes:
        packed = struct.pack(form, size & (0xFFFF if form[1] == "H" else 0xFFFFFFFF))
        content[place : place + len(packed)] = packed
    for share, new in changes:
        place = int(share * len(content))
        content[place : place + len(new)] = new
    path.write_bytes(content[: int(cut * len(content))])
    if checked:
        check(IMAGE, path)
    else:
        with without_checksums():
            check(IMAGE, path)


def chunk(kind, data, length=None):
    said = len(data) if length is None else length
    return struct.pack(">I", said) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, *chunks, kind=6):
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, kind, 0, 0, 0)) + b"".join(chunks)
    )


def jpeg(width, height):
    frame = b"\x08" + struct.pack(">2H", height, width) + b"\x01\x01\x11\x00"
    return b"\xff\xd8\xff\xc2" + struct.pack(">H", len(frame) + 2) + frame + b"\xff\xda\x00\x08\x01\x01\x00\x00\x00\x00"


def bmp(width, height, bits, colours=0):
    head = b"BM" + struct.pack("<3I", 100, 0, 54)
    return head + struct.pack("<I2i2H6I", 40, width, height, 1, bits, int(colours > 0), 0, 0, 0, colours, 0)


def webp(width, height):
    canvas = b"\0\0\0\0" + struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    body = b"WEBPVP8X" + struct.pack("<I", len(canvas)) + canvas
    return b"RIFF" + struct.pack("<I", len(body)) + body


END = chunk(b"IEND", b"")
PIXELS = chunk(b"IDAT", zlib.compress(bytes(5 * 5)))
TEXT = zlib.compress(bytes(60 << 20), 9)


@pytest.mark.parametrize(
    "content",
    [
        png(2**31 - 1, 2**31 - 1, PIXELS, END),
        png(8000, 8000, chunk(b"IDAT", zlib.compress(bytes(8000))), END),
        png(2, 2, chunk(b"IDAT", zlib.compress(bytes(18)), 0x7FFFFFFF)),
        png(2, 2, chunk(b"tEXt", b"a\0b", 0x7FFFFFFF), PIXELS, END),
        png(5, 5, *[chunk(b"zTXt", b"a\0\0" + TEXT)] * 4, PIXELS, END, kind=0),
        png(5, 5, chunk(b"iCCP", b"a\0\0" + TEXT), PIXELS, END, kind=0),
        jpeg(65500, 65500),
        jpeg(8000, 8000),
        b"GIF89a" + struct.pack("<2H", 65535, 65535) + b"\x80\0\0" + bytes(6) + b",\0\0\0\0\1\0\1\0\0\2\2D\1\0;",
        bmp(2**31 - 1, -(2**31), 24),
        bmp(9, 9, 8, colours=65535),
        webp(16384, 16384),
        webp(2**24, 2**8),
    ],
    ids=[
        "png huge", "png large", "png data", "png text", "png many texts", "png profile", "jpeg huge", "jpeg large",
        "gif", "bmp", "bmp palette", "webp", "webp beyond",
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:Image size")
def test_stated_sizes_are_not_believed(path, content):
    path.write_bytes(content)
    check(IMAGE, path)


def test_large_transparent_and_deep_pictures_are_scaled_down_first():
    from PIL import Image

    ink = np.zeros((2400, 2400), dtype=np.uint8)
    ink[600:1800, 1000:1200] = 255
    ink[600:800, 1000:1700] = 255
    expected = as_digit(ink)
    clear = Image.fromarray(np.stack([ink * 0] * 3 + [ink], axis=2))
    deep = Image.fromarray(ink.astype(np.uint16) * 257)
    for picture in (clear, deep):
        assert np.abs(as_digit(picture).astype(int) - expected).mean() < 1
