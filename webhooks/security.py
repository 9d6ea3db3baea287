"""Who may call us: the secret in a gateway's path or header, and how much of a body we are ready to read."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

Handler = Callable[[Request], Awaitable[Response]]

# The longest honest form, 40 steps of 182 bytes percent-encoded, is under 25 KB.
MAX_BODY = 32 * 1024
BODY_SECONDS = 10.0  # and it comes at once: who sends it in drops keeps a place from others

MOST_FIELDS = 100
NOT_FOUND: Final = "Not Found"  # the words of any other 404: a wrong secret learns nothing


def by_path(secrets: Sequence[str], handler: Handler) -> Handler:
    """The secret stands in the path: gateways sign nothing. Without it there is no such page."""

    async def checked(request: Request) -> Response:
        if not secret_matches(request.path_params["secret"], secrets):
            raise HTTPException(404, NOT_FOUND)
        return await handler(request)

    return checked


def secret_matches(given: str, accepted: Iterable[str]) -> bool:
    """Compare with every accepted secret (two live side by side while one replaces the other), in constant time."""
    matched = False
    for secret in accepted:
        matched |= hmac.compare_digest(given.encode(), secret.encode())
    return matched


async def read_body(request: Request) -> bytes:
    """The body, at most 32 KB; a longer one is refused (413) without being read, a slow one (408)."""
    too_long = HTTPException(413, "This request is too long. Nothing was changed.")
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared) > MAX_BODY:
        raise too_long
    body = b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY:
                    raise too_long
    except TimeoutError:
        raise HTTPException(408, "This request came too slowly. Nothing was changed.") from None
    return body


def read_form(body: bytes) -> dict[str, str]:
    """The last of fields that are there twice, blank ones kept. Refuses (400) what has too many."""
    try:
        return dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise HTTPException(400, "The form has too many fields. Nothing was changed.") from None
