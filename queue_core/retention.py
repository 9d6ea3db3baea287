"""What time takes away, once a day: phones and names first, then the visits themselves; their figures stay."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter

from db.pool import FAILED, Connection
from db.queries import load
from queue_core.core import Core

SQL = load("retention")
log = logging.getLogger("zamu.retention")

PART = 200  # visits at once: some hundredths of a second
PAUSE = 0.02  # seconds between two parts, which are for others
LOOK_EVERY = 600  # seconds between two looks at whether a day has passed
FORGET = (
    "forget_visits", "forget_texts", "forget_inbound", "forget_reports",
    "delete_ussd_sessions", "delete_enrolments", "delete_marks",
)  # fmt: skip
DELETE = ("delete_visits", "delete_texts", "delete_inbound", "delete_reports", "delete_audit")


async def run(core: Core, keep_days: int, stop: asyncio.Event) -> None:
    """Do the day's work until `stop` is set. Any number of processes may run it: one at a time does it, once a day."""
    while not stop.is_set():
        try:
            await daily(core, keep_days, stop)
        except FAILED as error:
            log.warning("what is to be forgotten waits: %s", type(error).__name__)
        try:
            await asyncio.wait_for(stop.wait(), LOOK_EVERY)
        except TimeoutError:
            continue


async def daily(core: Core, keep_days: int, stop: asyncio.Event | None = None) -> dict[str, int] | None:
    """Forget and delete all that is past its time, in small parts; how many rows, by the name of the work.

    None when it was done today already, or another process does it now. What `stop` cuts short is gone on with later.
    """
    async with core.pool.acquire() as conn:
        if not await conn.fetchval(SQL.try_lock):
            return None
        try:
            if not await conn.fetchval(SQL.is_due):
                return None
            return await _work(conn, keep_days, stop or asyncio.Event())
        finally:
            await conn.execute(SQL.unlock)


async def _work(conn: Connection, keep_days: int, stop: asyncio.Event) -> dict[str, int]:
    done: Counter[str] = Counter()
    for name, more in [*((name, ()) for name in FORGET), *((name, (keep_days,)) for name in DELETE)]:
        while not stop.is_set() and (part := await conn.fetchval(getattr(SQL, name), PART, *more)):
            done[name] += part
            await asyncio.sleep(PAUSE)
    after: str | None = ""
    while not stop.is_set() and after is not None:
        part = await conn.fetchval(SQL.delete_customers, after, PART)
        after = part["after"]
        done["delete_customers"] += part["deleted"]
    counts = {name: number for name, number in done.items() if number}
    if not stop.is_set():
        await conn.execute(SQL.finish, counts)
        log.info("forgotten and deleted for the day: %s", counts or "nothing")
    return counts
