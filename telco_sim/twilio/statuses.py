"""Status callbacks: what is posted to the application after Twilio took a text, and in which order."""

from __future__ import annotations

import asyncio
import functools

from telco_sim.callbacks import encode_form
from telco_sim.exchange import Answer
from telco_sim.faults import TwilioFault
from telco_sim.telco import Telco
from telco_sim.twilio.message import Message, now
from telco_sim.twilio.signing import reachable, signed_headers

CALLBACK_SECONDS = 15.0
NORMAL = ("queued", "sent", "delivered")
SEQUENCES = {
    "normal": NORMAL,
    "early": NORMAL,
    "none": (),
    "duplicate": tuple(status for status in NORMAL for _ in range(2)),
    "reordered": tuple(reversed(NORMAL)),
    "failed": ("queued", "failed"),
    "undelivered": ("queued", "sent", "undelivered"),
}
UNDELIVERED = frozenset({"failed", "undelivered"})
DATED = frozenset({"delivered", "undelivered"})


async def follow(telco: Telco, message: Message, callback: str, fault: TwilioFault) -> None:
    """Bring a message to its end and post every status, one after the other; early ones without a pause."""
    failed = fault.reports in UNDELIVERED
    on = not telco.is_off(message.to)
    message.become(fault.reports if failed else "delivered" if on else "sent", fault.error_code if failed else None)
    await _follow(telco, message, callback, fault, SEQUENCES[fault.reports])


async def _follow(telco: Telco, message: Message, callback: str, fault: TwilioFault, statuses: tuple[str, ...]) -> None:
    for index, status in enumerate(statuses):
        if status == "delivered" and telco.is_off(message.to):
            rest = functools.partial(_arrived, telco, message, callback, fault, statuses[index:])
            telco.once_on(message.to, lambda: telco.callbacks.background(rest()))  # noqa: B023 - it ends here
            return
        if fault.reports != "early":
            await asyncio.sleep(telco.config.report_delay)
        await _post(telco, message, callback, status)


async def _arrived(
    telco: Telco, message: Message, callback: str, fault: TwilioFault, statuses: tuple[str, ...]
) -> None:
    message.become("delivered", None)
    await _follow(telco, message, callback, fault, statuses)


async def _post(telco: Telco, message: Message, callback: str, status: str) -> None:
    fields = _fields(message, status)
    answer = Answer(0, error="No status was posted.")
    if callback:
        url = reachable(telco.config, callback)
        answer = await telco.callbacks.post(
            url,
            encode_form(fields),
            seconds=CALLBACK_SECONDS,
            headers=signed_headers(telco.config, url, fields),
        )
    telco.ledger.write("twilio.report", message.to, **fields, answered=answer.status, answerError=answer.error)


def _fields(message: Message, status: str) -> dict[str, str]:
    fields = {"ErrorCode": str(message.error_code)} if status in UNDELIVERED else {}
    fields |= {
        "SmsSid": message.sid,
        "SmsStatus": status,
        "MessageStatus": status,
        "To": message.to,
        "MessageSid": message.sid,
        "AccountSid": message.account,
        "From": message.sender,
        "ApiVersion": "2010-04-01",
    }
    if status in DATED:
        fields["RawDlrDoneDate"] = f"{now():%y%m%d%H%M}"
    return fields
