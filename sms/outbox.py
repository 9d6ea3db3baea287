"""The outbox: claim, hand over, send, mark. Every text at most once, unless its answer was lost."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from time import perf_counter
from typing import Any, TypeVar
from uuid import UUID, uuid4

import asyncpg

from db.pool import Pool
from db.queries import load
from monitoring.metrics import HAND_OVERS, LIMITS, PROVIDERS, TEXTS
from sms import delivery
from sms.encoding import segments
from sms.failover import Failover
from sms.sending import Gateway, SendFailed, Sent
from sms.texts import CannotRender

SQL = load("outbox")
log = logging.getLogger("zamu.sms")

POLL_SECONDS = 2.0
CATCH_UP_EVERY = 300  # polls: what a process that was killed left undone is found by its successor, or in ten minutes
GATHER_SECONDS = 0.01  # a busy line wakes the outbox a thousand times a second: what comes together is claimed together
CLAIM_LEASE = timedelta(seconds=10)  # claimed, not yet handed over: two statements apart
SEND_LEASE = timedelta(seconds=60)
SEND_SECONDS = 20.0  # a gateway's own time-outs end a send before this
STOP_SECONDS = 4.0  # all is over within 5 s of SIGTERM
ATTEMPTS = 3
BACK_OFF = (
    timedelta(seconds=2),
    timedelta(seconds=10),
)  # after the first and the second; ±20 % in the database
MARK_PAUSES = (0.1, 0.5, 1, 2, 4, 8)  # a database that restarts is back within these, and within the lease
DATABASE_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)

Result = TypeVar("Result")
Render = Callable[[str, str, dict[str, Any], str], str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a result means for the row. Without an outcome the attempt does not count."""

    status: str
    outcome: str | None
    pause: timedelta = timedelta()


class Outbox:
    """Sends the queued notifications; any number of processes may run one.

    `gateways` are in order of preference, `routes` name others for phones that begin in some way, `rates` are texts a
    second, and only phones that begin as one of `only_to` (none given: all) get any. `render(template, language,
    parameters, gateway)` makes the words. `in_flight` bounds the texts that one gateway has and has not answered. No
    connection is held while a provider thinks.
    """

    def __init__(
        self,
        pool: Pool,
        gateways: Sequence[Gateway],
        render: Render,
        *,
        in_flight: int = 128,
        routes: Mapping[str, Sequence[str]] | None = None,
        rates: Mapping[str, float] | None = None,
        only_to: Sequence[str] = (),
    ) -> None:
        self._pool = pool
        self._gateways = Failover(gateways, routes, rates)
        self._lookups = delivery.Lookups(pool)
        self._render = render
        self._only_to = only_to
        self._in_flight = in_flight
        self._sending: dict[asyncio.Task[None], str] = {}
        self._full: set[str] = set()
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """Something was queued just now. Without it the next poll finds it, within 2 s."""
        self._awake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop` is set; then finish what is in hand, for 4 s at most."""
        async with asyncio.TaskGroup() as group:
            background = [group.create_task(self._poll()), group.create_task(self._wake_at(stop))]
            while not stop.is_set():
                self._awake.clear()
                await self._survive(self._start_due)
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._gateways.pause):
                        await self._awake.wait()
                await asyncio.sleep(GATHER_SECONDS)
            for task in background:
                task.cancel()
        await self._finish()

    async def drain(self) -> None:
        """Send everything that is due now; returns when all of it is marked."""
        await self.tidy()
        while await self._start_due() or self._gateways.pause is not None:
            if self._sending:
                await asyncio.wait(self._sending)
            await asyncio.sleep(self._gateways.pause or 0)

    async def tidy(self) -> None:
        """End what came too late, and settle the leases of workers that died."""
        expired = await self._pool.execute(SQL.expire)
        TEXTS.labels("", "", "expired").inc(int(expired.rpartition(" ")[2]))
        for lost in await self._pool.fetch(SQL.recover):
            log.warning("a worker died with text %s handed over: it becomes unknown", lost["id"])
            await self._seek(dict(lost), self._words(lost))

    async def _poll(self) -> None:
        for turn in itertools.count():
            await self._survive(self.tidy)
            if turn % CATCH_UP_EVERY == 0:
                await self._survive(lambda: delivery.catch_up(self._pool))
            self.wake()
            await asyncio.sleep(POLL_SECONDS)

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self.wake()

    async def _survive(self, work: Callable[[], Awaitable[object]]) -> None:
        try:
            await work()
        except DATABASE_ERRORS as error:
            log.warning("the outbox waits for its database: %s", type(error).__name__)

    async def _finish(self) -> None:
        self._lookups.stop()
        if self._sending:
            await asyncio.wait(self._sending, timeout=STOP_SECONDS)
        for task in self._sending:
            task.cancel()
        if self._sending:
            log.warning("%s texts were handed over and not answered: they become unknown", len(self._sending))

    async def _start_due(self) -> int:
        """Claim what the gateways have room for, and start sending it. The number claimed."""
        return sum([await self._start_with(code) for code in self._gateways.codes])

    async def _start_with(self, code: str) -> int:
        free, token = self._free(code), uuid4()
        room, claimed = self._gateways.room(code, free), []
        if room:
            claimed = await self._pool.fetch(SQL.claim, room, token, CLAIM_LEASE, code, *self._gateways.routes)
        (self._full.add if len(claimed) == free else self._full.discard)(code)
        if claimed:
            rows = await self._pool.fetch(SQL.hand_over, token, code, SEND_LEASE, self._only_to)
            for row in sorted(rows, key=lambda row: (row["urgency"], row["due_at"])):
                if row["status"] == "sending":
                    self._start(row, token)
                else:
                    TEXTS.labels(row["template"], "", row["status"]).inc()
                    if row["error"] == "phones_alike":
                        LIMITS.labels("phones_alike").inc()
        return len(claimed)

    def _free(self, code: str) -> int:
        return self._in_flight - sum(way == code for way in self._sending.values())

    def _start(self, row: asyncpg.Record, token: UUID) -> None:
        if row["attempts"] == 1:
            waited = (row["attempted_at"] - row["due_at"]).total_seconds()
            HAND_OVERS.labels(row["template"]).observe(max(0.0, waited))
        self._gateways.begin(row["gateway"])
        task = asyncio.create_task(self._deliver(row, token))
        self._sending[task] = row["gateway"]
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        code = self._sending.pop(task)
        # Claims are made for several texts at once: two statements, however many.
        if code in self._full and self._free(code) >= self._in_flight // 4:
            self.wake()

    async def _deliver(self, row: asyncpg.Record, token: UUID) -> None:
        body = self._words(row)
        if body is None:
            await self._mark(row, token, None, SendFailed("cannot_be_written", "final"))
            return
        began = perf_counter()
        result = await self._send(row, body)
        PROVIDERS.labels(row["gateway"]).observe(perf_counter() - began)
        if self._gateways.heard(row["gateway"], result):
            self.wake()
        await self._mark(row, token, body, result)

    def _words(self, row: asyncpg.Record) -> str | None:
        try:
            return self._render(row["template"], row["language"], row["parameters"], row["gateway"])
        except CannotRender:
            log.exception("text %s cannot be written", row["id"])
            return None

    async def _send(self, row: asyncpg.Record, body: str) -> Sent | SendFailed:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                return await self._gateways[row["gateway"]].send(
                    row["phone"], body, reference=str(row["id"]), expires_in=row["expires_in"]
                )
        except TimeoutError:
            return SendFailed("timeout", "unknown")
        except Exception:  # a fault of a gateway holds up its own text, not the others
            log.exception("%s failed in a way that it should not", row["gateway"])
            return SendFailed("gateway_error", "unknown")

    async def _mark(self, row: asyncpg.Record, token: UUID, body: str | None, result: Sent | SendFailed) -> None:
        verdict = _verdict(result, row["attempts"])
        sent = result if isinstance(result, Sent) else Sent(None)
        failed = result if isinstance(result, SendFailed) else None
        marked = await self._insist(
            lambda: self._pool.fetchrow(
                SQL.mark,
                row["id"],
                token,
                verdict.status,
                verdict.outcome,
                body,
                sent.segments or (segments(body) if body else None),
                sent.cost,
                failed and failed.code,
                sent.provider_id,
                verdict.pause,
                bool(failed and failed.opted_out),
            )
        )
        if marked is None:
            return
        TEXTS.labels(row["template"], row["gateway"], marked["status"]).inc()
        if marked["provider_id"] or marked["status"] == "unknown":
            await self._insist(lambda: self._seek({**row, **marked}, body))
        elif verdict.outcome is None:
            self.wake()

    async def _seek(self, text: Mapping[str, Any], body: str | None) -> None:
        """Apply what reports have said of a text already; where nobody knows what it is called, look for it."""
        if text["provider_id"]:
            await delivery.settle(self._pool, text["gateway"], text["provider_id"])
        elif text["phone"]:
            await delivery.find_lost(self._pool, text["gateway"], text["phone"])
            if body and text["gateway"] in self._gateways:
                gateway = self._gateways[text["gateway"]]
                self._lookups.begin(gateway, text["id"], text["phone"], body, text["attempted_at"])

    async def _insist(self, work: Callable[[], Awaitable[Result]]) -> Result | None:
        """A result that is not kept makes a text unknown, so it outlives a short absence of the database."""
        for pause in MARK_PAUSES:
            try:
                return await work()
            except DATABASE_ERRORS:
                await asyncio.sleep(pause)
        log.error("what became of a text could not be kept: it becomes unknown")
        return None


def _verdict(result: Sent | SendFailed, attempts: int) -> Verdict:
    match result:
        case Sent():
            return Verdict("sent", "sent")
        case SendFailed(stops_gateway=True):
            return Verdict("queued", None)
        case SendFailed(outcome="unknown"):
            return Verdict("unknown", "unknown")
        case SendFailed(outcome="final"):
            return Verdict("failed", "failed")
    return Verdict("dead", "retry") if attempts >= ATTEMPTS else Verdict("queued", "retry", BACK_OFF[attempts - 1])
