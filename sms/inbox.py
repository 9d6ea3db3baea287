"""Texts from people: each is stored, understood and answered once, however often and in whatever order it comes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from db.pool import FAILED
from db.queries import load
from queue_core import customers as people
from queue_core import staff_phones
from queue_core.core import TEXTS, Act, Core
from queue_core.tickets import dial_in_from, from_facts
from sms import commands, customers
from sms.customers import Reply, Texter
from sms.inbound import Inbound
from sms.spool import Spool
from sms.staff import Desk

SQL = load("inbound")
log = logging.getLogger("zamu.sms")

TIDY_SECONDS = 2.0
LEASE = timedelta(seconds=30)  # a handler that takes longer has died
MOST_A_MINUTE = 5  # of one phone
MOST_IN_TEN_MINUTES = 10
MOST_UNKNOWN = 2  # an hour; then silence: two machines could talk to each other for ever
MOST_BAD_CODES = 10  # an hour
WAIT_MINUTES = 10  # what somebody over the limit is told


@dataclass(frozen=True, slots=True)
class House:
    """What differs between installations. `keyword` begins each text to a short code that is shared with others."""

    help_phone: str
    brand: str = "Zamu"
    keyword: str = ""


class Inbox:
    """Handles what people text. `spool` keeps what comes while the database is away."""

    def __init__(self, core: Core, house: House, desk: Desk, spool: Spool) -> None:
        self._core = core
        self._house = house
        self._desk = desk
        self._spool = spool

    async def receive(self, message: Inbound) -> None:
        """Once this returns the text is handled, now or before. Raises what a database that is away raises.

        Then the text is kept on disk as well: the provider may repeat it or not.
        """
        try:
            await self._receive(message)
        except FAILED:
            if not commands.may_hold_a_pin(message.text):  # which is never written anywhere: the provider repeats it
                await self._spool.keep(message)
            raise

    async def run(self, stop: asyncio.Event) -> None:
        """Tidy until `stop` is set: each process has a disk of its own to look after."""
        while not stop.is_set():
            try:
                await self.tidy()
            except FAILED as error:
                log.warning("texts wait for the database: %s", type(error).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), TIDY_SECONDS)

    async def tidy(self) -> None:
        """Handle what was kept on disk, and what a process had in hand when it died."""
        await self._spool.replay(self._receive)
        for row in await self._core.pool.fetch(SQL.take_over, LEASE):
            fields = dict(row)
            inbound_id, _ = fields.pop("id"), fields.pop("received_at")
            if await self._core.pool.fetchval(SQL.done_before, _request(inbound_id)):
                await self._core.pool.execute(SQL.handled, inbound_id, None, "done_before")
            else:
                await self._handle(inbound_id, Inbound(**fields), None)

    async def _receive(self, message: Inbound) -> None:
        text, pin = commands.without_pin(message.text)
        message = replace(message, text=text)
        inbound_id = await self._core.pool.fetchval(
            SQL.receive,
            *(message.gateway, message.provider_id, message.phone, message.recipient, message.text),
            *(message.sent_at, message.opt_out, LEASE),
        )
        if inbound_id:
            await self._handle(inbound_id, message, pin)

    async def _handle(self, inbound_id: str, message: Inbound, pin: str | None) -> None:
        if message.phone is None or message.phone == message.recipient:
            await self._core.pool.execute(SQL.handled, inbound_id, None, "no_phone")
            return
        command, replies = await self._answer(inbound_id, message.phone, message, pin)
        for place, reply in enumerate(replies):
            if not reply.said:
                await self._queue(inbound_id, place, message.phone, reply)
        outcome = replies[0].template if replies else "silence"
        await self._core.pool.execute(SQL.handled, inbound_id, command, outcome)
        self._core.announce(TEXTS)

    async def _answer(
        self, inbound_id: str, phone: str, message: Inbound, pin: str | None
    ) -> tuple[str | None, Sequence[Reply]]:
        """The command that was understood, and what is answered."""
        if message.opt_out:
            await self._obey_provider(phone, message.opt_out)
            return message.opt_out, []
        known = await self._core.pool.fetchval(SQL.facts, phone, inbound_id)
        texter = Texter(
            core=self._core,
            phone=phone,
            language=known["language"],
            facts=dial_in_from(known["facts"]),
            ratable=from_facts(known["ratable"]) if known["ratable"] else None,
            act=Act("customer", "sms", request=_request(inbound_id)),
        )
        if commands.wants_no_texts(message.text, texter.language):
            return "stop", [] if texter.facts.opted_out else [await customers.stop(texter)]
        command = commands.for_staff(message.text, texter.language, keyword=self._house.keyword)
        if command and (staff := await staff_phones.of(self._core, phone)):
            return command.verb, await self._desk.answer(texter.act.request, staff, command, pin, message.sent_at)
        return await self._answer_customer(texter, message.text, known["lately"])

    async def _answer_customer(
        self, texter: Texter, text: str, lately: dict[str, Any]
    ) -> tuple[str | None, Sequence[Reply]]:
        told = lately["told"]
        if (
            lately["a_minute"] >= MOST_A_MINUTE
            or lately["ten_minutes"] >= MOST_IN_TEN_MINUTES
            or told.count("bad_code") >= MOST_BAD_CODES
        ):
            return None, [] if "too_many" in told else [Reply("too_many", {"min5": WAIT_MINUTES})]
        command = commands.read(text, texter.language, keyword=self._house.keyword)
        reply = (
            await customers.answer(texter, command, leave_asked=lately["leave_asked"]) if command else Reply("unknown")
        )
        if reply.template == "unknown" and told.count("unknown") >= MOST_UNKNOWN:
            return None, []
        return command.verb if command else None, [reply]

    async def _obey_provider(self, phone: str, word: str) -> None:
        if word == "stop":
            await people.opt_out(self._core, phone)
        elif word == "start":
            await people.opt_in(self._core, phone)

    async def _queue(self, inbound_id: str, place: int, phone: str, reply: Reply) -> None:
        ticket = reply.ticket
        everywhere: dict[str, Any] = {"brand": self._house.brand, "phone": self._house.help_phone}
        await self._core.pool.execute(
            SQL.reply,
            *(ticket and ticket.branch_id, ticket and ticket.id, phone, reply.template),
            *(reply.language, everywhere | reply.parameters, f"reply:{inbound_id}:{place}"),
        )


def _request(inbound_id: str) -> str:
    return f"sms:{inbound_id}"
