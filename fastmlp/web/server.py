"""Running the page's server until Ctrl-C (floor 10; imports uvicorn, checks, errors, formats, network, recipes)."""

import os
import socket
import sys
import threading
import webbrowser
from dataclasses import replace
from pathlib import Path
from types import FrameType

import uvicorn

from .. import recipes
from ..checks import check_whole
from ..errors import ArgumentError
from ..formats.runs import model_file
from ..network import load
from . import limits
from .app import create_app
from .connections import Connection
from .guard import LOCAL, names_of
from .page import Page
from .settings import Settings

FIRST_EPOCHS = 4
"""Of the default recipe, for the network that answers at first: a second or two."""


def run(model: str | None, host: str, port: int, open_browser: bool) -> None:
    """See `fastmlp.web.serve`."""
    check_whole(port, "port", 0, 65_535)
    if model is None:
        page = Page()
    else:
        path = Path(model)
        page = Page(load(model_file(path)), path.stem if path.is_file() else path.name)
    listening = _listen(host, port)
    if model is None:
        page.start(replace(Settings.of(recipes.get(recipes.DEFAULT)), epochs=FIRST_EPOCHS))
    try:
        address = _address(host, listening.getsockname()[1])
        print(f"The page is at {address} (Ctrl-C ends it)", flush=True)
        if host not in LOCAL:
            print("Whoever reaches this address can use the page: it asks for no password", file=sys.stderr)
        if open_browser:
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        Server(page, host).run(sockets=[listening])
    except KeyboardInterrupt:  # uvicorn closes at Ctrl-C and raises it again
        pass
    finally:
        page.close()
        listening.close()
    print("Closed", flush=True)


class Server(uvicorn.Server):
    """A server that tells the page when it is to close, since streams of events would never end by themselves.

    Parameters
    ----------
    page : Page
    host : str
        Where it listens; requests must name it.
    """

    def __init__(self, page: Page, host: str) -> None:
        config = uvicorn.Config(
            create_app(page, names_of(host)),
            http=Connection,
            access_log=False,
            log_level="warning",
            lifespan="on",
            ws="none",
            # Connections that wait make room, so that this many are at work.
            limit_concurrency=limits.MAX_CONNECTIONS + 1,
            timeout_graceful_shutdown=3,
            server_header=False,
        )
        super().__init__(config)
        self._page = page

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Close, at Ctrl-C."""
        self._page.trainings.closing = True
        super().handle_exit(sig, frame)


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; bound here so that a port that is taken is a sentence and not a log."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        # With its protocol named, asyncio has small answers sent at once; else each waits 40 ms for a larger one.
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            if os.name == "posix":  # elsewhere it would let two servers share a port
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((host, port))
            listening.listen()
        except BaseException:
            listening.close()
            raise
        return listening
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ArgumentError(
            f"host and port: cannot listen on {host}, port {port} ({reason}); give another --port, such as {port + 1}, "
            "or --host"
        ) from None


def _address(host: str, port: int) -> str:
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}/"
