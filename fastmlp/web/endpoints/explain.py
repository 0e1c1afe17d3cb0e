"""Why a network answers as it does, and what changes its answer (floor 10; imports numpy, starlette)."""

import numpy as np
from numpy.typing import NDArray
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..fooling import least_change
from ..looking import DIGITS, PIXELS, SIDE
from ..page import Page
from ..refusals import Refusal, body_of, whole_number
from ..why import why


class Explain:
    """Answers requests about one digit and one network."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def routes(self) -> list[Route]:
        """Return the addresses with what answers there."""
        model = "/api/models/{model}"
        return [
            Route(f"{model}/why/{{layer}}/{{unit}}", self.why, methods=["POST"]),
            Route(f"{model}/least-change", self.least_change, methods=["POST"]),
        ]

    async def why(self, request: Request) -> Response:
        """Return how a neuron gets its number from a digit."""
        network, version = self._page.model(request).look()
        layers = network.architecture.layers
        layer = whole_number(request.path_params["layer"], "the layer", 0, len(layers) - 1)
        unit = whole_number(request.path_params["unit"], "the neuron", 0, layers[layer].units - 1)
        digit = await digit_of(request)
        # Here for most networks: it takes a millisecond or two, and a change of threads takes as long.
        if network.architecture.n_parameters < 300_000:
            found = why(network, digit, layer, unit)
        else:
            found = await run_in_threadpool(why, network, digit, layer, unit)
        return JSONResponse({**found, "version": version})

    async def least_change(self, request: Request) -> Response:
        """Return the smallest change of a digit that was found to change the answer."""
        network, version = self._page.model(request).look()
        wanted = request.query_params.get("target", "")
        target = None if wanted == "" else whole_number(wanted, "target", 0, DIGITS - 1)
        digit = await digit_of(request)
        found = await run_in_threadpool(least_change, network, digit, target)
        return JSONResponse({**found, "version": version})


async def digit_of(request: Request) -> NDArray[np.uint8]:
    """Return the digit in a request's body: a byte a pixel, row by row.

    Raises
    ------
    Refusal
        The body has another length.
    """
    body = await body_of(request, PIXELS, "the digit")
    if len(body) != PIXELS:
        raise Refusal(400, f"a digit of {SIDE} by {SIDE} pixels has {PIXELS} bytes, not {len(body)}")
    return np.frombuffer(body, np.uint8).reshape(SIDE, SIDE)
