"""The board on the wall: who is called where, who is next, which line is open. For everybody, so without names."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from queue_core.board import Board, BoardLine
from staff_web import assets
from staff_web.pages import etag, render

WORDS: Final[dict[str, dict[str, str]]] = {
    "en": {
        "now": "Now serving", "called": "please come", "serving": "being served", "free": "",
        "next": "Next", "nobody": "nobody waits", "waiting": "waiting", "lines": "Lines",
        "closed": "Closed", "opens": "opens {at}", "paused": "Break", "back": "back about {at}",
        "full": "No more numbers today",
        "sound_on": "Sound is on", "sound_off": "Switch sound on",
        "stale": "This board is not up to date since {at}",
        "days": "Mon Tue Wed Thu Fri Sat Sun",
    },
    "sw": {
        "now": "Anayehudumiwa sasa", "called": "tafadhali njoo", "serving": "anahudumiwa", "free": "",
        "next": "Wanaofuata", "nobody": "hakuna anayesubiri", "waiting": "wanasubiri", "lines": "Foleni",
        "closed": "Imefungwa", "opens": "itafunguliwa {at}", "paused": "Mapumziko", "back": "hadi kama {at}",
        "full": "Namba za leo zimekwisha",
        "sound_on": "Sauti imewashwa", "sound_off": "Washa sauti",
        "stale": "Ubao huu haujasasishwa tangu {at}",
        "days": "Jtatu Jnne Jtano Alh Iju Jmosi Jpili",
    },
}  # fmt: skip
CODE = re.compile("[0-9]{4}")
COLUMNS = (1, 4, 9, 16, 25)  # up to so many counters stand in one column, two, three …


@dataclass(frozen=True, slots=True)
class Shown:
    """A line as the wall shows it; `closed` says why nobody can join, and until when."""

    code: str
    name: str
    waiting: int
    next: tuple[str, ...]
    closed: str | None
    until: str


async def show(request: Request) -> Response:
    """The page, or 304 while nothing on it changed: it asks every ten seconds, socket or not."""
    code = request.path_params["code"]
    now = await request.state.hub.boards.now(code) if CODE.fullmatch(code) else None
    if now is None:
        raise HTTPException(404)
    facts = _facts(now)
    tag = etag("board", now, facts, *(assets.url(name) for name in ("board.js", "board.css")))
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"etag": tag, "cache-control": "no-store"})
    response = render("board.html", secrets.token_urlsafe(16), board=now, **facts)
    response.headers["etag"] = tag
    return response


def _facts(now: Board) -> dict[str, Any]:
    language = now.languages[0] if now.languages[0] in WORDS else "en"
    words = WORDS[language]
    columns = next((number for number, most in enumerate(COLUMNS, 1) if len(now.counters) <= most), 6)
    return {
        "language": language,
        "words": words,
        "columns": columns,
        "lines": [_shown(now, line, words, datetime.now(UTC)) for line in now.lines],
    }


def _shown(now: Board, line: BoardLine, words: dict[str, str], at: datetime) -> Shown:
    closed, until = None, ""
    if line.status == "closed" or not now.is_open:
        closed, until = words["closed"], _say(words["opens"], _when(now, now.opens_at, words, at))
    elif line.status == "paused":
        back = line.paused_until if line.paused_until and line.paused_until > at else None
        closed, until = words["paused"], _say(words["back"], _when(now, back, words, at))
    elif line.full:
        closed = words["full"]
    return Shown(line.code, line.name, line.waiting, line.next, closed, until)


def _say(words: str, at: str) -> str:
    return words.format(at=at) if at else ""


def _when(now: Board, then: datetime | None, words: dict[str, str], at: datetime) -> str:
    """`10:30` today, `Mon 08:30` on another day."""
    if then is None:
        return ""
    local = now.local(then)
    day = "" if local.date() == now.local(at).date() else words["days"].split()[local.weekday()] + " "
    return f"{day}{local:%H:%M}"


routes = [Route("/display/{code}", show, methods=["GET"])]
