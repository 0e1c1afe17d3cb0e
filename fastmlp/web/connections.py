"""Connections that are closed when their client neither asks nor reads (floor 10; imports uvicorn).

uvicorn ends a connection that stays open after an answer. It waits for ever for a first request, for the rest of a
request's headers, and for a client to read its answer: a hundred such clients, and nobody else is answered. Here such a
connection ends after `limits.IDLE_SECONDS`, and before that when a new one needs its place.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from . import limits

_LOOK_AGAIN_AFTER = 0.5
"""Seconds."""


class Connection(H11Protocol):
    """uvicorn's connection, with an end to waiting for the client."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take up a connection; where there are too many, the one that waited longest goes."""
        super().connection_made(transport)
        self._state, self._since = self._what_happened(), self.loop.time()
        self._timer = self.loop.call_later(_LOOK_AGAIN_AFTER, self._look)
        if len(self.connections) > limits.MAX_CONNECTIONS:
            waiting = [
                other
                for other in self.connections
                if isinstance(other, Connection) and other is not self and other.is_waiting
            ]
            if waiting:
                # One that never asked for anything goes before the browser of somebody who thinks.
                min(waiting, key=lambda other: (other.cycle is not None, other._since)).end()

    def connection_lost(self, exc: Exception | None) -> None:
        """Look at it no more."""
        self._timer.cancel()
        super().connection_lost(exc)

    @property
    def is_waiting(self) -> bool:
        """Whether it is the client's turn: to ask, or to read."""
        answered = self.cycle is None or self.cycle.response_complete
        return answered or self.transport.get_write_buffer_size() > 0

    def end(self) -> None:
        """Close the connection at once; what was not read is lost."""
        self.connections.discard(self)  # it makes room now, and not when the event loop comes to it
        self.transport.abort()

    def _what_happened(self) -> tuple[Any, ...]:
        """Return what changes when the client does something that counts: a whole request, or bytes that it read."""
        done = self.cycle is not None and self.cycle.response_complete
        return self.cycle, done, self.transport.get_write_buffer_size()

    def _look(self) -> None:
        state, now = self._what_happened(), self.loop.time()
        if state != self._state:
            self._state, self._since = state, now
        elif self.is_waiting and now - self._since > limits.IDLE_SECONDS:
            self.end()
            return
        self._timer = self.loop.call_later(_LOOK_AGAIN_AFTER, self._look)
