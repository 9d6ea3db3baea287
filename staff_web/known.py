"""Browsers in which a person logged in before: strangers who try his log-in elsewhere do not keep him out of these."""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import Response

from staff_web.cookies import cookie
from staff_web.guard import Guard

YEAR: Final = 365 * 24 * 3600
DOOR_PATH: Final = "/staff/login"


def known(guard: Guard, headers: Headers, login: str) -> str:
    """The browser's own id if this person logged in in it before; else empty."""
    browser, _, mark = cookie(headers, _name(login)).partition(".")
    right = guard.mark(browser, login)
    return browser if browser and hmac.compare_digest(mark.encode(), right.encode()) else ""


def remember(guard: Guard, response: Response, browser: str, login: str) -> None:
    """The password was right here. A `browser` that was known keeps its id."""
    browser = browser or secrets.token_urlsafe(16)
    value = f"{browser}.{guard.mark(browser, login)}"
    response.set_cookie(
        _name(login), value, max_age=YEAR, path=DOOR_PATH, secure=True, httponly=True, samesite="strict"
    )


def _name(login: str) -> str:
    """Several may share a browser, and each has his own."""
    return f"zamu-known-{sha256(login.encode(errors='surrogatepass')).hexdigest()[:16]}"
