"""The page's addresses and what answers there (floor 10; imports starlette, errors).

| address | what |
|---|---|
| ``GET /``, ``GET /static/...`` | the page |
| ``GET /api/choices`` | recipes, and what else a training can be set to |
| ``GET /api/models`` | the networks in memory |
| ``POST /api/models?name=...`` | a network's file, to be loaded |
| ``PATCH /api/models/{id}`` | another name for it: ``{"name": ...}`` |
| ``DELETE /api/models/{id}`` | |
| ``GET /api/models/{id}/file`` | a network as a file |
| ``GET /api/models/{id}/weights`` | what the first neurons look for |
| ``GET /api/models/{id}/neurons/{layer}/{unit}`` | what one neuron looks for |
| ``POST /api/models/{id}/drawing?width=...&height=...`` | a byte for every pixel, to be recognised |
| ``POST /api/models/{id}/why/{layer}/{unit}`` | a digit's 784 bytes: how a neuron gets its number from it |
| ``POST /api/models/{id}/least-change?target=...`` | likewise: the smallest change that changes the answer |
| ``POST /api/models/{id}/step?target=...&rate=...&steps=...`` | likewise: the passes after some steps |
| ``POST /api/models/{id}/step/{layer}/{unit}?...`` | a neuron's weights beside their derivatives |
| ``POST /api/models/{id}/step/{layer}/{unit}/{row}?...`` | the derivative by one weight, in two ways |
| ``POST /api/models/{id}/seen`` | a digit's 784 bytes, to be recognised as they are |
| ``POST /api/models/{id}/image`` | a PNG or JPEG file, to be recognised |
| ``GET /api/models/{id}/digits?wrong=...&label=...&page=...`` | test digits, with the network's answers |
| ``GET /api/models/{id}/digits/{number}`` | one test digit, looked at |
| ``POST /api/trainings?slow=...`` | settings, to be trained with |
| ``POST /api/trainings/{id}/{pause, resume or stop}`` | |
| ``POST /api/trainings/{id}/{batch, tenth or epoch}`` | to train on for so long, and pause again |
| ``GET /api/trainings/{id}/events`` | how a training goes, as server-sent events |
| ``GET /api/planes`` | what a plane can be set to |
| ``POST /api/planes`` | settings of a plane, to be learned |
| ``POST /api/planes/{id}/advance?...`` | ``epochs``, ``milliseconds`` or ``step``, to be trained on |
| ``GET /api/runs`` | the networks in memory, with their curves |
| ``POST /api/sweeps`` | settings, axes and seeds, to be trained with at once |
| ``GET /api/sweeps/{id}/events`` | how a sweep goes, as server-sent events |
| ``POST /api/sweeps/{id}/stop`` | |
| ``POST /api/sweeps/{id}/keep/{number}`` | one of its networks, to be shown by the page |

All but the page and a network's file is JSON; an error is a status from 400 to 499 and ``{"error": "a sentence"}``.
"""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..errors import FastMLPError
from .endpoints.compare import Compare
from .endpoints.digits import Digits
from .endpoints.explain import Explain
from .endpoints.networks import Networks
from .endpoints.planes import PlaneRequests
from .endpoints.step import Steps
from .endpoints.trainings import TrainingRequests
from .guard import LOCAL, Guard
from .page import Page
from .refusals import Refusal

STATIC = Path(__file__).parent / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


REQUESTS = (Networks, Digits, TrainingRequests, Compare, Explain, Steps, PlaneRequests)
"""What answers, but for files; each is made with the page."""


class Files:
    """Returns the files in `STATIC`, read once."""

    def __init__(self) -> None:
        self._files = {
            path.name: (path.read_bytes(), _TYPES[path.suffix]) for path in STATIC.iterdir() if path.suffix in _TYPES
        }

    def routes(self) -> list[Route]:
        """Return the addresses with what answers there."""
        return [Route("/", self.file), Route("/static/{name}", self.file)]

    async def file(self, request: Request) -> Response:
        """Return a file of the page."""
        found = self._files.get(request.path_params.get("name", "index.html"))
        if found is None:
            raise Refusal(404, "the page has no such file")
        return Response(found[0], media_type=found[1], headers={"cache-control": "no-cache"})


def create_app(page: Page, hosts: tuple[set[str], bool] | None = None) -> Guard:
    """Return the page as an ASGI application, which any server of such can run.

    Parameters
    ----------
    page : Page
    hosts : (set of str, bool), optional
        Names that the server goes by, and whether any IP address is one; by default those of the machine itself.

    Returns
    -------
    Guard
    """

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(page.close)

    routes = [route for part in (Files(), *(kind(page) for kind in REQUESTS)) for route in part.routes()]
    handlers: dict[Any, Any] = {Refusal: _refuse, FastMLPError: _explain, HTTPException: _say}
    app = Starlette(routes=routes, exception_handlers=handlers, lifespan=lifespan)
    names, any_address = hosts or (set(LOCAL), False)
    return Guard(app, names, any_address)


async def _refuse(_: Request, refusal: Refusal) -> Response:
    return JSONResponse({"error": refusal.sentence}, refusal.status)


async def _explain(_: Request, error: FastMLPError) -> Response:
    return JSONResponse({"error": str(error)}, 400)


async def _say(request: Request, error: HTTPException) -> Response:
    sentences = {
        404: f"there is nothing at {request.url.path[:100]}; the page is at /",
        405: f"{request.method} is not for {request.url.path[:100]}; use another method",
    }
    return JSONResponse({"error": sentences.get(error.status_code, error.detail)}, error.status_code, error.headers)
