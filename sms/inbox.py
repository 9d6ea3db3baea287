"""Texts from people: each is stored, understood and answered once, however often and in whatever order it comes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from db.pool import FAILED
from db.queries import load
from monitoring.metrics import LIMITS, RECEIVED, SET_ASIDE
from queue_core import customers as people
from queue_core import staff_phones
from queue_core.core import TEXTS, Act, Core
from queue_core.staff_phones import StaffPhone
from queue_core.tickets import dial_in_from, from_facts
from sms import commands, customers
from sms.commands import Command
from sms.customers import Reply, Texter
from sms.inbound import TOO_OLD, Inbound
from sms.spool import Spool
from sms.staff import NEEDS_NO_PIN, Desk

SQL = load("inbound")
log = logging.getLogger("zamu.sms")

SECONDS = 2.0  # a provider waits three for the answer to a text, and a slow disk has to be written yet
TIDY_SECONDS = 2.0
LEASE = timedelta(seconds=30)  # a handler that takes longer has died
MOST_ATTEMPTS = 5  # a text that kills whoever handles it is not tried again
MOST_A_MINUTE = 5  # of one phone
MOST_IN_TEN_MINUTES = 10
MOST_UNKNOWN = 2  # an hour; then silence: two machines could talk to each other for ever
MOST_BAD_CODES = 10  # an hour
WAIT_MINUTES = 10  # what somebody over the limit is told
# Done and not told by who did it: the event's own text tells, or a thank-you is lost. All else is done anew, and is the
# same then.
DONE_ONCE = {"join", "leave", "late", "rate", "stars", "forget_me"}


@dataclass(frozen=True, slots=True)
class House:
    """What differs between installations. `keyword` begins each text to a short code that is shared with others.

    `key` makes the marks of phones that were erased.
    """

    help_phone: str
    key: bytes = field(repr=False)
    brand: str = "Zamu"
    keyword: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """A text in hand, for the how manieth time, with the PIN that was cut out of it."""

    id: str
    attempt: int
    message: Inbound
    pin: str | None = None

    @property
    def request(self) -> str:
        return f"sms:{self.id}"


class Inbox:
    """Handles what people text. `spool` keeps what comes while the database is away."""

    def __init__(self, core: Core, house: House, desk: Desk, spool: Spool) -> None:
        self._core = core
        self._house = house
        self._desk = desk
        self._spool = spool
        self._working: set[asyncio.Task[None]] = set()

    async def receive(self, message: Inbound) -> None:
        """Once this returns the text is handled, now or before. Raises what a database that is away or hangs raises.

        Then the text is kept on disk as well: the provider may repeat it or not.
        """
        text, pin = commands.without_pin(message.text, self._house.keyword)
        message = replace(message, text=text)
        try:
            await self._in_time(self._receive(message, pin))
        except FAILED:
            if pin is None:  # which is never written anywhere: the provider repeats it
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
        await self._spool.replay(self._receive_kept)
        for row in await self._core.pool.fetch(SQL.give_up, MOST_ATTEMPTS, LEASE):
            SET_ASIDE.inc()
            log.error("text %s failed %s times and is set aside", row["id"], MOST_ATTEMPTS)
        for row in await self._core.pool.fetch(SQL.take_over, LEASE):
            fields = dict(row)
            await self._survive(Taken(fields.pop("id"), fields.pop("attempts"), Inbound(**fields)))

    async def _in_time(self, work: Coroutine[None, None, None]) -> None:
        """Raises TimeoutError at once: a cancelled statement may wait seconds for a connection that is dead."""
        task = asyncio.create_task(work)
        self._working.add(task)
        task.add_done_callback(self._forget)
        if not (await asyncio.wait({task}, timeout=SECONDS))[0]:
            task.cancel()
            raise TimeoutError
        await task

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited for it heard of it, or went away

    async def _receive(self, message: Inbound, pin: str | None) -> None:
        taken = await self._take(message, pin)
        if taken is None:
            return
        try:
            await self._handle(taken)
        except BaseException:  # also when time is up: whoever repeats it now, perhaps with a PIN, is heard
            with contextlib.suppress(*FAILED):
                await self._core.pool.execute(SQL.put_back, taken.id, taken.attempt)
            raise

    async def _receive_kept(self, message: Inbound) -> None:
        if taken := await self._take(message):
            await self._survive(taken)

    async def _survive(self, taken: Taken) -> None:
        """What fails is left in hand until its lease ends, and holds up no other. Raises OSError: all would fail."""
        try:
            await self._handle(taken)
        except OSError:
            raise
        except Exception:
            log.exception("text %s failed, and is tried again", taken.id)

    async def _take(self, message: Inbound, pin: str | None = None) -> Taken | None:
        row = await self._core.pool.fetchrow(SQL.receive, message.as_json(), LEASE)
        if row is None:
            return None
        kept = replace(message, phone=row["phone"], text=row["text"])  # it may have been erased since it came first
        return Taken(row["id"], row["attempts"], kept, pin)

    async def _handle(self, taken: Taken) -> None:
        phone = taken.message.phone
        command, replies = None, [Reply("no_phone", said=True)]
        if phone is not None and phone != taken.message.recipient:
            command, replies = await self._answer(taken, phone)
        outcome = replies[0].template if replies else "silence"
        answers = [self._as_json(place, reply) for place, reply in enumerate(replies) if not reply.said]
        await self._core.pool.execute(SQL.handled, taken.id, command, outcome, answers)
        RECEIVED.labels(taken.message.gateway, outcome).inc()
        self._core.announce(TEXTS)

    def _as_json(self, place: int, reply: Reply) -> dict[str, Any]:
        ticket = reply.ticket
        return {
            "place": place,
            "branch_id": ticket and ticket.branch_id,
            "ticket_id": ticket and ticket.id,
            "template": reply.template,
            "language": reply.language,
            "parameters": {"brand": self._house.brand, "phone": self._house.help_phone} | reply.parameters,
        }

    async def _answer(self, taken: Taken, phone: str) -> tuple[str | None, list[Reply]]:
        """The command that was understood, and what is answered."""
        message = taken.message
        if message.opt_out:
            await self._obey_provider(phone, message.opt_out)
            return message.opt_out, []
        known = await self._core.pool.fetchval(SQL.facts, phone, taken.id, TOO_OLD)
        texter = Texter(
            core=self._core,
            phone=phone,
            language=known["language"],
            facts=dial_in_from(known["facts"]),
            ratable=from_facts(known["ratable"]) if known["ratable"] else None,
            act=Act("customer", "sms", request=taken.request),
            key=self._house.key,
        )
        keyword, in_line = self._house.keyword, texter.ticket is not None
        if commands.wants_no_texts(message.text, texter.language, keyword=keyword, in_line=in_line):
            knows = texter.facts.opted_out and taken.attempt == 1
            return "stop", [] if knows else [await customers.stop(texter)]
        command = commands.for_staff(message.text, texter.language, keyword=keyword)
        if command and (staff := await staff_phones.of(self._core, phone)):
            return command.verb, await self._answer_staff(taken, staff, command, done=known["done"])
        return await self._answer_customer(texter, message.text, known)

    async def _answer_staff(self, taken: Taken, staff: StaffPhone, command: Command, *, done: bool) -> list[Reply]:
        """Who had the text in hand before may have done it and died, and a PIN died with him."""
        typed = {"guess": command.verb.replace("_", "").upper()}
        if done:
            return [Reply("staff_was_done", typed)]
        if taken.attempt > 1 and taken.pin is None and command.verb not in NEEDS_NO_PIN:
            return [Reply("staff_again", typed)]
        return await self._desk.answer(taken.request, staff, command, taken.pin, taken.message.sent_at)

    async def _answer_customer(
        self, texter: Texter, text: str, known: dict[str, Any]
    ) -> tuple[str | None, list[Reply]]:
        command = commands.read(text, texter.language, keyword=self._house.keyword)
        verb = command.verb if command else None
        if known["old"]:
            return verb, [Reply("too_old", said=True)]
        if known["done"] and verb in DONE_ONCE:
            return verb, [Reply("done_before", said=True)]
        lately = known["lately"]
        told = lately["told"]
        if (
            lately["a_minute"] >= MOST_A_MINUTE
            or lately["ten_minutes"] >= MOST_IN_TEN_MINUTES
            or told.count("bad_code") >= MOST_BAD_CODES
        ):
            LIMITS.labels("texts_received").inc()
            return None, [] if "too_many" in told else [Reply("too_many", {"min5": WAIT_MINUTES})]
        reply = Reply("unknown")
        if command:
            reply = await customers.answer(texter, command, leave_asked=lately["leave_asked"])
        if reply.template == "unknown" and told.count("unknown") >= MOST_UNKNOWN:
            return None, []
        return verb, [reply]

    async def _obey_provider(self, phone: str, word: str) -> None:
        if word == "stop":
            await people.opt_out(self._core, phone)
        elif word == "start":
            await people.opt_in(self._core, phone)
