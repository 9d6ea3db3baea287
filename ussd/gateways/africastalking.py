"""Africa's Talking USSD: forms with the whole history of the session, answered with CON or END and a text."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from queue_core.errors import Refused
from queue_core.phones import normalise
from ussd.request import SORRY, BadRequest, Ended, Page, Reply, Request

CODE = "africastalking"
MOST_FIELDS = 30
SESSION_KEY = re.compile(r"[!-~]{1,128}")
SERVICE_CODE = re.compile(r"\*[0-9*]{1,9}#")


def parse(body: bytes) -> Request:
    """Raises BadRequest."""
    fields = _fields(body)
    transcript = _clean(fields.get("text", ""))
    service_code = fields.get("serviceCode", "")
    return Request(
        gateway=CODE,
        session_key=_session_key(fields),
        phone=_phone(fields),
        is_first=not transcript,
        service_code=service_code if SERVICE_CODE.fullmatch(service_code) else "",
        network=fields.get("networkCode", ""),
        transcript=transcript,
    )


def parse_end(body: bytes) -> Ended:
    """The event that a session is over; it may come late, twice or never. Raises BadRequest."""
    fields = _fields(body)
    return Ended(CODE, _session_key(fields), reached_end=fields.get("status") == "Success")


def render(page: Page, _request: Request) -> Reply:
    """The name of the screen goes with it, and comes back in the gateway's own log of the session."""
    prefix = "END" if page.ends else "CON"
    return Reply(f"{prefix} {page.text}", headers={"at-ussd-hop-metadata": page.state})


def refuse(_problem: BadRequest) -> Reply:
    """Whatever was wrong with a request, somebody holds a phone: any status but 200 shows him a failure."""
    return Reply(f"END {SORRY}")


def _fields(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        raise BadRequest("The body is no form in UTF-8.") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise BadRequest("A field is there twice.")
    return fields


def _session_key(fields: dict[str, str]) -> str:
    key = fields.get("sessionId", "")
    if not SESSION_KEY.fullmatch(key):
        raise BadRequest("sessionId is missing, or is no plain word of at most 128 characters.")
    return key


def _phone(fields: dict[str, str]) -> str:
    try:
        return normalise(fields.get("phoneNumber", ""))
    except Refused:
        raise BadRequest("phoneNumber is missing, or is no phone number.") from None


def _clean(text: str) -> str:
    """Without what no keypad types and no database stores."""
    return text if text.isprintable() else "".join(char for char in text if char.isprintable())
