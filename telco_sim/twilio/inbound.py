"""Texts to a Twilio number: a signed request to the application, whose TwiML is the answer to the phone."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace

from telco_sim.callbacks import encode_form
from telco_sim.exchange import Answer
from telco_sim.faults import InboundFault
from telco_sim.ledger import Row
from telco_sim.telco import Telco
from telco_sim.twilio.errors import UNSUBSCRIBED
from telco_sim.twilio.message import Message
from telco_sim.twilio.optout import CONFIRMATIONS, kind_of
from telco_sim.twilio.sending import send
from telco_sim.twilio.signing import signed_headers
from telco_sim.twilio.twiml import TwimlError, messages_in
from telco_sim.units import sms_parts

GATEWAY = "twilio"
WEBHOOK_SECONDS = 15.0
COUNTRIES = {
    "+1": "US",
    "+233": "GH",
    "+234": "NG",
    "+250": "RW",
    "+254": "KE",
    "+255": "TZ",
    "+256": "UG",
    "+27": "ZA",
}
BLANK = ("ToState", "ToCity", "ToZip", "FromState", "FromCity", "FromZip")


def receive(telco: Telco, phone: str, to: str, words: str) -> Row:
    """Take a text from a phone; Twilio itself obeys and answers STOP, START and HELP."""
    message = Message(
        account=telco.config.twilio_account_sid,
        sender=phone,
        to=to,
        body=words,
        parts=sms_parts(words),
        direction="inbound",
        status="received",
    )
    message.become("received")
    telco.twilio_messages.append(message)
    kind = kind_of(words)
    row = telco.ledger.write("inbound", phone, gateway=GATEWAY, to=to, text=words, id=message.sid, optOutType=kind)
    if kind == "STOP":
        telco.optouts.add((to, phone))
    elif kind == "START":
        telco.optouts.discard((to, phone))
    if kind in {"STOP", "START"}:
        telco.ledger.write("optout", phone, sender=to, optOutType=kind)
    if kind:
        _reply(telco, row, CONFIRMATIONS[kind])
    return row


async def post(telco: Telco, row: Row, _fault: InboundFault) -> Answer:
    """Post one copy, a second time when the connection was refused, and give the phone what TwiML says."""
    answer = await _attempt(telco, row, {})
    if answer.refused and telco.config.inbound_retries:
        await asyncio.sleep(telco.config.inbound_retries[0])
        answer = await _attempt(telco, row, {"I-Twilio-Idempotency-Token": str(uuid.uuid4())})
    return answer


async def _attempt(telco: Telco, row: Row, headers: dict[str, str]) -> Answer:
    url = telco.config.twilio_inbound_url
    fields = _fields(row, telco.config.twilio_account_sid)
    signed = {**headers, **signed_headers(telco.config, url, fields)}
    answer = await telco.callbacks.post(url, encode_form(fields), seconds=WEBHOOK_SECONDS, headers=signed)
    replies: list[str] = []
    try:
        replies = [] if answer.error else messages_in(answer)
    except TwimlError as wrong:
        answer = replace(answer, error=str(wrong))
    telco.ledger.write(
        "inbound.post", row.phone, gateway=GATEWAY, id=row.data["id"], answered=answer.status, answerError=answer.error
    )
    blocked = (row.data["to"], row.phone) in telco.optouts
    for reply in replies:
        _reply(telco, row, reply, blocked=blocked)
    return answer


def _reply(telco: Telco, row: Row, body: str, *, blocked: bool = False) -> None:
    message = Message(
        account=telco.config.twilio_account_sid,
        sender=row.data["to"],
        to=row.phone,
        body=body,
        parts=sms_parts(body),
        direction="outbound-reply",
        status="queued",
    )
    message.become("failed" if blocked else "delivered", UNSUBSCRIBED if blocked else None)
    send(telco, message, delivered=not blocked)


def _fields(row: Row, account: str) -> dict[str, str]:
    sid, optout = row.data["id"], row.data["optOutType"]
    return {
        **dict.fromkeys(BLANK, ""),
        "ToCountry": _country(row.data["to"]),
        "FromCountry": _country(row.phone),
        "SmsMessageSid": sid,
        "NumMedia": "0",
        "SmsSid": sid,
        "SmsStatus": "received",
        "Body": row.data["text"],
        "To": row.data["to"],
        "NumSegments": str(sms_parts(row.data["text"])),
        "MessageSid": sid,
        "AccountSid": account,
        "From": row.phone,
        **({"OptOutType": optout} if optout else {}),
        "ApiVersion": "2010-04-01",
    }


def _country(number: str) -> str:
    return next((country for prefix, country in COUNTRIES.items() if number.startswith(prefix)), "")
