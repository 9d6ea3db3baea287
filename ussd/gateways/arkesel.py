"""Arkesel, Ghana: JSON with the latest key, answered with a message and whether the session goes on."""

from __future__ import annotations

from ussd.fields import dialled, from_json
from ussd.request import SORRY, BadRequest, Page, Reply, Request

CODE = "arkesel"
METHODS = frozenset({"POST"})
ECHO = ("sessionID", "userID", "msisdn")


def parse(body: bytes, _path: str = "") -> Request:
    """Raises BadRequest."""
    fields = from_json(body, ECHO)
    is_first, typed = fields.says("newSession"), fields.text("userData")
    return Request(
        gateway=CODE,
        session_key=fields.name("sessionID"),
        phone=fields.phone("msisdn", "GH"),
        is_first=is_first,
        network=fields.text("network"),
        input=None if is_first else typed,
        dialled_path=dialled(typed) if is_first else (),
        echo=fields.echo,
    )


def render(page: Page, request: Request) -> Reply:
    return _reply(page.text, request.echo, goes_on=not page.ends)


def refuse(problem: BadRequest) -> Reply:
    return _reply(SORRY, problem.echo, goes_on=False)


def _reply(text: str, echo: dict[str, str], *, goes_on: bool) -> Reply:
    return Reply.json({**dict.fromkeys(ECHO, ""), **echo, "message": text, "continueSession": goes_on})
