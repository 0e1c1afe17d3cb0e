"""Take the README's picture of the page that ``fastmlp serve`` serves, as a PNG file.

    python -m benchmarks.page_picture

It needs Chromium, Playwright's Python package and Pillow, draws a digit as a hand does, and writes
benchmarks/results/page.png.
"""

import argparse
import io
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

PICTURE = Path(__file__).parent / "results" / "page.png"
WIDTH, HEIGHT = 1280, 1010
COLOURS = 128
"""Of the picture; with fewer bytes for it, a README is there sooner."""

# As shares of the drawing area: a 5, its hat apart.
STROKES = (
    (
        (0.40, 0.22),
        (0.38, 0.34),
        (0.36, 0.46),
        (0.48, 0.43),
        (0.60, 0.48),
        (0.64, 0.60),
        (0.58, 0.74),
        (0.45, 0.80),
        (0.33, 0.76),
    ),
    ((0.40, 0.22), (0.52, 0.215), (0.66, 0.20)),
)
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def main() -> int:
    """Run the script; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=PICTURE, help="default: benchmarks/results/page.png")
    out = parser.parse_args().out
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("needs Chromium on the path: apt-get install chromium", file=sys.stderr)
        return 1
    served = subprocess.Popen(
        [sys.executable, "-m", "fastmlp.cli", "serve", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert served.stdout is not None
        out.write_bytes(smaller(picture(served.stdout.readline().split()[4], chromium)))
    finally:
        served.send_signal(signal.SIGINT)
        served.wait(timeout=30)
    print(f"{out}: {out.stat().st_size / 1e3:.0f} kB")
    return 0


def picture(address: str, chromium: str) -> bytes:
    """Return the page with a digit drawn on it, as the bytes of a PNG file."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.goto(address)
        page.wait_for_selector("body[data-ready=yes]")
        trained = "() => /%/.test(document.querySelector('#network option').textContent)"
        page.wait_for_function(trained, timeout=120_000)  # the first time, its kernels compile
        for stroke in STROKES:
            draw(page, stroke)
        page.wait_for_function("() => document.getElementById('timing').textContent")
        page.locator("#layers canvas").first.hover(position={"x": 49, "y": 35})
        page.wait_for_timeout(500)
        taken: bytes = page.screenshot()
        browser.close()
    return taken


def draw(page: Any, stroke: tuple[tuple[float, float], ...]) -> None:
    """Draw a stroke with the mouse, through points that are shares of the drawing area."""
    box = page.locator("#pad").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=4)
    page.mouse.up()


def smaller(png: bytes) -> bytes:
    """Return a PNG file with `COLOURS` colours."""
    from PIL import Image

    file = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(
        file, "PNG", optimize=True
    )
    return file.getvalue()


if __name__ == "__main__":
    sys.exit(main())
