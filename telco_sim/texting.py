"""What a phone does with texts besides reading them: it sends one, or has a sender stopped."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable

from telco_sim import inbound
from telco_sim.callbacks import encode_form
from telco_sim.config import TEXTABLE
from telco_sim.exchange import Answer
from telco_sim.faults import InboundFault
from telco_sim.sms import DEFAULT_SENDER
from telco_sim.telco import Telco
from telco_sim.twilio import inbound as twilio_inbound

OPTOUT_SECONDS = 10.0


async def text(telco: Telco, phone: str, to: str, words: str, fault: InboundFault | None = None) -> list[Answer]:
    """Send a text, and return what the application answered to each copy the first time it was posted.

    One that is `overtaken` has no answer yet. Raises ValueError when nobody takes texts at `to`.
    """
    if to not in telco.config.numbers:
        numbers = " or ".join(telco.config.numbers) or "none at all"
        raise ValueError(f"Nobody takes texts at {to!r}; this telco serves {numbers}.")
    if telco.is_off(phone):
        raise ValueError(f"{phone} is switched off, so it sends nothing.")
    gateway = twilio_inbound if to in telco.config.twilio_numbers else inbound
    fault = fault or telco.faults.for_inbound(phone)
    row = gateway.receive(telco, phone, to, words)
    post = functools.partial(gateway.post, telco, row, fault)
    if fault.overtaken:
        telco.overtaken.setdefault(phone, []).append(functools.partial(_copies, post, fault))
        return []
    await asyncio.sleep(fault.delay)
    answers = await _copies(post, fault)
    for late in telco.overtaken.pop(phone, []):
        await late()
    return answers


async def opt_out(telco: Telco, phone: str, sender: str) -> Answer:
    """Stop a sender for one phone, and return what the application answered to that.

    Raises ValueError for a sender that is not made of letters: a text with STOP goes to a number.
    """
    if TEXTABLE.fullmatch(sender) or sender not in telco.config.senders | {DEFAULT_SENDER}:
        raise ValueError(f"{sender!r} is no alphanumeric sender of this telco, so nobody can opt out of it.")
    telco.optouts.add((sender, phone))
    telco.ledger.write("optout", phone, sender=sender)
    answer = Answer(0, error="No opt-out was posted.")
    if telco.config.optout_url:
        form = encode_form({"senderId": sender, "phoneNumber": phone}, bare_star=telco.config.bare_star)
        answer = await telco.callbacks.post(telco.config.optout_url, form, seconds=OPTOUT_SECONDS)
    telco.ledger.write("optout.post", phone, sender=sender, answered=answer.status, answerError=answer.error)
    return answer


async def _copies(post: Callable[[], Awaitable[Answer]], fault: InboundFault) -> list[Answer]:
    if fault.at_once:
        return await asyncio.gather(*(post() for _ in range(fault.deliver)))
    return [await post() for _ in range(fault.deliver)]
