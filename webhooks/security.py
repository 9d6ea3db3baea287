"""Who may call us: the secret in a gateway's path or header, and how much of a body we are ready to read."""

from __future__ import annotations

import hmac
from collections.abc import Iterable

from starlette.exceptions import HTTPException
from starlette.requests import Request

# The longest honest form, 40 steps of 182 bytes percent-encoded, is under 25 KB.
MAX_BODY = 32 * 1024


def secret_matches(given: str, accepted: Iterable[str]) -> bool:
    """Compare with every accepted secret (two live side by side while one replaces the other), in constant time."""
    matched = False
    for secret in accepted:
        matched |= hmac.compare_digest(given.encode(), secret.encode())
    return matched


async def read_body(request: Request) -> bytes:
    """The body, at most 32 KB; a longer one is refused (413) without being read."""
    too_long = HTTPException(413, "This request is too long. Nothing was changed.")
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared) > MAX_BODY:
        raise too_long
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise too_long
    return body
