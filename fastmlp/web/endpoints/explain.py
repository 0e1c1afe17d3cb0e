"""Why a network answers as it does, and what changes its answer (floor 10; imports starlette)."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .. import limits
from ..fooling import RUNNER_UP, least_change
from ..looking import DIGITS
from ..page import Page
from ..refusals import Refusal, whole_number
from ..why import why
from .digits import digit_of


class Explain:
    """Answers requests about one digit and one network."""

    def __init__(self, page: Page) -> None:
        self._page, self._searches = page, 0

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
        names = {"": None, "runner-up": RUNNER_UP}
        target = names[wanted] if wanted in names else whole_number(wanted, "target", 0, DIGITS - 1)
        digit = await digit_of(request)
        if self._searches >= limits.MAX_SEARCHES:
            raise Refusal(429, "the server looks for other smallest changes already; try again in a moment")
        self._searches += 1
        try:
            found = await run_in_threadpool(least_change, network, digit, target)
        finally:
            self._searches -= 1
        return JSONResponse({**found, "version": version})
