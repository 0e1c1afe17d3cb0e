"""What is said to a request that cannot be met, and reading bodies no longer than allowed (floor 10; imports
starlette).
"""

import asyncio
import json
import math
from typing import Any, NoReturn

from starlette.requests import ClientDisconnect, Request

from . import limits


class Refusal(Exception):
    """A request that is not met.

    Parameters
    ----------
    status : int
        From 400 to 499, or 503 while the server closes.
    sentence : str
        What was wrong, what was expected, what to do.
    """

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


async def body_of(request: Request, limit: int, name: str) -> bytes:
    """Return the body of a request, of `limit` bytes at most.

    Raises
    ------
    Refusal
        The body is empty, too long, or took too long.
    """
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced[:20]) > limit:
        raise _too_long(name, limit)
    body = bytearray()
    try:
        async with asyncio.timeout(limits.BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise _too_long(name, limit)
    except TimeoutError:
        raise Refusal(408, f"{name} did not arrive within {limits.BODY_SECONDS:.0f} seconds; send it again") from None
    except ClientDisconnect:
        raise Refusal(400, f"{name} broke off; send it again") from None
    if not body:
        raise Refusal(400, f"{name} is empty; send it as the body of the request")
    return bytes(body)


async def settings_of(request: Request, limit: int = limits.SETTINGS_BYTES) -> dict[str, Any]:
    """Return the JSON object in the body of a request.

    Raises
    ------
    Refusal
        The body is no JSON object, or too long.
    """
    body = await body_of(request, limit, "the settings")
    try:
        found = json.loads(body.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, f"the settings must be a JSON object, and this is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise Refusal(
            400, f'the settings must be a JSON object such as {{"recipe": "keras"}}, got {type(found).__name__}'
        )
    return found


def whole_number(text: str | None, name: str, low: int, high: int, default: int | None = None) -> int:
    """Return a whole number of a request's address.

    Raises
    ------
    Refusal
        It is missing and has no default, is no whole number, or lies outside `low` to `high`.
    """
    if text is None and default is not None:
        return default
    if text is None or not (text.isascii() and text.isdecimal()) or len(text) > 9:
        raise Refusal(400, f"{name} must be a whole number from {low} to {high}, got {(text or '')[:40]!r}")
    if not low <= int(text) <= high:
        raise Refusal(400, f"{name} must lie between {low} and {high}, got {text}")
    return int(text)


def number(text: str, name: str, low: float, high: float) -> float:
    """Return a number of a request's address.

    Raises
    ------
    Refusal
        It is no number, or lies outside `low` to `high`.
    """
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not low <= found <= high:
        raise Refusal(400, f"{name} must be a number from {low:g} to {high:g}, got {text[:40]!r}")
    return found


def _too_long(name: str, limit: int) -> Refusal:
    size = f"{limit / 1e6:g} MB" if limit >= 1e6 else f"{limit / 1e3:.0f} kB"
    return Refusal(413, f"{name} may have {size} at most; send a smaller one")


def _no_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")
