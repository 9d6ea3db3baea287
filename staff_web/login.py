"""Logging in and out, the password, and the second factor."""

from __future__ import annotations

import contextlib
import hmac
import secrets
from typing import Final

from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from monitoring.metrics import LIMITS, LOG_INS_REFUSED
from queue_core import accounts, panel
from queue_core.errors import Refused
from staff_web import said
from staff_web.cookies import cookie
from staff_web.guard import COOKIE, Guard, Visit, read_form
from staff_web.known import known, remember
from staff_web.pages import page, render
from staff_web.words import reason

# Before there is a session the form is bound to this one.
DOOR: Final = "__Host-zamu-door"
NO_COOKIE: Final = (
    "Your browser did not keep our cookie. Nobody was logged in. Open this page by https, allow cookies, and try again."
)


class Door:
    """The pages that nobody needs to be logged in for."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def show(self, request: Request) -> Response:
        return self._form(request)

    async def log_in(self, request: Request) -> Response:
        """A wrong password is said on the form, with the same words and after the same time for any login."""
        self._guard.check_origin(request.headers)
        form = await read_form(request)
        door = cookie(request.headers, DOOR)
        if not door or not hmac.compare_digest(form.get("csrf", "").encode(), self._guard.csrf(door).encode()):
            return self._form(request, NO_COOKIE, form)
        source = request.client.host if request.client else ""
        login = form.get("login", "").strip().lower()[:64]
        browser = known(self._guard, request.headers, login)
        try:
            token = await accounts.log_in(
                request.state.core,
                login,
                form.get("password", "")[:256],
                form.get("code", "")[:16],
                source,
                browser,
            )
        except Refused as refusal:
            LOG_INS_REFUSED.labels(refusal.code).inc()
            if refusal.code == "too_many":
                LIMITS.labels("log_ins").inc()
            return self._form(request, reason(refusal), form)
        if before := cookie(request.headers, COOKIE):
            await accounts.log_out(request.state.core, before)
        response = RedirectResponse(_after(form.get("next", "")), 303)
        set_cookie(response, token)
        remember(self._guard, response, browser, login)
        return response

    def _form(self, request: Request, wrong: str | None = None, form: dict[str, str] | None = None) -> Response:
        form = form or {"next": request.query_params.get("next", "")}
        door = cookie(request.headers, DOOR) or secrets.token_urlsafe(32)
        response = render(
            "login.html",
            secrets.token_urlsafe(16),
            422 if wrong else 200,
            csrf=self._guard.csrf(door),
            wrong=wrong,
            said=said.heard(request),
            login=form.get("login", ""),
            next=form.get("next", ""),
        )
        response.set_cookie(DOOR, door, path="/", secure=True, httponly=True, samesite="strict")
        return response


def set_cookie(response: Response, token: str) -> None:
    """For as long as the browser is open: the server knows when the session is over."""
    response.set_cookie(COOKIE, token, path="/", secure=True, httponly=True, samesite="lax")


async def log_out(visit: Visit) -> Response:
    await accounts.log_out(visit.core, cookie(visit.request.headers, COOKIE))
    response = said.then("/staff/login", "You are logged out.")
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return response


async def home(visit: Visit) -> Response:
    """Where each role begins: at his desk while it is one, or with his branches."""
    session, member = visit.session, visit.member
    if session.counter_id and session.queue_id:
        with contextlib.suppress(Refused):  # the line went to other counters, or he to another branch
            await panel.desk(visit.core, member.act(), session.counter_id, session.queue_id)
            return RedirectResponse(f"/staff/desk/{session.counter_id}/{session.queue_id}", 303)
    return RedirectResponse("/staff/branches" if member.may("schedule") else "/staff/desk", 303)


async def show_password(visit: Visit) -> Response:
    return page(visit, "password.html")


async def change_password(visit: Visit) -> Response:
    """Ends every other session of his."""
    if visit.form.get("new", "") != visit.form.get("again", ""):
        return said.then("/staff/password", "The two new passwords differ. Nothing was changed.", bad=True)
    token = await accounts.change_password(
        visit.core, visit.session, visit.form.get("old", "")[:256], visit.form.get("new", "")[:256]
    )
    response = said.then("/staff", "Your password was changed. Wherever else you were logged in, you no longer are.")
    set_cookie(response, token)
    return response


async def show_totp(visit: Visit) -> Response:
    return page(visit, "totp.html", secret=None)


async def new_totp(visit: Visit) -> Response:
    """Shows the secret once; it counts when a code of it was given back."""
    return page(visit, "totp.html", secret=await accounts.new_totp(visit.core, visit.member))


async def confirm_totp(visit: Visit) -> Response:
    await accounts.confirm_totp(
        visit.core, visit.session, visit.form.get("password", "")[:256], visit.text("code")[:16]
    )
    return said.then("/staff/totp", "From now on a code is asked for at each log-in.")


async def end_totp(visit: Visit) -> Response:
    await accounts.end_totp(visit.core, visit.session, visit.form.get("password", "")[:256])
    return said.then("/staff/totp", "The second factor is off.")


def _after(path: str) -> str:
    """Only a page of the panel: the address comes from outside."""
    url = URL(path)
    inside = path.startswith("/staff/") and not url.netloc and not url.scheme and "\\" not in path
    return path if inside and path.isprintable() else "/staff"
