"""Runs side by side, and sweeps (floor 10; imports starlette)."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..page import Page
from ..refusals import settings_of, whole_number
from ..shelf import Model
from ..streaming import Stream, follow
from ..sweep import Plan, Sweep

_CURVES = ("loss", "accuracy", "val_loss", "val_accuracy")


class Compare:
    """Answers requests about several trainings."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def routes(self) -> list[Route]:
        """Return the addresses with what answers there."""
        sweep = "/api/sweeps/{sweep}"
        return [
            Route("/api/runs", self.runs),
            Route("/api/sweeps", self.start, methods=["POST"]),
            Route(f"{sweep}/events", self.events),
            Route(f"{sweep}/stop", self.stop, methods=["POST"]),
            Route(f"{sweep}/keep/{{number}}", self.keep, methods=["POST"]),
        ]

    async def runs(self, request: Request) -> Response:
        """Return all networks in memory with their curves."""
        return JSONResponse({"runs": [run_of(model) for model in self._page.shelf.all()]})

    async def start(self, request: Request) -> Response:
        """Start a sweep."""
        plan = Plan.read(await settings_of(request))
        sweep = Sweep(plan, lambda: self._page.gallery.dataset, self._page.gallery.accuracy)
        return JSONResponse(self._page.sweeps.start(sweep).facts(), 201)

    async def events(self, request: Request) -> Response:
        """Tell how a sweep goes until it is over, as server-sent events."""
        sweep = self._sweep(request)
        nothing_seen: list[int] = []
        told = follow(sweep, sweep.since, nothing_seen, lambda: self._page.trainings.closing)
        return Stream(told, self._page.streams)

    async def stop(self, request: Request) -> Response:
        """Stop a sweep."""
        sweep = self._sweep(request)
        sweep.stop()
        return JSONResponse({"state": sweep.state})

    async def keep(self, request: Request) -> Response:
        """Put one network of a sweep among the page's networks."""
        sweep = self._sweep(request)
        last = len(sweep.plan.settings) - 1
        number = whole_number(request.path_params["number"], "the network's number", 0, last)
        return JSONResponse(self._page.shelf.add(sweep.model(number)).facts(), 201)

    def _sweep(self, request: Request) -> Sweep:
        return self._page.sweeps.get(request.path_params["sweep"])


def run_of(model: Model) -> dict[str, Any]:
    """Return a network's facts with its curves: those of its training, or those that its file has."""
    network, _ = model.look()
    if model.training is not None:
        rows = model.training.since(0)["rows"]
        curves = {name: [row[name] for row in rows] for name in _CURVES if rows and name in rows[0]}
    else:
        columns = network.history.to_dict()["columns"]
        curves = {name: columns[name] for name in _CURVES if name in columns}
    return {**model.facts(), "curves": curves}
