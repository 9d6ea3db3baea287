"""Nalo, Ghana: JSON with the latest key; MSGTYPE says that a session begins, and in the answer that it goes on."""

from __future__ import annotations

from ussd.fields import dialled, from_json
from ussd.request import SORRY, BadRequest, Page, Reply, Request

CODE = "nalo"
METHODS = frozenset({"POST"})
SCREEN = 120
ECHO = ("USERID", "MSISDN")


def parse(body: bytes, _path: str = "") -> Request:
    """The session is the phone's: SESSIONID is not always there, or not always the same. Raises BadRequest."""
    fields = from_json(body, ECHO)
    typed = fields.text("USERDATA")
    is_first = fields.says("MSGTYPE") and typed.startswith("*")  # some send true with every key
    phone = fields.phone("MSISDN", "GH")
    return Request(
        gateway=CODE,
        session_key=phone,
        phone=phone,
        is_first=is_first,
        network=fields.text("NETWORK"),
        input=None if is_first else typed,
        dialled_path=dialled(typed) if is_first else (),
        request_id=(fields.text("SESSIONID") or None) if is_first else None,
        screen=SCREEN,
        echo=fields.echo,
    )


def render(page: Page, request: Request) -> Reply:
    return _reply(page.text, request.echo, goes_on=not page.ends)


def refuse(problem: BadRequest) -> Reply:
    return _reply(SORRY, problem.echo, goes_on=False)


def _reply(text: str, echo: dict[str, str], *, goes_on: bool) -> Reply:
    return Reply.json({**dict.fromkeys(ECHO, ""), **echo, "MSG": text, "MSGTYPE": goes_on})
