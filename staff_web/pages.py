"""Pages from templates: a nonce for what is ours, forms that know their session, nothing that a cache may keep."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final
from uuid import uuid4
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from staff_web import assets, said
from staff_web.guard import Visit
from staff_web.security_headers import headers
from staff_web.words import ACTIONS, STATUS, how_long, people, reason, who

ENDS: Final = "x-session-ends"

ENVIRONMENT = Environment(
    loader=PackageLoader("staff_web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
ENVIRONMENT.globals.update(asset=assets.url, new_request=lambda: uuid4().hex)


def clock(at: datetime, timezone: str) -> str:
    """`10:42` on the branch's wall."""
    return f"{at.astimezone(ZoneInfo(timezone)):%H:%M}"


def groups(secret: str) -> str:
    """In fours, for whoever has to type it."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


ENVIRONMENT.globals.update(actions=ACTIONS, statuses=STATUS, who=who)
ENVIRONMENT.filters.update(clock=clock, groups=groups, how_long=how_long, people=people)


def page(visit: Visit, name: str, **facts: Any) -> Response:
    """A page for somebody who is logged in, with what is to be said of his last press.

    A page that looks by itself hears 304 while nothing changed; `facts["state"]` is all that may change.
    """
    tag = etag(visit.session.id, facts["state"]) if "state" in facts else None
    if visit.live and tag and visit.request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"etag": tag, ENDS: _seconds_left(visit)})
    words = None if visit.live else said.heard(visit.request)
    if visit.refused:
        words = said.Said(reason(visit.refused), bad=True)
    response = render(
        name,
        visit.nonce,
        422 if visit.refused else 200,
        member=visit.member,
        csrf=visit.csrf,
        typed=visit.typed,
        said=words,
        path=visit.request.url.path,
        **facts,
    )
    if tag:
        response.headers["etag"] = tag
        response.headers[ENDS] = _seconds_left(visit)
    if words:
        said.forget(response)
    return response


def _seconds_left(visit: Visit) -> str:
    """Until the session is over, so that a page that stays open can say so in time."""
    return str(round((visit.session.ends_at - datetime.now(UTC)).total_seconds()))


def render(name: str, nonce: str, /, status: int = 200, **facts: Any) -> Response:
    """A page for anybody."""
    html = ENVIRONMENT.get_template(name).render(nonce=nonce, **facts)
    return HTMLResponse(html, status, headers(nonce))


def trouble(status: int, words: str) -> Response:
    """Why there is no page, and the way back; the same to everybody."""
    html = ENVIRONMENT.get_template("trouble.html").render(nonce="", said=None, status=status, words=words)
    return HTMLResponse(html, status, headers(None))


def etag(*parts: object) -> str:
    """Of what a page shows. Weak: two pages of one state differ in the names of their forms."""
    return f'W/"{blake2b(repr(parts).encode(), digest_size=12).hexdigest()}"'
