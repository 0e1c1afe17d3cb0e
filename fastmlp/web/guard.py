"""Who may ask: the machine's own browser, and no page of another site in it (floor 10; imports starlette).

A page of another site can send requests to 127.0.0.1 (cross-site request forgery), and one whose name is made to point
there can read the answers too (DNS rebinding). The first carries an Origin or Sec-Fetch-Site of elsewhere, the second a
Host that is not ours: both are refused before anything is done.
"""

import ipaddress
import secrets
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "fastmlp-server": secrets.token_hex(8),
}
"""Headers of every response: the page runs no code and shows no frame but its own, and talks to nobody else.

By the last it tells this server from one that was started later, which has other networks by the same numbers.
"""

LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
"""Names of a machine to itself."""


class Guard:
    """Lets requests pass that name this server and come from its own page.

    Parameters
    ----------
    app : ASGI application
    hosts : iterable of str
        Names that this server goes by, without ports.
    any_address : bool, default False
        Whether an IP address, whichever, is a name of it too: for a server that listens on all of a machine's. No site
        can be made to point at an address by its name, so these need not be known.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str], any_address: bool = False) -> None:
        self.app, self.hosts, self.any_address = app, frozenset(map(str.lower, hosts)), any_address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        complaint = self._complaint(Headers(scope=scope), scope["method"], scope["path"])
        if complaint:
            await JSONResponse({"error": complaint}, 403)(scope, receive, send_guarded)
        else:
            await self.app(scope, receive, send_guarded)

    def _complaint(self, headers: Headers, method: str, path: str) -> str:
        """Say what is wrong with where a request comes from or goes to; empty if nothing."""
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or not self._is_ours(hosts[0]):
            ours = ", ".join(sorted(self.hosts))
            return f"the Host header must be a name of this server ({ours}); open the page by one of these"
        if len(origins) > 1 or any(host_of(origin) != hosts[0].lower() for origin in origins):
            return "the request comes from another site, by its Origin header; use this server's own page"
        # A link on a page elsewhere may lead here, and nothing else.
        follows_link = method == "GET" and path == "/" and headers.get("sec-fetch-mode") == "navigate"
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none") and not follows_link:
            return "the request comes from another site, by its Sec-Fetch-Site header; use this server's own page"
        return ""

    def _is_ours(self, host: str) -> bool:
        try:
            parts = urlsplit(f"//{host}")
            name = parts.hostname or ""
            _ = parts.port
        except ValueError:
            return False
        if parts.username is not None or parts.path or parts.query or parts.fragment:
            return False
        return name in self.hosts or (self.any_address and _is_address(name))


def host_of(origin: str) -> str | None:
    """Return host and port of an origin in lower case; None for "null", and what is no origin of a web page."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return None
    return parts.netloc.lower() if parts.scheme in ("http", "https") else None


def names_of(host: str) -> tuple[set[str], bool]:
    """Return the names of a server that listens on `host`, and whether any IP address is one.

    Examples
    --------
    >>> names_of("127.0.0.1") == ({"127.0.0.1", "::1", "localhost"}, False)
    True
    """
    if host in LOCAL:
        return set(LOCAL), False
    everywhere = _is_address(host) and ipaddress.ip_address(host).is_unspecified
    return set(LOCAL) | ({socket.gethostname().lower()} if everywhere else {host.lower()}), everywhere


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
