"""The network between a server and what it stands on is cut, half-open or slow, and nobody loses a place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.cable import Cable, plugged
from tests.disturbing import WAITS_FOR_LOCK, line_held, until
from tests.faults.crowd import crowd, join_all
from tests.faults.healing import Healing
from tests.faults.phones import Dialect, Phone
from tests.faults.test_killed import at_the_question, joined_once
from tests.faults.test_redis_away import is_called
from tests.invariants import broken
from tests.terminal import Process, Terminal
from tests.world import World, phone

SLOW = 0.02  # seconds that each piece is on its way to the database and back: another country


@dataclass(frozen=True, slots=True)
class Far:
    """A server whose PostgreSQL and Redis are each at the end of a cable."""

    server: Process
    postgres: Cable
    redis: Cable


@asynccontextmanager
async def far(terminal: Terminal) -> AsyncIterator[Far]:
    folder = parse_qs(urlsplit(terminal.environ["ZAMU_DATABASE_URL"]).query)["host"][0]
    name = urlsplit(terminal.environ["ZAMU_DATABASE_URL"]).path
    async with plugged(f"{folder}/.s.PGSQL.5432") as postgres, plugged(f"{folder}/valkey.sock") as redis:
        urls = {
            "ZAMU_DATABASE_URL": f"postgresql://zamu@{postgres.url.removeprefix('http://')}{name}",
            "ZAMU_REDIS_URL": f"redis://{redis.url.removeprefix('http://')}/0",
        }
        there = replace(terminal, environ=terminal.environ | urls)
        serving = there.serving()
        server = await asyncio.to_thread(serving.__enter__)  # it needs our loop, which carries what it says
        try:
            yield Far(server, postgres, redis)
            # asyncpg tells its own logger, in full, that it could not connect.
            assert not [line for line in server.logged if line["logger"].startswith("zamu") and "error" in line]
        finally:
            await asyncio.to_thread(serving.__exit__, None, None, None)


@pytest.mark.parametrize(
    ("how", "dialect"),
    [
        ("cut", "africastalking"),
        ("silence", "neutral"),
        pytest.param("cut", "neutral", marks=pytest.mark.long),
        pytest.param("silence", "africastalking", marks=pytest.mark.long),
    ],
)
async def test_a_join_whose_database_is_cut_off_in_the_middle_happens_once(
    terminal: Terminal, world: World, database: str, healing: Healing, dialect: Dialect, how: str
) -> None:
    """The database may do what it was asked, and nobody hears of it."""
    async with far(terminal) as there:
        caller = await at_the_question(Phone(there.server.url, phone(1), dialect))
        async with line_held(database, world.queue_ids["A"]):
            joining = asyncio.create_task(caller.press("1"))
            await until(world.pool, WAITS_FOR_LOCK)
            getattr(there.postgres, how)()
        assert (await joining).over
        there.postgres.mend()
        healing.begin()
        await joined_once(world, caller)
        healing.done()


@pytest.mark.parametrize("what", ["postgres", pytest.param("redis", marks=pytest.mark.long)])
@pytest.mark.parametrize("how", ["cut", pytest.param("silence", marks=pytest.mark.long)])
async def test_a_crowd_whose_server_is_cut_off_again_and_again_gets_one_place_each(
    terminal: Terminal, world: World, healing: Healing, what: str, how: str
) -> None:
    rounds = 3
    async with far(terminal) as there:
        callers = crowd(there.server.url, map(phone, range(1, 25)))
        joining = asyncio.create_task(join_all(callers))
        cable: Cable = getattr(there, what)
        for _ in range(rounds):
            await asyncio.sleep(0.15)
            getattr(cable, how)()
            await asyncio.sleep(0.3)
            cable.mend()
        healing.begin()
        answers = await joining
        healing.done()
        healing.times(rounds)
        await is_called(there.server, "ok")
    assert len(await world.order()) == len(callers)
    assert await broken(world.pool, answers=answers) == []


@pytest.mark.long
async def test_callers_of_a_server_far_from_its_stores_get_their_places(
    terminal: Terminal, world: World, healing: Healing
) -> None:
    async with far(terminal) as there:
        there.postgres.delay = there.redis.delay = SLOW
        callers = crowd(there.server.url, map(phone, range(1, 9)))
        answers = await join_all(callers)
        there.postgres.delay = there.redis.delay = 0
        healing.begin()
        answers += await join_all(crowd(there.server.url, map(phone, range(11, 19))))
        healing.done()
    assert await broken(world.pool, answers=answers) == []
