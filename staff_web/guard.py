"""Who is at the other end of a page: his session, his role, and that the press of a button was really his."""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from queue_core import accounts
from queue_core.accounts import Member, Session
from queue_core.core import Act, Core
from queue_core.errors import Refused
from queue_core.staff import Permission
from staff_web import said
from staff_web.cookies import cookie
from staff_web.words import reason

log = logging.getLogger("zamu.staff")

COOKIE: Final = "__Host-zamu"
LIVE: Final = "x-live"  # the header of a page that asks by itself
NOT_FOUND: Final = "Not Found"  # the words of any other 404: what is not yours does not exist
NOT_YOURS = frozenset({"no_ticket", "no_queue", "no_counter", "no_branch", "no_staff"})
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
MAX_FORM = 16 * 1024  # bytes
FORM_SECONDS = 10.0  # who sends it in drops keeps a place from others
MOST_FIELDS = 200
LONGEST_REASON = 100
HTTP_PORT, HTTPS_PORT = 80, 443


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of somebody who is logged in. `form` is empty unless a button was pressed.

    `refused` is why that press changed nothing, when the page is the answer to it.
    """

    request: Request
    session: Session
    csrf: str
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    form: dict[str, str] = field(default_factory=dict)
    refused: Refused | None = None

    @property
    def core(self) -> Core:
        core: Core = self.request.state.core
        return core

    @property
    def member(self) -> Member:
        return self.session.member

    def path(self, name: str) -> str:
        """A part of the address, as the route names it."""
        return str(self.request.path_params[name])

    @property
    def live(self) -> bool:
        """Whether a page asks by itself, and nobody pressed or opened anything."""
        return LIVE in self.request.headers

    def text(self, name: str) -> str:
        """A field of the form without the blanks around it; empty where it was not sent."""
        return self.form.get(name, "").strip()

    def number(self, name: str, least: int, most: int) -> int:
        """A field that holds a number within bounds. Raises Refused: bad_number."""
        text = self.text(name)
        if not (text.isascii() and text.isdecimal() and len(text) < len(str(most)) + 2 and least <= int(text) <= most):
            raise Refused("bad_number", {"least": least, "most": most})
        return int(text)

    def act(self) -> Act:
        """Who pressed and why, and a name for this press of this button: the same when it is delivered again."""
        name = self.text("request")
        pressed = sha256(f"{self.request.url.path}\0{name}".encode(errors="replace")).hexdigest()
        seen = (char if char.isprintable() else " " for char in self.text("reason"))
        reason = " ".join("".join(seen).split())[:LONGEST_REASON]
        return self.member.act(f"panel:{self.member.id}:{pressed}" if name else None, reason or None)

    def seen(self, name: str = "seen") -> int | None:
        """The version that the form was made from."""
        return self.number(name, 1, 10**9) if self.text(name) else None

    def typed(self, action: str) -> dict[str, str]:
        """What was typed into the form that goes there, if it was refused; nothing where what is true now counts."""
        kept = self.refused and self.refused.code != "changed_meanwhile" and action == self.request.url.path
        return self.form if kept else {}


Handler = Callable[[Visit], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


class Guard:
    """Stands before every page of the panel. `secret` makes the tokens of forms; `public_url` is where we are."""

    def __init__(self, secret: bytes, public_url: str) -> None:
        self._secret = secret
        self._origin = origin_of(public_url)

    def page(self, handler: Handler, needs: Permission | None = "queues", *, while_new: bool = False) -> Endpoint:
        """What a logged-in person looks at. A password that somebody printed opens `while_new` pages only."""

        async def shown(request: Request) -> Response:
            visit = await self._visit(request)
            if visit is None:
                return to_login(request)
            if visit.member.must_change_password and not while_new:
                return RedirectResponse("/staff/password", 303)
            return await _answered(handler, visit, needs)

        return shown

    def action(
        self,
        handler: Handler,
        needs: Permission | None = "queues",
        *,
        back: str | Handler = "/staff",
        while_new: bool = False,
    ) -> Endpoint:
        """A button that a logged-in person pressed. A refusal is said on the page `back`.

        Where that is an address, the browser is led there; where it makes a page, that is the answer, and it has what
        was typed.
        """

        async def pressed(request: Request) -> Response:
            self.check_origin(request.headers)
            visit = await self._visit(request, active=True)
            if visit is None:
                return to_login(request)
            form = await read_form(request)
            if not hmac.compare_digest(form.pop("csrf", "").encode(), visit.csrf.encode()):
                raise HTTPException(403, "This page is too old. Nothing was changed. Go back, reload it and try again.")
            if visit.member.must_change_password and not while_new:
                return RedirectResponse("/staff/password", 303)
            visit.form.update(form)
            return await _answered(handler, visit, needs, back)

        return pressed

    def csrf(self, token: str) -> str:
        """What the forms of a session carry; nobody makes one without the server's secret."""
        return hmac.new(self._secret, b"form\0" + token.encode(), sha256).hexdigest()

    def mark(self, browser: str, login: str) -> str:
        """What a browser of this id carries once this person has logged in in it."""
        return hmac.new(self._secret, f"known\0{browser}\0{login}".encode(errors="surrogatepass"), sha256).hexdigest()

    def check_origin(self, headers: Headers) -> None:
        """Refuse (403) what another site sent. Browsers that say nothing of it are held by the form's token."""
        origin, site = headers.get("origin"), headers.get("sec-fetch-site", "same-origin")
        if (origin is not None and not self.is_ours(origin, headers)) or site not in ("same-origin", "none"):
            log.warning("a form from another site was refused")
            raise HTTPException(403, "This form was not sent from our page. Nothing was changed.")

    def is_ours(self, origin: str, headers: Headers) -> bool:
        """The public address, or this machine under whatever name of it was asked for."""
        if origin == self._origin:
            return True
        scheme, _, host = origin.partition("://")
        return scheme in ("http", "https") and host == headers.get("host") and host.rpartition(":")[0] in LOOPBACK

    async def _visit(self, request: Request, *, active: bool = False) -> Visit | None:
        """`active`: somebody did something; a page that looks by itself does not keep a session open."""
        token = cookie(request.headers, COOKIE)
        active = active or LIVE not in request.headers
        session = await accounts.session(request.state.core, token, active=active) if token else None
        return Visit(request, session, self.csrf(token)) if session else None


async def _answered(
    handler: Handler, visit: Visit, needs: Permission | None, back: str | Handler | None = None
) -> Response:
    if needs and not visit.member.may(needs):
        log.warning("%s asked for what only another role may", visit.member.login)
        raise HTTPException(403, "Your role may not do this. Nothing was changed. Ask your manager.")
    try:
        return await handler(visit)
    except Refused as refusal:
        if refusal.code in NOT_YOURS:
            log.warning("%s asked for something that is not there, or not his", visit.member.login)
            raise HTTPException(404, NOT_FOUND) from None
        if back is None:
            raise
        if isinstance(back, str):
            return said.then(back.format(**visit.request.path_params), reason(refusal), bad=True)
        return await _answered(back, replace(visit, refused=refusal), needs)


async def read_form(request: Request) -> dict[str, str]:
    """The last of fields that are there twice. Refuses what is too long (413) or slow (408), or has too many (400)."""
    body = b""
    try:
        async with asyncio.timeout(FORM_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_FORM:
                    raise HTTPException(413, "This form is too long. Nothing was changed.")
    except TimeoutError:
        raise HTTPException(408, "This form came too slowly. Nothing was changed.") from None
    try:
        fields = parse_qsl(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise HTTPException(400, "The form has too many fields. Nothing was changed.") from None
    return {name: value.replace("\0", "") for name, value in fields}


def to_login(request: Request) -> Response:
    """To the log-in page, and back to where he was if he only looked."""
    after = f"?next={quote(request.url.path)}" if request.method == "GET" and request.url.path != "/staff" else ""
    return RedirectResponse(f"/staff/login{after}", 303)


def origin_of(url: str) -> str:
    """`https://host` or `https://host:8443`, as browsers write it."""
    parts = urlsplit(url)
    usual = HTTPS_PORT if parts.scheme == "https" else HTTP_PORT
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}" + ("" if parts.port in (None, usual) else f":{parts.port}")
