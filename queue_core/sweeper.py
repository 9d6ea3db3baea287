"""What the clock does to the queue: calls expire, graces end, service days are cut over, long waits are told."""

from __future__ import annotations

import asyncio
import itertools
import logging
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import asyncpg

from db.queries import load
from queue_core.calling import expire
from queue_core.core import Act, Core
from queue_core.errors import Refused
from queue_core.hours import next_opening, when

SQL = load("sweeper")
log = logging.getLogger("zamu.sweeper")

INTERVAL = 1.0  # seconds between sweeps: a call expires at most this late
SLOW_WORK_EVERY = 60  # sweeps between two looks at what need not be looked at every second
OUTAGE = timedelta(minutes=10)  # people are told of an outage only beyond this
CUT_OVER_SECONDS = 60
MORNING = time(7)  # nobody is woken at the cut-over: the text about it leaves after this local time


async def run(core: Core, stop: asyncio.Event) -> None:
    """Sweep until `stop` is set. Any number of processes may run it: one at a time does the work."""
    for turn in itertools.count():
        if stop.is_set():
            return
        try:
            await sweep(core, thorough=turn % SLOW_WORK_EVERY == 0)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
            log.warning("sweep put off: %s", type(error).__name__)
        try:
            await asyncio.wait_for(stop.wait(), INTERVAL)
        except TimeoutError:
            continue


async def sweep(core: Core, *, thorough: bool = True) -> int:
    """One sweep; the number of things done. Zero as well when another process sweeps right now.

    A thorough one also tells who waits longer than was said, asks who was not heard of for long, and forgets answers
    that nobody can ask for again, whom the last text went to, sessions that are over and log-ins tried long ago.
    """
    async with core.pool.acquire() as conn:
        if not await conn.fetchval(SQL.try_lock):
            return 0
        try:
            return await _sweep(core, thorough=thorough)
        finally:
            await conn.execute(SQL.unlock)


async def _sweep(core: Core, *, thorough: bool) -> int:
    done: int = await core.pool.fetchval(SQL.pulse, OUTAGE)
    # Before the deadlines: nobody is asked to come back into a day that is over.
    for row in await core.pool.fetch(SQL.days_over):
        done += await _cut_over(core, row)
    for row in await core.pool.fetch(SQL.due):
        # The request is named after what was seen, so that two sweepers cannot do it twice.
        act = Act("system", "system", request=f"{row['verb']}:{row['id']}:{row['version']}")
        try:
            await expire(core, act, row["id"], row["verb"], row["version"])
            done += 1
        except Refused as refusal:
            log.info("%s came too late: %s", row["verb"], refusal.code)
    if thorough:
        done += await core.pool.fetchval(SQL.slower)
        done += await core.pool.fetchval(SQL.still_there)
        for forget in (SQL.forget_answers, SQL.forget_farewells, SQL.forget_sessions, SQL.forget_tries):
            await core.pool.execute(forget)
    return done


async def _cut_over(core: Core, row: asyncpg.Record) -> int:
    zone = ZoneInfo(row["timezone"])
    now = datetime.now(UTC)
    morning = max(now, datetime.combine(now.astimezone(zone).date(), MORNING, zone))
    opening = when(next_opening(row["opening_hours"], row["timezone"], now))
    act = Act("system", "system", request=f"cut_over:{row['queue_id']}:{row['service_date']}")
    async with core.pool.acquire() as conn, conn.transaction():
        # A day with ten thousand people left takes seconds to end, in the small hours.
        await conn.execute(SQL.take_time)
        ended: int = await conn.fetchval(
            SQL.cut_over,
            act.as_json(),
            row["queue_id"],
            row["service_date"],
            morning,
            opening,
            timeout=CUT_OVER_SECONDS,
        )
    core.announce(str(row["queue_id"]))
    return ended
