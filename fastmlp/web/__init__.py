"""The page in the browser: draw a digit, see a network learn (floor 10; imports starlette, uvicorn, errors).

`connections` ends those over which nobody asks, `guard` lets in who may ask, `app` and `endpoints/` answer, `page`
keeps what they share, `looking` and `gallery` show what a network makes of digits, `settings` and `training` train,
`shelf` keeps the networks, `refusals` and `limits` say no, `server` runs it all, `static/` is the page.
"""

import os

from ..errors import ArgumentError, require


def serve(
    model: "str | os.PathLike[str] | None" = None,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    open_browser: bool = False,
) -> None:
    """Serve the page until Ctrl-C.

    Parameters
    ----------
    model : str or path, optional
        A saved network, or the folder of a run, that answers at first. By default the default recipe is trained for
        some epochs in the background.
    host : str, default "127.0.0.1"
        Where to listen; the default is this machine only. The page asks for no password: on another address, whoever
        reaches it can use it.
    port : int, default 8000
        0 takes a free one.
    open_browser : bool, default False
        Whether to open the page in the browser.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        The port is taken, the host is none of this machine's, or the network is not one of ten digits of 28 by 28
        pixels.
    DataFileError
        The model can't be read.
    MissingDependencyError
        Starlette or uvicorn is not installed.

    Examples
    --------
    >>> from fastmlp.web import serve
    >>> serve("no-such-network.npz")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    fastmlp.errors.DataFileError: no-such-network.npz: there is no such file in ...
    """
    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise require("web", error.name or "starlette") from None
    if not isinstance(host, str) or not host:
        raise ArgumentError(f"host must be a name or an address such as '127.0.0.1', got {host!r}")
    from .server import run

    run(None if model is None else os.fspath(model), host, port, open_browser)
