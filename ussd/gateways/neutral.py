"""The neutral contract: JSON with the caller's latest choice, answered with the text and whether it ends."""

from __future__ import annotations

import json
import re

from queue_core.errors import Refused
from queue_core.phones import normalise
from ussd.request import SORRY, BadRequest, Page, Reply, Request

CODE = "neutral"
NAME = re.compile(r"[!-~]{1,128}")
DIALLED = re.compile(r"\*\d+\*\d+((?:\*\d+)*)#")


def parse(body: bytes) -> Request:
    """Raises BadRequest."""
    fields = _fields(body)
    selection = _text(fields, "selection")
    dialled = DIALLED.fullmatch(selection)
    return Request(
        gateway=CODE,
        session_key=_name(fields, "session_id"),
        phone=_phone(fields),
        is_first=not selection or dialled is not None,
        input=None if dialled else selection or None,
        dialled_path=tuple(dialled[1].split("*")[1:]) if dialled else (),
        request_id=_name(fields, "request_id") if fields.get("request_id") else None,
    )


def render(page: Page, _request: Request) -> Reply:
    return _json({"text": page.text, "end": page.ends})


def refuse(problem: BadRequest) -> Reply:
    """Words for whoever holds the phone, and beside them what is wrong for whoever wrote the request."""
    return _json({"text": SORRY, "end": True, "error": str(problem)})


def _fields(body: bytes) -> dict[str, object]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise BadRequest("The body is no JSON.") from None
    if not isinstance(fields, dict):
        raise BadRequest("The body is no JSON object.")
    return fields


def _text(fields: dict[str, object], name: str) -> str:
    """A string, or a number as JSON also writes it, without what no keypad types."""
    value = fields.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadRequest(f"{name} is no text.")
    try:
        text = str(value)
    except ValueError:  # thousands of digits
        raise BadRequest(f"{name} is too long.") from None
    return "".join(char for char in text if char.isprintable())


def _name(fields: dict[str, object], name: str) -> str:
    text = _text(fields, name)
    if not NAME.fullmatch(text):
        raise BadRequest(f"{name} is missing, or is no plain word of at most 128 characters.")
    return text


def _phone(fields: dict[str, object]) -> str:
    try:
        return normalise(_text(fields, "phone"))
    except Refused:
        raise BadRequest("phone is missing, or is no phone number.") from None


def _json(answer: dict[str, object]) -> Reply:
    return Reply(json.dumps(answer), "application/json")
