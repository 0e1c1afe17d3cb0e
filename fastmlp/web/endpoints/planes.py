"""Planes: start one, and train its network on (floor 10; imports starlette)."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .. import limits
from ..page import Page
from ..plane import Plane, PlaneSettings
from ..refusals import settings_of, whole_number


class PlaneRequests:
    """Answers requests about planes."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def routes(self) -> list[Route]:
        """Return the addresses with what answers there."""
        return [
            Route("/api/planes", self.start, methods=["POST"]),
            Route("/api/planes/{plane}/advance", self.advance, methods=["POST"]),
        ]

    async def start(self, request: Request) -> Response:
        """Start a plane, with a network that has learned nothing yet."""
        settings = PlaneSettings.read(await settings_of(request, limits.PLANE_BYTES))
        plane = await run_in_threadpool(Plane, settings)
        facts = await run_in_threadpool(plane.facts)
        return JSONResponse({"id": self._page.planes.add(plane), **facts}, 201)

    async def advance(self, request: Request) -> Response:
        """Train on for some epochs or milliseconds, or one batch, and return what the network makes of the plane."""
        query = request.query_params
        epochs = whole_number(query.get("epochs"), "epochs", 0, limits.PLANE_EPOCHS, 0)
        milliseconds = whole_number(query.get("milliseconds"), "milliseconds", 0, limits.PLANE_MILLISECONDS, 0)
        step = whole_number(query.get("step"), "step", 0, 1, 0)
        maps = whole_number(query.get("maps"), "maps", 0, 1, 1)
        plane = self._page.planes.get(request.path_params["plane"])
        told = await run_in_threadpool(plane.advance, epochs, float(milliseconds), bool(step), bool(maps))
        return JSONResponse(told)
