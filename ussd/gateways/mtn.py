"""MTN MADAPI: JSON with the latest key and a numbered type, answered in an envelope."""

from __future__ import annotations

from ussd.fields import dialled, from_json
from ussd.request import SORRY, BadRequest, Page, Reply, Request

CODE = "mtn"
METHODS = frozenset({"POST"})
ECHO = ("sessionId", "serviceCode", "msisdn")
BEGINS, GOES_ON, ENDS = "0", "1", "2"
GONE = {ENDS, "4", "5"}  # also cancelled, and timed out


def parse(body: bytes, _path: str = "") -> Request:
    """Raises BadRequest."""
    fields = from_json(body, ECHO)
    kind, typed = fields.text("messageType"), fields.text("ussdString")
    if kind not in {BEGINS, GOES_ON, *GONE}:
        raise fields.bad("messageType is none of 0, 1, 2, 4 and 5.")
    is_abort, is_first = kind in GONE, kind == BEGINS
    service_code = fields.service_code("serviceCode")
    return Request(
        gateway=CODE,
        session_key=fields.name("sessionId"),
        phone="" if is_abort else fields.phone("msisdn"),
        is_first=is_first,
        service_code=service_code,
        input=None if is_first else typed,
        dialled_path=dialled(typed, service_code) if is_first else (),
        is_abort=is_abort,
        echo=fields.echo,
    )


def render(page: Page, request: Request) -> Reply:
    return _reply(page.text, request.echo, goes_on=not page.ends)


def refuse(problem: BadRequest) -> Reply:
    return _reply(SORRY, problem.echo, goes_on=False)


def _reply(text: str, echo: dict[str, str], *, goes_on: bool) -> Reply:
    """Their schema names the text `inboundResponse` and requires an `outboundResponse`, so it goes in both."""
    session, service_code, phone = (echo.get(name, "") for name in ECHO)
    data = {
        "inboundResponse": text,
        "outboundResponse": text,
        "userInputRequired": goes_on,
        "messageType": int(GOES_ON if goes_on else ENDS),
        "serviceCode": service_code,
        "msisdn": phone,
    }
    envelope = {"statusCode": "0000", "statusMessage": "", "transactionId": session}
    return Reply.json({**envelope, "data": data, "_link": {"self": {"href": ""}}})
