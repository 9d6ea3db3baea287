"""All that is stored, as it was: to see whether a request changed anything, and to begin each example from there."""

from __future__ import annotations

import asyncpg
from redis.asyncio import Redis

# What runs by itself, and what says no more than that somebody was there.
BY_ITSELF = {"heartbeats"}
NOT_COMPARED = {"staff_sessions": ("seen_at",)}
TABLES = "select table_name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'"
# Row by row, so that what is as it was is not written again.
PUT_BACK = """
delete from public.{0} now where not exists (select from kept.{0} was where was = now);
insert into public.{0} overriding system value (select * from kept.{0} except all select * from public.{0});
"""

Stored = dict[str, str]


class Kept:
    """A copy of every table beside it, in the database itself; Redis is empty."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record], redis: Redis, tables: list[str]) -> None:
        self._connection = connection
        self._redis = redis
        self._tables = tables
        self._question = " union all ".join(map(_digest, tables))
        self.first: Stored = {}  # what is there between two examples

    @classmethod
    async def of(cls, connection: asyncpg.Connection[asyncpg.Record], redis: Redis) -> Kept:
        """What is stored now, but for Redis, which is emptied."""
        found = [row[0] for row in await connection.fetch(TABLES)]
        kept = cls(connection, redis, sorted(set(found) - BY_ITSELF))
        await connection.execute("create schema kept")
        for table in kept._tables:
            await connection.execute(f"create table kept.{table} as table public.{table}")
        await redis.flushall()
        kept.first = await kept.stored()
        return kept

    async def stored(self) -> Stored:
        """A digest of each table, and each key of Redis with what it holds."""
        tables = {row[0]: row[1] for row in await self._connection.fetch(self._question)}
        keys = sorted(await self._redis.keys("*"))
        values = await self._redis.mget(keys) if keys else []
        return tables | {f"redis {key!r}": repr(value) for key, value in zip(keys, values, strict=True)}

    async def put_back(self, now: Stored | None = None) -> None:
        """Make all as it was; `now` is what is stored, where that is known."""
        changed = changes(self.first, now or await self.stored())
        if any(name.startswith("redis") for name in changed):
            await self._redis.flushall()
        tables = [table for table in self._tables if table in changed]
        if tables:
            async with self._connection.transaction():
                # Neither triggers nor foreign keys: history may be undone here.
                await self._connection.execute("set local session_replication_role = replica")
                await self._connection.execute("".join(PUT_BACK.format(table) for table in tables))


def changes(before: Stored, after: Stored) -> set[str]:
    """The tables and keys that differ."""
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def _digest(table: str) -> str:
    without = "".join(f" - '{column}'" for column in NOT_COMPARED.get(table, ()))
    row = f"(to_jsonb(t){without})::text" if without else "t::text"
    return f"select '{table}', md5(string_agg({row}, chr(10) order by {row})) from public.{table} t"  # noqa: S608
