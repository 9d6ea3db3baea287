"""Hubtel, Ghana: JSON with the latest key and a type, answered with a type and a message."""

from __future__ import annotations

from ussd.fields import dialled, from_json
from ussd.request import SORRY, BadRequest, Page, Reply, Request

CODE = "hubtel"
METHODS = frozenset({"POST"})
GONE = {"release", "timeout"}


def parse(body: bytes, _path: str = "") -> Request:
    """Raises BadRequest."""
    fields = from_json(body)
    kind, message = fields.text("Type").casefold(), fields.text("Message")
    if kind not in {"initiation", "response", *GONE}:
        raise fields.bad("Type is none of Initiation, Response, Release and Timeout.")
    is_abort, is_first = kind in GONE, kind == "initiation"
    service_code = fields.service_code("ServiceCode")
    return Request(
        gateway=CODE,
        session_key=fields.name("SessionId"),
        phone="" if is_abort else fields.phone("Mobile", "GH"),
        is_first=is_first,
        service_code=service_code,
        network=fields.text("Operator"),
        input=None if is_first else message,
        dialled_path=dialled(message, service_code) if is_first else (),
        is_abort=is_abort,
        request_id=fields.text("Sequence") or None,
    )


def render(page: Page, _request: Request) -> Reply:
    return Reply.json({"Type": "Release" if page.ends else "Response", "Message": page.text})


def refuse(_problem: BadRequest) -> Reply:
    return Reply.json({"Type": "Release", "Message": SORRY})
