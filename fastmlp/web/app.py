"""The page's addresses and what answers there (floor 10; imports numpy, starlette, errors, images, network).

| address | what |
|---|---|
| ``GET /``, ``GET /static/...`` | the page |
| ``GET /api/choices`` | recipes, and what else a training can be set to |
| ``GET /api/models`` | the networks in memory |
| ``POST /api/models?name=...`` | a network's file, to be loaded |
| ``GET /api/models/{id}/file`` | a network as a file |
| ``GET /api/models/{id}/weights`` | what the first neurons look for |
| ``GET /api/models/{id}/neurons/{layer}/{unit}`` | what one neuron looks for |
| ``POST /api/models/{id}/drawing?width=...&height=...`` | a byte for every pixel, to be recognised |
| ``POST /api/models/{id}/image`` | a PNG or JPEG file, to be recognised |
| ``GET /api/models/{id}/digits?wrong=...&label=...&page=...`` | test digits, with the network's answers |
| ``GET /api/models/{id}/digits/{number}`` | one test digit, looked at |
| ``POST /api/trainings`` | settings, to be trained with |
| ``POST /api/trainings/{id}/{pause, resume or stop}`` | |
| ``GET /api/trainings/{id}/events`` | how a training goes, as server-sent events |

All but the page and a network's file is JSON; an error is a status from 400 to 499 and ``{"error": "a sentence"}``.
"""

import asyncio
import contextlib
import json
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ..errors import FastMLPError
from ..images import as_digit
from ..network import Network, load
from . import limits
from .gallery import Gallery
from .guard import LOCAL, Guard
from .looking import check_network, first_weights, look, neuron
from .refusals import Refusal, body_of, settings_of, whole_number
from .settings import Settings, choices
from .shelf import Model, Shelf
from .training import Training, Trainings

STATIC = Path(__file__).parent / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_POLL = 0.04
_HEARTBEAT = 2.0


class Page:
    """Everything that the page is made of; its methods answer requests.

    Parameters
    ----------
    network : Network, optional
        What answers at first; by default one that `start_first` trains.
    name : str, default "network"
        What the page calls it.
    """

    def __init__(self, network: Network | None = None, name: str = "network") -> None:
        self.gallery, self.shelf, self.trainings = Gallery(), Shelf(), Trainings()
        self._streams: set[_Stream] = set()
        if network is not None:
            self.shelf.add(Model(name, check_network(network)))

    def routes(self) -> list[Route]:
        """Return the addresses with what answers there."""
        model, training = "/api/models/{model}", "/api/trainings/{model}"
        return [
            Route("/", self.file),
            Route("/static/{name}", self.file),
            Route("/api/choices", self.choices),
            Route("/api/models", self.models),
            Route("/api/models", self.load_model, methods=["POST"]),
            Route(f"{model}/file", self.save_model),
            Route(f"{model}/weights", self.weights),
            Route(f"{model}/neurons/{{layer}}/{{unit}}", self.neuron),
            Route(f"{model}/drawing", self.drawing, methods=["POST"]),
            Route(f"{model}/image", self.image, methods=["POST"]),
            Route(f"{model}/digits", self.digits),
            Route(f"{model}/digits/{{number}}", self.digit),
            Route("/api/trainings", self.train, methods=["POST"]),
            Route(f"{training}/events", self.events),
            Route(f"{training}/{{what}}", self.steer, methods=["POST"]),
        ]

    def start_first(self, settings: Settings) -> None:
        """Begin to train the network that answers at first."""
        self._start(settings)

    def close(self) -> None:
        """End all trainings."""
        self.trainings.close()

    @cached_property
    def _files(self) -> dict[str, tuple[bytes, str]]:
        return {
            path.name: (path.read_bytes(), _TYPES[path.suffix]) for path in STATIC.iterdir() if path.suffix in _TYPES
        }

    async def file(self, request: Request) -> Response:
        """Return a file of the page."""
        found = self._files.get(request.path_params.get("name", "index.html"))
        if found is None:
            raise Refusal(404, "the page has no such file")
        return Response(found[0], media_type=found[1], headers={"cache-control": "no-cache"})

    async def choices(self, request: Request) -> Response:
        """Return what a training can be set to."""
        return JSONResponse(choices())

    async def models(self, request: Request) -> Response:
        """Return the networks in memory."""
        return JSONResponse({"models": [model.facts() for model in self.shelf.all()]})

    async def load_model(self, request: Request) -> Response:
        """Load a network's file that the page sent."""
        name = Path(request.query_params.get("name", "") or "network").name[:60]
        body = await body_of(request, limits.MODEL_BYTES, "the network's file")
        model = await run_in_threadpool(self._load, body, name)
        return JSONResponse(model.facts(), 201)

    async def save_model(self, request: Request) -> Response:
        """Return a network as the file that `fastmlp.load` reads."""
        model = self._model(request)
        body = await run_in_threadpool(_file_of, model.look()[0])
        name = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in model.name)
        headers = {"content-disposition": f'attachment; filename="{name}.npz"'}
        return Response(body, media_type="application/octet-stream", headers=headers)

    async def weights(self, request: Request) -> Response:
        """Return what the first neurons of the first layer look for."""
        return JSONResponse(first_weights(self._model(request).look()[0]))

    async def neuron(self, request: Request) -> Response:
        """Return what a neuron looks for."""
        network, version = self._model(request).look()
        layers = network.architecture.layers
        layer = whole_number(request.path_params["layer"], "the layer", 0, len(layers) - 1)
        unit = whole_number(request.path_params["unit"], "the neuron", 0, layers[layer].units - 1)
        return JSONResponse({**neuron(network, layer, unit), "version": version})

    async def drawing(self, request: Request) -> Response:
        """Recognise a drawing, given as a byte a pixel, row by row."""
        model = self._model(request)
        sides = [
            whole_number(request.query_params.get(name), name, 1, limits.MAX_DRAWING_SIDE)
            for name in ("height", "width")
        ]
        body = await body_of(request, limits.DRAWING_BYTES, "the drawing")
        if len(body) != sides[0] * sides[1]:
            raise Refusal(
                400, f"a drawing of {sides[1]} by {sides[0]} pixels has {sides[0] * sides[1]} bytes, not {len(body)}"
            )
        # Here and not in a thread of the pool: it takes a millisecond, and a change of threads takes as long.
        return JSONResponse(_looked_at(model, np.frombuffer(body, np.uint8).reshape(sides), "the drawing"))

    async def image(self, request: Request) -> Response:
        """Recognise an image file."""
        model = self._model(request)
        body = await body_of(request, limits.IMAGE_BYTES, "the image")
        return JSONResponse(await run_in_threadpool(_looked_at, model, body, "the image"))

    async def digits(self, request: Request) -> Response:
        """Return test digits with a network's answers."""
        model, query = self._model(request), request.query_params
        wrong = whole_number(query.get("wrong"), "wrong", 0, 1, 0)
        label = None if query.get("label", "") == "" else whole_number(query["label"], "label", 0, 9)
        page = whole_number(query.get("page"), "page", 0, 10_000, 0)
        found = await run_in_threadpool(self.gallery.page, model, wrong=bool(wrong), label=label, page=page)
        return JSONResponse(found)

    async def digit(self, request: Request) -> Response:
        """Return what a network makes of a test digit."""
        model = self._model(request)
        number = whole_number(request.path_params["number"], "the digit", 0, len(self.gallery) - 1)
        network, version = model.look()
        looked, label = look(network, self.gallery.digit(number)), self.gallery.label(number)
        return JSONResponse({**looked, "label": label, "right": str(looked["digit"]) == label, "version": version})

    async def train(self, request: Request) -> Response:
        """Start a training."""
        training = self._start(Settings.read(await settings_of(request)))
        return JSONResponse(training.model.facts(), 201)

    async def steer(self, request: Request) -> Response:
        """Pause a training, let it go on, or stop it."""
        training = self._training(request)
        steps: dict[str, Callable[[], None]] = {
            "pause": training.pause,
            "resume": training.go_on,
            "stop": training.stop,
        }
        what = request.path_params["what"]
        if what not in steps:
            raise Refusal(404, f"a training can be told to {', '.join(steps)}; not to {what[:40]!r}")
        if training.is_over:
            raise Refusal(409, f"the training is over ({training.state}); start another one")
        steps[what]()
        return JSONResponse({"state": training.state})

    async def events(self, request: Request) -> Response:
        """Tell how a training goes until it is over, as server-sent events."""
        training = self._training(request)
        if len(self._streams) >= limits.MAX_STREAMS:
            raise Refusal(429, f"{limits.MAX_STREAMS} pages watch trainings already; close some")
        return _Stream(self._events(training), self._streams)

    async def _events(self, training: Training) -> AsyncIterator[bytes]:
        rows, seen, spoken = 0, -1, time.monotonic()
        while not self.trainings.closing:
            over, changes = training.is_over, training.changes  # before the rest, which may be newer
            if over or changes != seen:
                told = training.since(rows)
                rows, seen, spoken = rows + len(told["rows"]), changes, time.monotonic()
                yield f"data: {json.dumps(told)}\n\n".encode()
            elif time.monotonic() - spoken > _HEARTBEAT:
                spoken = time.monotonic()
                yield b": still here\n\n"  # by which both sides learn whether the other one is there
            if over:
                yield b"event: over\ndata: {}\n\n"
                return
            await asyncio.sleep(_POLL)

    def _start(self, settings: Settings) -> Training:
        training = Training(settings, lambda: self.gallery.dataset, self._measured)
        self.trainings.start(training, self.shelf.add)
        return training

    def _measured(self, model: Model) -> float:
        return self.gallery.accuracy(model)

    def _load(self, body: bytes, name: str) -> Model:
        with tempfile.TemporaryDirectory(prefix="fastmlp-") as folder:
            path = Path(folder) / "network.npz"
            path.write_bytes(body)
            try:
                network = load(path)
            except FastMLPError as error:
                raise Refusal(400, f"{name}: {str(error).removeprefix(f'{path}: ')}") from None
        model = Model(name, check_network(network))
        with contextlib.suppress(FastMLPError):
            model.test_accuracy = self.gallery.accuracy(model)
        return self.shelf.add(model)

    def _model(self, request: Request) -> Model:
        return self.shelf.get(request.path_params["model"])

    def _training(self, request: Request) -> Training:
        model = self._model(request)
        if model.training is None:
            raise Refusal(404, f"network {model.identity} was loaded, so there is no training of it")
        return model.training


class _Stream(StreamingResponse):
    """A response of events, which is among `others` from when it is made until it ends, in whichever way."""

    def __init__(self, events: AsyncIterator[bytes], others: "set[_Stream]") -> None:
        super().__init__(events, media_type="text/event-stream", headers={"cache-control": "no-store"})
        self._others = others
        others.add(self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._others.discard(self)


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

    handlers: dict[Any, Any] = {Refusal: _refuse, FastMLPError: _explain, HTTPException: _say}
    app = Starlette(routes=page.routes(), exception_handlers=handlers, lifespan=lifespan)
    names, any_address = hosts or (set(LOCAL), False)
    return Guard(app, names, any_address)


def _looked_at(model: Model, image: NDArray[np.uint8] | bytes, name: str) -> dict[str, Any]:
    network, version = model.look()
    return {**look(network, as_digit(image, name=name)), "version": version}


def _file_of(network: Network) -> bytes:
    with tempfile.TemporaryDirectory(prefix="fastmlp-") as folder:
        path = Path(folder) / "network.npz"
        network.save(path)
        return path.read_bytes()


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
