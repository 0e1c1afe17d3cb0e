"""Trainings: start, pause, stop, and watch them (floor 10; imports starlette)."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from .. import limits
from ..page import Page
from ..refusals import Refusal, settings_of
from ..settings import Settings, choices
from ..training import Training

_POLL = 0.04
_HEARTBEAT = 2.0


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
        """Return what a training can be set to."""
        return JSONResponse(choices())

    async def train(self, request: Request) -> Response:
        """Start a training."""
        training = self._page.start(Settings.read(await settings_of(request)))
        return JSONResponse(training.model.facts(), 201)

    async def steer(self, request: Request) -> Response:
        """Pause a training, let it go on, or stop it."""
        training = self._page.training(request)
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
        training = self._page.training(request)
        if len(self._page.streams) >= limits.MAX_STREAMS:
            raise Refusal(429, f"{limits.MAX_STREAMS} pages watch trainings already; close some")
        return _Stream(self._events(training), self._page.streams)

    async def _events(self, training: Training) -> AsyncIterator[bytes]:
        rows, seen, spoken = 0, -1, time.monotonic()
        while not self._page.trainings.closing:
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
