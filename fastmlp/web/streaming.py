"""Server-sent events of what goes on in a thread (floor 10; imports starlette)."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol, TypeVar

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from . import limits
from .refusals import Refusal

_POLL = 0.04
_HEARTBEAT = 2.0
_Seen = TypeVar("_Seen")


class Watched(Protocol):
    """What changes until it is over."""

    changes: int

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""


class Stream(StreamingResponse):
    """A response of events, which is among `others` from when it is made until it ends, in whichever way.

    Raises
    ------
    Refusal
        There are `limits.MAX_STREAMS` others already.
    """

    def __init__(self, events: AsyncIterator[bytes], others: "set[Stream]") -> None:
        if len(others) >= limits.MAX_STREAMS:
            raise Refusal(429, f"{limits.MAX_STREAMS} pages watch trainings already; close some")
        super().__init__(events, media_type="text/event-stream", headers={"cache-control": "no-store"})
        self._others = others
        others.add(self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._others.discard(self)


async def follow(
    watched: Watched,
    since: Callable[[_Seen], tuple[dict[str, Any], _Seen]],
    start: _Seen,
    is_closing: Callable[[], bool],
) -> AsyncIterator[bytes]:
    """Tell how something goes until it is over, or the server closes.

    Parameters
    ----------
    watched : Watched
    since : callable
        Takes what was seen so far, and returns the news and what is seen then.
    start
        What is seen at first.
    is_closing : callable
    """
    seen, known, spoken = start, -1, time.monotonic()
    while not is_closing():
        over, changes = watched.is_over, watched.changes  # before the rest, which may be newer
        if over or changes != known:
            told, seen = since(seen)
            known, spoken = changes, time.monotonic()
            yield f"data: {json.dumps(told)}\n\n".encode()
        elif time.monotonic() - spoken > _HEARTBEAT:
            spoken = time.monotonic()
            yield b": still here\n\n"  # by which both sides learn whether the other one is there
        if over:
            yield b"event: over\ndata: {}\n\n"
            return
        await asyncio.sleep(_POLL)
