"""Connections to PostgreSQL: the pool with its limits, and work that outlives a lost connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar

import asyncpg
from asyncpg.connection import LoggedQuery
from asyncpg.pool import PoolConnectionProxy

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
Result = TypeVar("Result")

# A caller looks at a screen that must come within two seconds: better "try again" than a silent wait.
SETTINGS = {
    "application_name": "zamu",
    "timezone": "UTC",
    "lock_timeout": "1s",
    "statement_timeout": "2s",
    "idle_in_transaction_session_timeout": "5s",
}
CONNECT_SECONDS = 2
# The server gives up after two seconds by itself; this is for a network that swallows the answer.
COMMAND_SECONDS = 5

# What passes by itself on another connection. Nothing else is tried again.
PASSING = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InternalClientError,  # what asyncpg says when the backend was killed in the middle of an answer
    ConnectionError,
    FileNotFoundError,  # the socket of a server that is being restarted
)

# All that a statement may raise while the database, or the way to it, is not well: asyncpg's errors have no one base.
FAILED = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)


async def connect(url: str, *, size: int = 10, heard: Callable[[LoggedQuery], None] | None = None) -> Pool:
    """A pool of at most `size` connections, in UTC, where json and jsonb are Python values.

    `heard` is told of each statement when it is over, in the context of whoever made it.
    """

    async def prepare(connection: Connection) -> None:
        await _set_codecs(connection)
        if heard:
            connection.add_query_logger(heard)

    return await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size,
        init=prepare,
        reset=_leave_as_it_is,
        server_settings=SETTINGS,
        timeout=CONNECT_SECONDS,
        command_timeout=COMMAND_SECONDS,
    )


async def once_more(pool: Pool, work: Callable[[Connection], Awaitable[Result]], *, attempts: int = 3) -> Result:
    """Run `work(connection)`; where the connection or its server failed, again on a fresh one.

    The first attempt may have committed before its answer was lost: only give it work that a request key
    makes safe to repeat. The last attempt's error is raised as it is.
    """
    for attempt in range(1, attempts):
        try:
            return await _with_connection(pool, work)
        except asyncpg.ReadOnlySQLTransactionError:
            await pool.expire_connections()  # this server is no longer the primary, for none of them
        except PASSING:
            pass
        await asyncio.sleep(0.05 * attempt)  # a server that restarts or fails over needs a moment
    return await _with_connection(pool, work)


async def _with_connection(pool: Pool, work: Callable[[Connection], Awaitable[Result]]) -> Result:
    async with pool.acquire() as connection:
        try:
            return await work(connection)
        except asyncpg.InterfaceError as error:
            # Also raised for mistakes of ours, which no other connection mends.
            if _is_lost(connection):
                raise ConnectionResetError(str(error)) from error
            raise


def _is_lost(connection: Connection) -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:  # the pool has taken the dead connection back already
        return True


async def _set_codecs(connection: Connection) -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(name, encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


async def _leave_as_it_is(_connection: Connection) -> None:
    """What we set is set for one transaction, so a connection comes back clean without a question to the server."""
