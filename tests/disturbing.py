"""What a test does to a running system from outside: wait until it has come to a point, and hold it there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import asyncpg

from db.pool import Pool

WAITS_FOR_LOCK = """
select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')
"""
PATIENCE = 60  # seconds, on a machine that does many other things


async def until(pool: Pool, question: str, *args: object) -> None:
    """Until the database answers this question with true."""
    async with asyncio.timeout(PATIENCE):
        while not await pool.fetchval(question, *args):  # noqa: ASYNC110 - a row wakes nobody
            await asyncio.sleep(0.01)


@asynccontextmanager
async def held(database: str, statement: str, *args: object) -> AsyncIterator[None]:
    """The locks of a statement, in a transaction that does not end before this does."""
    holder = await asyncpg.connect(database)
    try:
        async with holder.transaction():
            await holder.execute(statement, *args)
            yield
    finally:
        await holder.close()


def line_held(database: str, queue_id: str) -> AbstractAsyncContextManager[None]:
    """A line that nobody can change meanwhile."""
    return held(database, "select from queues where id = $1 for update", queue_id)
