"""Delivery reports: early, late, doubled or reversed, they bring a text to the same end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import asyncpg

from db.pool import Pool
from db.queries import load
from monitoring.metrics import REPORTS
from sms.sending import Gateway, Report

SQL = load("outbox")
log = logging.getLogger("zamu.sms")

KNOWN = frozenset({"sent", "delivered", "failed", "expired"})
LOOK_PAUSES = (5, 25, 90)  # seconds: most reports come within the first, and a look-up is a request


async def record(pool: Pool, gateway: str, report: Report) -> None:
    """Keep a report and apply it. One that names no text of ours waits for the text to be marked.

    Keeping and applying are two statements on purpose, as are marking a text and `settle`: whichever side
    comes second sees what the other committed, so no report is missed.
    """
    REPORTS.labels(gateway, report.status if report.status in KNOWN else "other").inc()
    await pool.execute(
        SQL.keep_report,
        gateway,
        report.provider_id,
        report.phone,
        report.status,
        report.reason,
        report.raw,
    )
    if report.reference:
        await _recognise(pool, report.reference, gateway, report.provider_id)
        await settle(pool, gateway, report.provider_id)
    elif not await settle(pool, gateway, report.provider_id) and report.phone:
        await find_lost(pool, gateway, report.phone)


async def settle(pool: Pool, gateway: str, provider_id: str) -> bool:
    """Apply the reports so far to the text of this id. False where no text has it."""
    known: bool = await pool.fetchval(SQL.settle, gateway, provider_id)
    return known


async def catch_up(pool: Pool) -> None:
    """Apply the reports that were kept and whose text never heard of them: a process died in between."""
    for text in await pool.fetch(SQL.overlooked):
        if text["provider_id"]:
            await settle(pool, text["gateway"], text["provider_id"])
        else:
            await find_lost(pool, text["gateway"], text["phone"])


async def find_lost(pool: Pool, gateway: str, phone: str) -> None:
    """Settle the texts to this phone whose answers were lost, when it is certain which reports are of them."""
    while provider_id := await pool.fetchval(SQL.find_lost, gateway, phone):
        await settle(pool, gateway, provider_id)


async def _recognise(pool: Pool, text: UUID, gateway: str, provider_id: str) -> bool:
    try:
        return await pool.fetchval(SQL.recognise, text, gateway, provider_id) is not None
    except asyncpg.UniqueViolationError:  # at this moment another text got this name
        return False


class Lookups:
    """Asks the provider, a few times, what became of texts whose answer was lost.

    One that is not found stays unknown: that the provider does not list it yet is no proof that it never will.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, gateway: Gateway, text: UUID, phone: str, body: str, since: datetime) -> None:
        """Look for this text, which was handed over at `since`, from now on."""
        task = asyncio.create_task(self._look(gateway, text, phone, body, since))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def stop(self) -> None:
        """What was not found by now is left to reports."""
        for task in self._tasks:
            task.cancel()

    async def _look(self, gateway: Gateway, text: UUID, phone: str, body: str, since: datetime) -> None:
        for pause in LOOK_PAUSES:
            await asyncio.sleep(pause)
            try:
                found = await gateway.look_up(phone, body, since)
                if found is None or await self._is_one_of(found, gateway.code, text):
                    return
            except Exception:  # nobody waits for this: a fault, or a database that is away, costs one look
                log.exception("a text could not be looked up at %s", gateway.code)

    async def _is_one_of(self, found: Sequence[Report], gateway: str, text: UUID) -> bool:
        """Two texts may say the same to the same person, so one that has a text already is passed over."""
        for report in found:
            if await _recognise(self._pool, text, gateway, report.provider_id):
                await record(self._pool, gateway, replace(report, reference=text))
                return True
        return False
