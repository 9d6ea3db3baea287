"""Beem, Tanzania: JSON with a command and the latest key, answered with a command and a text."""

from __future__ import annotations

from ussd.fields import Fields, from_json
from ussd.request import SORRY, BadRequest, Page, Reply, Request

CODE = "beem"
METHODS = frozenset({"POST"})
ECHO = ("msisdn", "operator", "session_id")
LONGEST_NUMBER = 9


def parse(body: bytes, _path: str = "") -> Request:
    """Raises BadRequest."""
    fields = from_json(body, ECHO)
    command = fields.text("command").casefold()
    if command not in {"initiate", "continue", "terminate"}:
        raise fields.bad("command is none of initiate, continue and terminate.")
    is_abort, is_first = command == "terminate", command == "initiate"
    number = _number(fields)
    return Request(
        gateway=CODE,
        session_key=fields.name("session_id"),
        phone="" if is_abort else fields.phone("msisdn", "TZ"),
        is_first=is_first,
        network=fields.text("operator"),
        input=None if is_first else fields.inside("payload").text("response"),
        is_abort=is_abort,
        request_id=str(number) if number else None,  # 0 until it brings back one of ours
        echo={**fields.echo, "request_id": str(number)},
    )


def render(page: Page, request: Request) -> Reply:
    return _reply(page.text, request.echo, command="terminate" if page.ends else "continue")


def refuse(problem: BadRequest) -> Reply:
    return _reply(SORRY, problem.echo, command="terminate")


def _number(fields: Fields) -> int:
    text = fields.inside("payload").text("request_id")
    return int(text) if text.isdecimal() and len(text) <= LONGEST_NUMBER else 0


def _reply(text: str, echo: dict[str, str], *, command: str) -> Reply:
    given = {name: echo.get(name, "") for name in ECHO}
    payload = {"request_id": int(echo.get("request_id", "0")) + 1, "request": text}
    return Reply.json({**given, "command": command, "payload": payload})
