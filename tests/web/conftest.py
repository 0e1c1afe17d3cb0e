"""A page with a small trained network, asked without a network connection, and served to a real browser."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")
pytest.importorskip("httpx2")

from starlette.testclient import TestClient

from fastmlp import Network, load_mnist
from fastmlp.web.app import create_app
from fastmlp.web.page import Page

from .asking import choose_network

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# What keeps a headless browser from asking for anything but the page.
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def network():
    """784-24-10, good enough to tell a clear 0 from a clear 1."""
    digits = load_mnist()
    net = Network([784, 24, 10], seed=0)
    net.fit(digits.X_train[:8000], digits.y_train[:8000], epochs=4, engine="numpy", verbose=0)
    return net


@pytest.fixture
def page(network):
    """The page with `network` on its shelf."""
    page = Page(network, "small")
    yield page
    page.close()


@pytest.fixture
def client(page):
    """Asks the page as its own browser does."""
    with TestClient(create_app(page), base_url="http://127.0.0.1:8000") as client:
        yield client


def serve_in_process(model, port=0):
    """``fastmlp serve MODEL`` in a process of its own, and the address it says."""
    process = subprocess.Popen(
        [sys.executable, "-m", "fastmlp.cli", "serve", str(model), "--port", str(port)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    return process, process.stdout.readline().split()[4]


@pytest.fixture(scope="session")
def saved(network, tmp_path_factory):
    """The file of `network`."""
    model = tmp_path_factory.mktemp("served") / "small.npz"
    network.save(model)
    return model


@pytest.fixture(scope="session")
def served(saved):
    """Address of ``fastmlp serve MODEL`` in a process of its own."""
    process, address = serve_in_process(saved)
    yield address
    process.terminate()
    process.stdout.close()
    process.wait(timeout=30)


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium, driven by Playwright."""
    if importlib.util.find_spec("playwright") is None:
        pytest.skip("needs Playwright's Python package: pip install playwright")
    if CHROMIUM is None:
        pytest.skip("needs Chromium on the path: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(params=[1280, 360], ids=["wide", "narrow"])
def width(request):
    return request.param


@pytest.fixture
def open_page(browser, served):
    """Opens the page, and afterwards checks that it ran without errors and asked nobody else."""
    contexts, troubles = [], []

    def opened(end="", **options):
        context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
        page.on(
            "request",
            lambda request: None if request.url.startswith((served, "blob:")) else troubles.append(request.url),
        )
        page.goto(served + end)
        page.wait_for_selector("body[data-ready=yes]")
        choose_network(page, "1")  # whatever other tests left on the server
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not troubles
