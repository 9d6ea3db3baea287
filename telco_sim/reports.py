"""Delivery reports: what is posted to the application after a text was accepted, and in which order."""

from __future__ import annotations

import asyncio
import functools

from telco_sim.callbacks import encode_form
from telco_sim.exchange import Answer
from telco_sim.faults import SmsFault
from telco_sim.recipients import Recipient
from telco_sim.telco import Telco

REPORT_SECONDS = 10.0
NORMAL = ("Sent", "Submitted", "Success")
SEQUENCES = {
    "normal": NORMAL,
    "early": NORMAL,
    "none": (),
    "duplicate": tuple(status for status in NORMAL for _ in range(2)),
    "reordered": tuple(reversed(NORMAL)),
    "failed": ("Sent", "Submitted", "Failed"),
    "rejected": ("Rejected",),
}
UNDELIVERED = frozenset({"failed", "rejected"})


async def post_reports(telco: Telco, recipient: Recipient, fault: SmsFault) -> None:
    """Post every report of one text, one after the other; early ones without a pause.

    While the phone is off there is nothing to say of what reached it, nor after that.
    """
    await _follow(telco, recipient, fault, SEQUENCES[fault.reports])


async def _follow(telco: Telco, recipient: Recipient, fault: SmsFault, statuses: tuple[str, ...]) -> None:
    for index, status in enumerate(statuses):
        if status == "Success" and telco.is_off(recipient.number):
            rest = functools.partial(_follow, telco, recipient, fault, statuses[index:])
            telco.once_on(recipient.number, lambda: telco.callbacks.background(rest()))  # noqa: B023 - it ends here
            return
        if fault.reports != "early":
            await asyncio.sleep(telco.config.report_delay)
        await _post(telco, recipient, status, fault.reason)


async def _post(telco: Telco, recipient: Recipient, status: str, reason: str) -> None:
    fields = {
        "id": recipient.message_id,
        "status": status,
        "phoneNumber": recipient.number,
        "networkCode": telco.network_of(recipient.number).code,
    }
    if status in {"Failed", "Rejected"}:
        fields["failureReason"] = reason
    answer = Answer(0, error="No delivery report was posted.")
    if telco.config.delivery_url:
        form = encode_form(fields, bare_star=telco.config.bare_star)
        answer = await telco.callbacks.post(telco.config.delivery_url, form, seconds=REPORT_SECONDS)
    telco.ledger.write(
        "sms.report",
        recipient.number,
        **fields,
        answered=answer.status,
        answerError=answer.error,
    )
