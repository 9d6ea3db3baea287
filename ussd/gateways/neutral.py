"""The neutral contract: JSON with the caller's latest choice, answered with the text and whether it ends."""

from __future__ import annotations

from ussd.fields import DIALLED, dialled, from_json
from ussd.request import SORRY, BadRequest, Page, Reply, Request

CODE = "neutral"
METHODS = frozenset({"POST"})


def parse(body: bytes, _path: str = "") -> Request:
    """Raises BadRequest."""
    fields = from_json(body)
    selection = fields.text("selection")
    is_dialled = selection.endswith("#") and DIALLED.fullmatch(selection) is not None
    return Request(
        gateway=CODE,
        session_key=fields.name("session_id"),
        phone=fields.phone("phone", "KE"),
        is_first=not selection or is_dialled,
        input=None if is_dialled else selection or None,
        dialled_path=dialled(selection) if is_dialled else (),
        request_id=fields.name("request_id") if fields.text("request_id") else None,
    )


def render(page: Page, _request: Request) -> Reply:
    return Reply.json({"text": page.text, "end": page.ends})


def refuse(problem: BadRequest) -> Reply:
    """Words for whoever holds the phone, and beside them what is wrong for whoever wrote the request."""
    return Reply.json({"text": SORRY, "end": True, "error": str(problem)})
