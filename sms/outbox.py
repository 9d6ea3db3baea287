"""The outbox: claim, hand over, send, mark. Every text at most once, unless its answer was lost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from db.pool import Pool
from db.queries import load
from sms import delivery
from sms.encoding import segments
from sms.failover import Failover
from sms.sending import Gateway, SendFailed, Sent
from sms.texts import CannotRender

SQL = load("outbox")
log = logging.getLogger("zamu.sms")

POLL_SECONDS = 2.0
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

Render = Callable[[str, str, dict[str, Any]], str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a result means for the row. Without an outcome the attempt does not count."""

    status: str
    outcome: str | None
    pause: timedelta = timedelta()


class Outbox:
    """Sends the queued notifications; any number of processes may run one.

    `gateways` are in order of preference. `render(template, language, parameters)` makes the words.
    `in_flight` bounds the texts handed over and not answered. No connection is held while a provider thinks.
    """

    def __init__(self, pool: Pool, gateways: Sequence[Gateway], render: Render, *, in_flight: int = 128) -> None:
        self._pool = pool
        self._gateways = Failover(gateways)
        self._render = render
        self._in_flight = in_flight
        self._sending: set[asyncio.Task[None]] = set()
        self._more = False
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
                await self._awake.wait()
                await asyncio.sleep(GATHER_SECONDS)
            for task in background:
                task.cancel()
        await self._finish()

    async def drain(self) -> None:
        """Send everything that is due now; returns when all of it is marked."""
        await self.tidy()
        while await self._start_due():
            if self._sending:
                await asyncio.wait(self._sending)

    async def tidy(self) -> None:
        """End what came too late, and settle the leases of workers that died."""
        await self._pool.execute(SQL.expire)
        for lost in await self._pool.fetch(SQL.recover):
            log.warning("a worker died with text %s handed over: it becomes unknown", lost["id"])
            await delivery.find_lost(self._pool, lost["gateway"], lost["phone"])

    async def _poll(self) -> None:
        while True:
            await self._survive(self.tidy)
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
        if self._sending:
            await asyncio.wait(self._sending, timeout=STOP_SECONDS)
        for task in self._sending:
            task.cancel()
        if self._sending:
            log.warning("%s texts were handed over and not answered: they become unknown", len(self._sending))

    async def _start_due(self) -> int:
        """Claim as much as may be in flight, and start sending it. The number claimed."""
        free, gateways = self._in_flight - len(self._sending), self._gateways.open
        self._more = free == 0
        if not free or not gateways:
            return 0
        token = uuid4()
        claimed = await self._pool.fetch(SQL.claim, free, token, CLAIM_LEASE)
        self._more = len(claimed) == free
        if claimed:
            rows = await self._pool.fetch(SQL.hand_over, token, gateways, SEND_LEASE)
            for row in sorted(rows, key=lambda row: (row["urgency"], row["due_at"])):
                if row["status"] == "sending":
                    self._start(row, token)
        return len(claimed)

    def _start(self, row: asyncpg.Record, token: UUID) -> None:
        task = asyncio.create_task(self._deliver(row, token))
        self._sending.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        # Claims are made for several texts at once: two statements, however many.
        if self._more and self._in_flight - len(self._sending) >= self._in_flight // 4:
            self.wake()

    async def _deliver(self, row: asyncpg.Record, token: UUID) -> None:
        try:
            body = self._render(row["template"], row["language"], row["parameters"])
        except CannotRender:
            log.exception("text %s cannot be written", row["id"])
            await self._mark(row, token, None, SendFailed("cannot_be_written", "final"))
            return
        await self._mark(row, token, body, await self._send(row, body))

    async def _send(self, row: asyncpg.Record, body: str) -> Sent | SendFailed:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                return await self._gateways[row["gateway"]].send(row["phone"], body, reference=str(row["id"]))
        except TimeoutError:
            return SendFailed("timeout", "unknown")
        except Exception:  # a fault of a gateway holds up its own text, not the others
            log.exception("%s failed in a way that it should not", row["gateway"])
            return SendFailed("gateway_error", "unknown")

    async def _mark(self, row: asyncpg.Record, token: UUID, body: str | None, result: Sent | SendFailed) -> None:
        verdict = _verdict(result, row["attempts"])
        sent = result if isinstance(result, Sent) else Sent(None)
        failed = result if isinstance(result, SendFailed) else None
        if failed and failed.stops_gateway:
            self._gateways.rest(row["gateway"], failed)
        await self._insist(
            lambda: self._pool.execute(
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
        if provider_id := sent.provider_id:
            await self._insist(lambda: delivery.settle(self._pool, row["gateway"], provider_id))
        elif verdict.status == "unknown":
            await self._insist(lambda: delivery.find_lost(self._pool, row["gateway"], row["phone"]))
        elif verdict.outcome is None:
            self.wake()

    async def _insist(self, work: Callable[[], Awaitable[object]]) -> None:
        """A result that is not kept makes a text unknown, so it outlives a short absence of the database."""
        for pause in MARK_PAUSES:
            try:
                await work()
                return
            except DATABASE_ERRORS:
                await asyncio.sleep(pause)
        log.error("what became of a text could not be kept: it becomes unknown")


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
