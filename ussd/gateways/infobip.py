"""Infobip: JSON with the latest key; the session and the step stand in the path."""

from __future__ import annotations

import re

from ussd.fields import dialled, from_json
from ussd.request import SORRY, BadRequest, Page, Reply, Request

CODE = "infobip"
METHODS = frozenset({"POST", "PUT"})
STEP = re.compile(r"session/(?P<session>[!-.0-~]{1,128})/(?P<step>start|response|end)")


def parse(body: bytes, path: str = "") -> Request:
    """`path` is `session/<id>/<step>`. Raises BadRequest."""
    found = STEP.fullmatch(path)
    if not found:
        raise BadRequest("The path is not session/<id>/ and start, response or end.")
    session, step = found["session"], found["step"]
    if step == "end":
        return Request(CODE, session, phone="", is_first=False, is_abort=True)
    fields = from_json(body)
    is_first, typed = step == "start", fields.text("text")
    return Request(
        gateway=CODE,
        session_key=session,
        phone=fields.phone("msisdn"),
        is_first=is_first,
        input=None if is_first else typed,
        dialled_path=dialled(fields.text("shortCode")) if is_first else (),
    )


def render(page: Page, request: Request) -> Reply:
    """The first answer is always shown as a menu: an ending there is shown again, closed, at whatever key."""
    if request.is_abort:
        return Reply.json({"responseExitCode": 200, "responseMessage": ""})
    return _reply(page.text, closes=page.ends and not request.is_first)


def refuse(problem: BadRequest) -> Reply:
    return _reply(SORRY, closes=True, message=str(problem))


def _reply(text: str, *, closes: bool, message: str = "") -> Reply:
    return Reply.json({"shouldClose": closes, "ussdMenu": text, "responseExitCode": 200, "responseMessage": message})
