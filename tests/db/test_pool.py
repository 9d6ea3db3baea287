"""The pool: its limits, and work that is done once more where a connection was lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from db.pool import Connection, Pool, connect, once_more

Attempt = Callable[[Connection], Awaitable[None]]


def failing(times: int, fail: Attempt) -> tuple[Callable[[Connection], Awaitable[int]], list[int]]:
    """Work that fails the first few times, and the list of its attempts."""
    attempts: list[int] = []

    async def work(connection: Connection) -> int:
        attempts.append(await connection.fetchval("select pg_backend_pid()"))
        if len(attempts) <= times:
            await fail(connection)
        return len(attempts)

    return work, attempts


async def be_killed(connection: Connection) -> None:
    await connection.execute("select pg_terminate_backend(pg_backend_pid())")


async def be_read_only(connection: Connection) -> None:
    await connection.execute("set default_transaction_read_only = on")
    await connection.execute("create table places (name text)")


async def be_cut_off(connection: Connection) -> None:
    connection.terminate()
    await connection.execute("select 1")


async def deadlock(connection: Connection) -> None:
    await connection.execute("do $$ begin raise exception 'met' using errcode = '40P01'; end $$")


async def be_unserializable(connection: Connection) -> None:
    await connection.execute("do $$ begin raise exception 'met' using errcode = '40001'; end $$")


async def be_shut_down(connection: Connection) -> None:
    await connection.execute("do $$ begin raise exception 'bye' using errcode = '57P01'; end $$")


async def be_crashed(connection: Connection) -> None:
    await connection.execute("do $$ begin raise exception 'bye' using errcode = '57P02'; end $$")


PASSING = [be_killed, be_read_only, be_cut_off, deadlock, be_unserializable, be_shut_down, be_crashed]


async def misspell(connection: Connection) -> None:
    await connection.execute("selct 1")


async def forget_an_argument(connection: Connection) -> None:
    await connection.fetch("select $1::int")


async def sleep_too_long(connection: Connection) -> None:
    await connection.execute("set statement_timeout = 10; select pg_sleep(1)")


async def break_a_rule(connection: Connection) -> None:
    await connection.execute("create temp table one (n int primary key); insert into one values (1), (1)")


@pytest.mark.parametrize("fail", PASSING)
async def test_what_passes_by_itself_is_done_once_more(pool: Pool, fail: Attempt) -> None:
    work, attempts = failing(1, fail)
    assert await once_more(pool, work) == 2
    assert len(attempts) == 2


@pytest.mark.parametrize("fail", [be_killed, be_read_only, be_cut_off])
async def test_a_broken_connection_is_not_used_again(pool: Pool, fail: Attempt) -> None:
    work, attempts = failing(1, fail)
    await once_more(pool, work)
    assert attempts[0] != attempts[1]


@pytest.mark.parametrize("fail", [misspell, forget_an_argument, sleep_too_long, break_a_rule])
async def test_a_mistake_or_a_refusal_is_not_repeated(pool: Pool, fail: Attempt) -> None:
    work, attempts = failing(9, fail)
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
        await once_more(pool, work)
    assert len(attempts) == 1


async def test_the_last_attempt_tells_what_went_wrong(pool: Pool) -> None:
    work, attempts = failing(9, deadlock)
    with pytest.raises(asyncpg.DeadlockDetectedError):
        await once_more(pool, work, attempts=2)
    assert len(attempts) == 2


async def test_the_pool_outlives_backends_killed_while_they_work(pool: Pool, database_url: str) -> None:
    killer = await asyncpg.connect(database_url)

    async def work(connection: Connection) -> int:
        number: int = await connection.fetchval("select 1 from pg_sleep(0.02)")
        return number

    async def kill() -> None:
        for _ in range(5):
            await asyncio.sleep(0.03)
            await killer.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )

    done, _ = await asyncio.gather(asyncio.gather(*(once_more(pool, work, attempts=9) for _ in range(40))), kill())
    await killer.close()
    assert done == [1] * 40
    assert await pool.fetchval("select 1") == 1


async def test_idle_connections_that_were_killed_are_replaced(pool: Pool, database_url: str) -> None:
    await asyncio.gather(*(pool.fetchval("select pg_sleep(0.01)") for _ in range(5)))
    killer = await asyncpg.connect(database_url)
    await killer.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
    )
    await killer.close()

    async def work(connection: Connection) -> int:
        number: int = await connection.fetchval("select 1")
        return number

    assert await asyncio.gather(*(once_more(pool, work) for _ in range(5))) == [1] * 5


async def test_json_is_python_both_ways(pool: Pool) -> None:
    value = {"name": "Wanjikũ", "ahead": [1, None, True]}
    assert await pool.fetchval("select $1::jsonb", value) == value
    assert await pool.fetchval("select $1::json", value) == value


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("lock_timeout", "1s"),
        ("statement_timeout", "2s"),
        ("idle_in_transaction_session_timeout", "5s"),
        ("application_name", "zamu"),
        ("timezone", "UTC"),
    ],
)
async def test_every_connection_has_its_limits(pool: Pool, setting: str, value: str) -> None:
    assert await pool.fetchval("select current_setting($1)", setting) == value


async def test_no_more_connections_are_opened_than_asked_for(database_url: str) -> None:
    pool = await connect(database_url, size=2)
    pids = await asyncio.gather(*(pool.fetchval("select pg_backend_pid() from pg_sleep(0.01)") for _ in range(8)))
    assert len(set(pids)) <= 2
    await pool.close()
