"""Digits to recognise: drawings, image files, and test digits (floor 10; imports numpy, starlette, errors,
images, network).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ...errors import FastMLPError
from ...images import as_digit
from ...images.digit import only_shrunk
from ...network import Network
from .. import limits
from ..changes import Changes
from ..looking import PIXELS, SIDE, look, short_answer
from ..page import Page
from ..refusals import Refusal, body_of, whole_number
from ..shelf import Model


class Digits:
    """Answers requests about images of digits."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def routes(self) -> list[Route]:
        """Return the addresses with what answers there."""
        model = "/api/models/{model}"
        return [
            Route(f"{model}/drawing", self.drawing, methods=["POST"]),
            Route(f"{model}/image", self.image, methods=["POST"]),
            Route(f"{model}/seen", self.seen, methods=["POST"]),
            Route(f"{model}/digits", self.digits),
            Route(f"{model}/digits/{{number}}", self.digit),
        ]

    async def drawing(self, request: Request) -> Response:
        """Recognise a drawing, given as a byte a pixel, row by row."""
        model = self._page.model(request)
        sides = [
            whole_number(request.query_params.get(name), name, 1, limits.MAX_DRAWING_SIDE)
            for name in ("height", "width")
        ]
        body = await body_of(request, limits.DRAWING_BYTES, "the drawing")
        if len(body) != sides[0] * sides[1]:
            raise Refusal(
                400, f"a drawing of {sides[1]} by {sides[0]} pixels has {sides[0] * sides[1]} bytes, not {len(body)}"
            )
        # Here and not in a thread of the pool: it takes a millisecond, and a change of threads takes as long.
        changes = Changes.read(request.query_params)
        return JSONResponse(_looked_at(model, np.frombuffer(body, np.uint8).reshape(sides), "the drawing", changes))

    async def image(self, request: Request) -> Response:
        """Recognise an image file."""
        model = self._page.model(request)
        body = await body_of(request, limits.IMAGE_BYTES, "the image")
        changes = Changes.read(request.query_params)
        return JSONResponse(await run_in_threadpool(_looked_at, model, body, "the image", changes))

    async def seen(self, request: Request) -> Response:
        """Recognise a digit of 28 by 28 pixels as it is."""
        network, version = self._page.model(request).look()
        changes, digit = Changes.read(request.query_params), await digit_of(request)
        return JSONResponse({**_changed(network, digit, digit, changes), "version": version})

    async def digits(self, request: Request) -> Response:
        """Return test digits with a network's answers."""
        model, query = self._page.model(request), request.query_params
        wrong = whole_number(query.get("wrong"), "wrong", 0, 1, 0)
        label = None if query.get("label", "") == "" else whole_number(query["label"], "label", 0, 9)
        page = whole_number(query.get("page"), "page", 0, 10_000, 0)
        found = await run_in_threadpool(self._page.gallery.page, model, wrong=bool(wrong), label=label, page=page)
        return JSONResponse(found)

    async def digit(self, request: Request) -> Response:
        """Return what a network makes of a test digit."""
        model = self._page.model(request)
        number = whole_number(request.path_params["number"], "the digit", 0, len(self._page.gallery) - 1)
        network, version = model.look()
        digit, label = self._page.gallery.digit(number), self._page.gallery.label(number)
        looked = _changed(network, digit, digit, Changes.read(request.query_params))
        return JSONResponse({**looked, "label": label, "right": str(looked["digit"]) == label, "version": version})


def _looked_at(model: Model, image: NDArray[np.uint8] | bytes, name: str, changes: Changes) -> dict[str, Any]:
    network, version = model.look()
    centred = None
    try:
        centred = as_digit(image, name=name)
    except FastMLPError:
        if not changes.raw:  # what is only shrunk need not be one digit
            raise
    digit = only_shrunk(image, name=name) if centred is None or changes.raw else centred
    return {**_changed(network, digit, centred, changes), "version": version}


def _changed(
    network: Network, digit: NDArray[np.uint8], centred: NDArray[np.uint8] | None, changes: Changes
) -> dict[str, Any]:
    """Return what a network makes of a changed digit, and the answer without changes where there are any."""
    found = look(network, changes.apply(digit))
    return found if changes == Changes() or centred is None else {**found, "unchanged": short_answer(network, centred)}


async def digit_of(request: Request) -> NDArray[np.uint8]:
    """Return the digit in a request's body: a byte a pixel, row by row.

    Raises
    ------
    Refusal
        The body has another length.
    """
    body = await body_of(request, limits.DIGIT_BYTES, "the digit")
    if len(body) != PIXELS:
        raise Refusal(400, f"a digit of {SIDE} by {SIDE} pixels has {PIXELS} bytes, not {len(body)}")
    return np.frombuffer(body, np.uint8).reshape(SIDE, SIDE)
