"""What the page after a press says of it: carried by the browser for one page, in a cookie of half a minute."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from staff_web.cookies import cookie

COOKIE: Final = "__Host-zamu-said"
SECONDS = 30
LONGEST = 300


@dataclass(frozen=True, slots=True)
class Said:
    """Words for the person who pressed; `bad` when nothing was done."""

    words: str
    bad: bool = False


def then(path: str, words: str, *, bad: bool = False) -> Response:
    """Go to a page of ours and say something there."""
    response = RedirectResponse(path, 303)
    value = urlsafe_b64encode(json.dumps([words[:LONGEST], bad]).encode()).decode()
    response.set_cookie(COOKIE, value, max_age=SECONDS, path="/", secure=True, httponly=True, samesite="strict")
    return response


def heard(request: Request) -> Said | None:
    """What is to be said on this page. Another site cannot set a cookie of that name; its owner may put in anything."""
    try:
        words, bad = json.loads(urlsafe_b64decode(cookie(request.headers, COOKIE)))
        return Said(str(words)[:LONGEST], bool(bad))
    except (ValueError, TypeError, RecursionError):
        return None


def forget(response: Response) -> None:
    """It is said once."""
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")
