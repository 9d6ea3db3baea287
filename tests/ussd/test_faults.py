"""A machine's fault never costs a place: the caller always gets words, and they are true."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from redis.asyncio import Redis

from db.pool import connect
from queue_core.core import Core
from tests.ussd.caller import Caller
from tests.ussd.conftest import HOUSE, SECRET
from tests.ussd.disturbances import Link, link, valkey
from tests.world import World, phone
from ussd import engine as engine_module
from ussd.engine import Engine
from ussd.request import Ended
from ussd.screens import SCREENS
from ussd.session import SessionStore
from ussd.session import connect as connect_redis
from ussd.visit import View, Visit

BUSY = "Sorry, the system is busy. Nothing was changed and you keep your place"
UNKNOWN = "We are still saving your request. You will get an SMS soon."


@pytest.fixture
async def wire(sessions: Redis, tmp_path: Path, gateway: str, database: str) -> AsyncIterator[tuple[Caller, Link]]:
    """Person 1, whose requests reach PostgreSQL over a link that can be cut."""
    async with link(database, tmp_path) as (url, wire):
        pool = await connect(url)
        engine = Engine(Core(pool), SessionStore(sessions, pool), HOUSE, SECRET)
        yield Caller(engine, phone(1), gateway), wire
        pool.terminate()


@pytest.fixture
async def database(world: World, seeded: object) -> str:
    """The address of the world's own database."""
    name = await world.pool.fetchval("select current_database()")
    return str(seeded.database_url).replace("/zamu?", f"/{name}?")  # type: ignore[attr-defined]


async def test_while_the_database_is_away_nothing_is_promised(wire: tuple[Caller, Link], world: World) -> None:
    caller, link = wire
    await caller.dial("*384*40*4071*1#")
    link.cut_now()
    await caller.press("1")
    caller.sees(BUSY, "Dial *384*40# again in 2 minutes.")
    assert caller.over
    link.mend()
    assert await world.ticket(1) is None
    await caller.send()
    caller.sees("Your number is A001")
    await caller.dial()
    caller.is_at("near")


async def test_menus_go_on_while_the_database_is_away(wire: tuple[Caller, Link]) -> None:
    caller, link = wire
    await caller.dial()
    link.cut_now()
    await caller.press("3", "1", "0", "2")
    caller.sees("Our SMS to you are free.")
    link.mend()
    await caller.press("00", "1", "4071")
    caller.is_at("service")


async def test_both_stores_away_is_said_in_words(tmp_path: Path, database: str) -> None:
    with valkey(tmp_path) as (url, process):
        async with connect_redis(url) as client, link(database, tmp_path) as (database_url, wire):
            pool = await connect(database_url)
            caller = Caller(Engine(Core(pool), SessionStore(client, pool), HOUSE, SECRET), phone(1))
            await caller.dial("*384*40*4071#")
            process.kill()
            process.wait()
            wire.cut_now()
            await caller.press("1")
            caller.sees(BUSY)
            wire.mend()
            await caller.send()
            caller.is_at("confirm")
            pool.terminate()


async def test_an_answer_lost_after_the_commit_is_not_called_nothing(wire: tuple[Caller, Link], world: World) -> None:
    caller, link = wire
    await caller.dial("*384*40*4071*1#")
    link.last_words = b'"channel": "ussd"'
    await caller.press("1")
    caller.sees(UNKNOWN, "Or dial *384*40# to see your place.")
    link.mend()
    while await world.ticket(1) is None:  # noqa: ASYNC110 - it is PostgreSQL that we wait for
        await asyncio.sleep(0.01)
    await caller.send()
    caller.sees("Your number is A001")
    assert await world.order() == ["A001"]
    assert await world.texts(1) == ["joined"]


async def test_a_line_that_is_held_too_long_is_a_busy_system(caller: Caller, world: World) -> None:
    await caller.dial("*384*40*4071*1#")
    async with world.pool.acquire() as other, other.transaction():
        await other.execute("select from queues where id = $1 for update", world.queue_ids["A"])
        await caller.press("1")
        caller.sees(BUSY)
    await caller.send()
    caller.sees("Your number is A001")


async def test_a_pool_with_no_connection_left_is_a_busy_system(
    sessions: Redis, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "SECONDS", 0.2)
    pool = await connect(database, size=1)
    caller = Caller(Engine(Core(pool), SessionStore(sessions, pool), HOUSE, SECRET), phone(1))
    await caller.dial("*384*40*4071*1#")
    async with pool.acquire():
        await caller.press("1")
        caller.sees(BUSY)
    await caller.send()
    caller.sees("Your number is A001")
    await pool.close()


async def test_a_mistake_of_ours_is_logged_and_told_in_words(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(_self: object, _visit: Visit) -> View:
        raise KeyError("svc")

    await caller.dial()
    with monkeypatch.context() as patch:
        patch.setattr(type(SCREENS["code"]), "show", broken)
        await caller.press("1")
    caller.sees(BUSY)
    assert "KeyError: 'svc'" in caplog.text
    assert caller.session in caplog.text
    assert caller.number not in caplog.text
    caller.over = False
    await caller.send()
    caller.is_at("code")


async def test_a_mistake_after_the_place_was_given_does_not_deny_it(
    caller: Caller, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_self: object, _visit: Visit) -> View:
        raise KeyError("tk")

    await caller.dial("*384*40*4071*1#")
    with monkeypatch.context() as patch:
        patch.setattr(type(SCREENS["joined"]), "show", broken)
        await caller.press("1")
    caller.sees(UNKNOWN)
    assert await world.ticket(1)
    await caller.send()
    caller.sees("Your number is A001")


async def test_no_log_line_holds_a_phone_or_what_was_typed(
    caller: Caller, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await world.pool.execute("update branches set asks_name = true")
    await caller.dial("*384*40*4071*1#")
    await caller.press("1", "Wanjiru")
    caller.sees("Your number is A001")
    assert caller.number not in caplog.text
    assert "Wanjiru" not in caplog.text


async def test_many_sessions_are_saved_and_each_is_there(
    engine: Engine, world: World, sessions: Redis, gateway: str
) -> None:
    callers = [Caller(engine, phone(person), gateway) for person in range(1, 41)]
    await asyncio.gather(*(caller.dial("*384*40*4071#") for caller in callers))
    await sessions.flushall()
    await asyncio.gather(*(caller.press("2") for caller in callers))
    assert {caller.state for caller in callers} == {"confirm"}
    assert await world.pool.fetchval("select count(*) from ussd_sessions where state = 'confirm'") == 40


async def test_one_row_that_cannot_be_saved_does_not_lose_the_others(engine: Engine) -> None:
    """Nothing of the kind reaches a session, but a batch must not fall with one."""
    rows = engine._store.rows  # noqa: SLF001
    caller = Caller(engine, phone(1))
    await caller.dial()
    good = await engine._store.reload(caller.request())  # noqa: SLF001
    assert good
    bad = replace(good, key="another")
    poison = '{"name": "\\u0000"}'
    assert list(await asyncio.gather(rows.write(bad, poison), rows.write(good, good.dump()))) == [False, True]


async def test_a_database_that_swallows_every_word_is_not_waited_for(
    wire: tuple[Caller, Link], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even to cancel a query takes an answer of the server, which never comes."""
    monkeypatch.setattr(engine_module, "SECONDS", 0.2)
    caller, link = wire
    await caller.dial()
    link.swallow = True
    await caller.press("2")
    caller.sees(BUSY)
    assert caller.engine._left  # noqa: SLF001 - the query that still hangs


async def test_a_caller_who_hangs_up_may_go_on_when_he_dials_again(caller: Caller) -> None:
    await caller.dial("*384*40*4071#")
    page = await caller.engine.answer(replace(caller.request(), is_abort=True))
    assert page.ends
    await caller.dial()
    caller.is_at("resume")


async def test_the_end_of_a_session_may_find_no_database(wire: tuple[Caller, Link]) -> None:
    caller, link = wire
    await caller.dial()
    link.cut_now()
    await caller.engine.ended(Ended(caller.gateway, caller.session, reached_end=False))
