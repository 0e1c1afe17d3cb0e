"""Networks in memory: list, load, save, rename, delete, and the weights of their neurons (floor 10; imports starlette,
errors, network).
"""

import contextlib
import tempfile
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ...errors import FastMLPError
from ...network import Network, load
from .. import limits
from ..looking import check_network, first_weights, neuron
from ..page import Page
from ..refusals import Refusal, body_of, settings_of, whole_number
from ..shelf import Model


class Networks:
    """Answers requests about networks."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def routes(self) -> list[Route]:
        """Return the addresses with what answers there."""
        model = "/api/models/{model}"
        return [
            Route("/api/models", self.models),
            Route("/api/models", self.load_model, methods=["POST"]),
            Route(model, self.rename, methods=["PATCH"]),
            Route(model, self.delete, methods=["DELETE"]),
            Route(f"{model}/file", self.save_model),
            Route(f"{model}/weights", self.weights),
            Route(f"{model}/neurons/{{layer}}/{{unit}}", self.neuron),
        ]

    async def models(self, request: Request) -> Response:
        """Return the networks in memory."""
        return JSONResponse({"models": [model.facts() for model in self._page.shelf.all()]})

    async def load_model(self, request: Request) -> Response:
        """Load a network's file that the page sent."""
        name = Path(request.query_params.get("name", "") or "network").name[: limits.MAX_NAME]
        body = await body_of(request, limits.MODEL_BYTES, "the network's file")
        model = await run_in_threadpool(self._load, body, name)
        return JSONResponse(model.facts(), 201)

    async def rename(self, request: Request) -> Response:
        """Give a network another name."""
        wanted = (await settings_of(request)).get("name")
        name = " ".join(wanted.split()) if isinstance(wanted, str) else ""
        if not 1 <= len(name) <= limits.MAX_NAME:
            raise Refusal(400, f"name must be a text of 1 to {limits.MAX_NAME} letters, got {str(wanted)[:80]!r}")
        return JSONResponse(self._page.shelf.rename(request.path_params["model"], name).facts())

    async def delete(self, request: Request) -> Response:
        """Forget a network."""
        self._page.shelf.delete(request.path_params["model"])
        return JSONResponse({})

    async def save_model(self, request: Request) -> Response:
        """Return a network as the file that `fastmlp.load` reads."""
        model = self._page.model(request)
        body = await run_in_threadpool(_file_of, model.look()[0])
        name = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in model.name)
        headers = {"content-disposition": f'attachment; filename="{name}.npz"'}
        return Response(body, media_type="application/octet-stream", headers=headers)

    async def weights(self, request: Request) -> Response:
        """Return what the first neurons of the first layer look for."""
        return JSONResponse(first_weights(self._page.model(request).look()[0]))

    async def neuron(self, request: Request) -> Response:
        """Return what a neuron looks for."""
        network, version = self._page.model(request).look()
        layers = network.architecture.layers
        layer = whole_number(request.path_params["layer"], "the layer", 0, len(layers) - 1)
        unit = whole_number(request.path_params["unit"], "the neuron", 0, layers[layer].units - 1)
        return JSONResponse({**neuron(network, layer, unit), "version": version})

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
            model.test_accuracy = self._page.gallery.accuracy(model)
        return self._page.shelf.add(model)


def _file_of(network: Network) -> bytes:
    with tempfile.TemporaryDirectory(prefix="fastmlp-") as folder:
        path = Path(folder) / "network.npz"
        network.save(path)
        return path.read_bytes()
