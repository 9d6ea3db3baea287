"""The gateway's SMS side: `POST /version1/messaging`, as the africastalking SDK 2.0.3 uses it."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from telco_sim.endings import end
from telco_sim.faults import SmsFault
from telco_sim.recipients import BLACKLISTED, Recipient, summary
from telco_sim.reports import UNDELIVERED, post_reports
from telco_sim.telco import Telco
from telco_sim.units import sms_parts

DEFAULT_SENDER = "AFRICASTKNG"
CREATED, BAD_REQUEST, UNAUTHORIZED = 201, 400, 401
REFUSALS = {
    401: "The supplied authentication is invalid",
    429: "Too many requests",
    500: "There was an internal server error.",
}


@dataclass(frozen=True, slots=True)
class Order:
    """One send request, read from its form."""

    username: str
    numbers: list[str]
    message: str
    sender: str
    enqueue: bool

    @classmethod
    def read(cls, body: bytes) -> Order:
        """Read the form; raises KeyError with the name of a missing field."""
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        return cls(
            username=form["username"],
            numbers=[number.strip() for number in form["to"].split(",")],
            message=form["message"],
            sender=form.get("from") or DEFAULT_SENDER,
            enqueue=form.get("enqueue") == "1",
        )


async def messaging(request: Request) -> Response:
    """Accept a text for each recipient, or fail in the way that a fault or the request asks for."""
    telco: Telco = request.app.state.telco
    try:
        order = Order.read(await request.body())
    except KeyError as missing:
        return plain(BAD_REQUEST, f"Request is missing required form field {missing}")
    telco.ledger.write(
        "sms.request",
        ",".join(order.numbers),
        **{"from": order.sender},
        text=order.message,
        enqueue=order.enqueue,
    )
    chosen = telco.faults.for_sms(order.numbers)
    fault = next(iter(chosen.values()), SmsFault())
    response = await _answer(telco, order, chosen, fault, request.headers.get("apikey", ""))
    await asyncio.sleep(fault.delay)
    ending = fault.ending if response.status_code == CREATED else "answer"
    telco.ledger.write("sms.answer", ",".join(order.numbers), status=response.status_code, ending=ending)
    await end(request, telco, ending)
    return response


async def _answer(telco: Telco, order: Order, chosen: dict[str, SmsFault], fault: SmsFault, key: str) -> Response:
    if not authorized(telco, order.username, key):
        return plain(UNAUTHORIZED, REFUSALS[UNAUTHORIZED])
    if fault.status:
        return plain(fault.status, REFUSALS[fault.status])
    if order.sender not in telco.config.senders | {DEFAULT_SENDER}:
        return _told("InvalidSenderId", [])
    parts = sms_parts(order.message)
    recipients = [await _accept(telco, order, number, parts, chosen.get(number)) for number in order.numbers]
    return _told(summary(recipients, parts), recipients)


async def _accept(telco: Telco, order: Order, number: str, parts: int, fault: SmsFault | None) -> Recipient:
    fault = fault or SmsFault()
    scripted = fault.code or (BLACKLISTED if (order.sender, number) in telco.optouts else None)
    recipient = Recipient.judged(number, parts, enqueue=order.enqueue, scripted=scripted)
    arrives = recipient.accepted and fault.reports not in UNDELIVERED
    row = telco.ledger.write(
        "sms.message",
        number,
        **{"from": order.sender},
        text=order.message,
        parts=parts,
        messageId=recipient.message_id,
        statusCode=recipient.code,
        delivered=arrives and not telco.is_off(number),
    )
    if arrives:
        telco.deliver(row)
    if recipient.accepted:
        posting = telco.callbacks.background(post_reports(telco, recipient, fault))
        if fault.reports == "early":
            await asyncio.wait({posting})
    return recipient


def authorized(telco: Telco, username: str, key: str) -> bool:
    """Tell whether the request shows the account's name and its key."""
    right_key = secrets.compare_digest(key.encode(), telco.config.api_key.encode())
    return right_key and username == telco.config.username


def _told(message: str, recipients: list[Recipient]) -> Response:
    told = {"Message": message, "Recipients": [recipient.as_json() for recipient in recipients]}
    return JSONResponse({"SMSMessageData": told}, status_code=CREATED)


def plain(status: int, text: str) -> Response:
    """Answer as the gateway refuses: with a sentence, in plain text."""
    headers = {"Content-Type": "text/plain; charset=UTF-8"}
    if status == UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Basic realm="api"'
    return Response(text, status_code=status, headers=headers)
