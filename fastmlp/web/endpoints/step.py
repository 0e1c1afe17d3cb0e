"""One step of learning from one digit (floor 10; imports starlette, network)."""

from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ...network import Network
from ..looking import DIGITS
from ..page import Page
from ..refusals import number, whole_number
from ..step import MOST_STEPS, Lesson, Question
from .digits import digit_of


class Steps:
    """Answers requests about steps of gradient descent."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def routes(self) -> list[Route]:
        """Return the addresses with what answers there."""
        step = "/api/models/{model}/step"
        return [
            Route(step, self.step, methods=["POST"]),
            Route(f"{step}/{{layer}}/{{unit}}", self.neuron, methods=["POST"]),
            Route(f"{step}/{{layer}}/{{unit}}/{{row}}", self.derivative, methods=["POST"]),
        ]

    async def step(self, request: Request) -> Response:
        """Return both passes after some steps, and what the last one changed."""
        return await self._answer(request, lambda lesson: lesson.told())

    async def neuron(self, request: Request) -> Response:
        """Return a neuron's weights beside their derivatives."""
        layer, unit, _ = self._place(request)
        return await self._answer(request, lambda lesson: lesson.neuron(layer, unit))

    async def derivative(self, request: Request) -> Response:
        """Return the derivative by a weight, in two ways."""
        layer, unit, row = self._place(request)
        return await self._answer(request, lambda lesson: lesson.derivative(layer, row, unit))

    async def _answer(self, request: Request, work: Callable[[Lesson], dict[str, Any]]) -> Response:
        query = request.query_params
        target = whole_number(query.get("target"), "target", 0, DIGITS - 1)
        steps = whole_number(query.get("steps"), "steps", 0, MOST_STEPS, 0)
        rate = number(query.get("rate", ""), "rate", 0.0, 1e6)
        network, version = self._page.model(request).look()
        question = Question(await digit_of(request), target, rate, steps)
        found = await run_in_threadpool(_learned, network, question, work)
        return JSONResponse({**found, "version": version})

    def _place(self, request: Request) -> tuple[int, int, int]:
        """Return layer, neuron and incoming weight of an address."""
        layers, where = self._page.model(request).look()[0].architecture.layers, request.path_params
        layer = whole_number(where["layer"], "the layer", 0, len(layers) - 1)
        unit = whole_number(where["unit"], "the neuron", 0, layers[layer].units - 1)
        return layer, unit, whole_number(where.get("row", "0"), "the weight", 0, layers[layer].fan_in - 1)


def _learned(network: Network, question: Question, work: Callable[[Lesson], dict[str, Any]]) -> dict[str, Any]:
    return work(Lesson(network, question))
