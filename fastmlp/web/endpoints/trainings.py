"""Trainings: start, pause, stop, and watch them (floor 10; imports starlette)."""

from collections.abc import Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..page import Page
from ..plane import plane_choices
from ..refusals import Refusal, settings_of, whole_number
from ..settings import Settings, choices
from ..streaming import Stream, follow
from ..sweep import AXES
from ..training import ADVANCES


class TrainingRequests:
    """Answers requests about trainings."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def routes(self) -> list[Route]:
        """Return the addresses with what answers there."""
        training = "/api/trainings/{model}"
        return [
            Route("/api/choices", self.choices),
            Route("/api/trainings", self.train, methods=["POST"]),
            Route(f"{training}/events", self.events),
            Route(f"{training}/{{what}}", self.steer, methods=["POST"]),
        ]

    async def choices(self, request: Request) -> Response:
        """Return what a training, a sweep and a plane can be set to."""
        return JSONResponse({**choices(), "axes": list(AXES), "plane": plane_choices()})

    async def train(self, request: Request) -> Response:
        """Start a training."""
        slow = whole_number(request.query_params.get("slow"), "slow", 0, 1, 0)
        training = self._page.start(Settings.read(await settings_of(request)), slow=bool(slow))
        return JSONResponse(training.model.facts(), 201)

    async def steer(self, request: Request) -> Response:
        """Pause a training, advance it, let it go on, or stop it."""
        training = self._page.training(request)
        steps: dict[str, Callable[[], None]] = {
            "pause": training.pause,
            "resume": training.go_on,
            "stop": training.stop,
            **{by: partial(training.advance, by) for by in ADVANCES},
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
        training = self._page.training(request)
        return Stream(follow(training, training.news, 0, lambda: self._page.trainings.closing), self._page.streams)
