"""Whatever becomes of the session between two keys, a conversation ends as if nothing had happened."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.ussd.caller import Caller
from tests.ussd.conftest import HOUSE, SECRET, Callers
from tests.ussd.disturbances import black_hole, valkey
from tests.world import World, phone
from ussd import recent
from ussd.engine import Engine
from ussd.session import SessionStore, connect


@dataclass(frozen=True)
class Walk:
    """A conversation: what is dialled, what is pressed, and the screen at its end."""

    code: str
    keys: tuple[str, ...]
    end: str
    has_ticket: bool = False


DIAL = "*384*40#"


@pytest.fixture(autouse=True)
def each_key_reaches_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the one that answered last would remember what the stores lose."""
    monkeypatch.setattr(recent, "MOST", 0)


PATHS = [
    Walk(DIAL, ("1", "4071", "1", "1"), "joined"),
    Walk("*384*40*4071#", ("2", "1"), "joined"),
    Walk(DIAL, ("1", "1", "98", "1", "1", "2", "0"), "service"),
    Walk(DIAL, ("1", "kili", "1", "3", "1"), "joined"),
    Walk(DIAL, ("1", "9999", "4071", "9", "1", "1"), "joined"),
    Walk(DIAL, ("3", "1", "0", "2", "0", "4", "0", "3", "1", "5"), "call"),
    Walk(DIAL, ("4", "2", "3", "0"), "home"),
    Walk(DIAL, ("2", "1", "0"), "home"),
    Walk(DIAL, ("1", "2", "00", "00"), "home", has_ticket=True),
    Walk(DIAL, ("2", "2", "1"), "place", has_ticket=True),
    Walk("*384*40*5084#", ("1", "1", "1"), "place", has_ticket=True),
    Walk(DIAL, ("3", "2"), "left", has_ticket=True),
    Walk(DIAL, ("4", "4", "2", "2"), "erased", has_ticket=True),
    Walk("*384*40*5084#", ("1", "1", "2"), "joined", has_ticket=True),
]

Breaks = Callable[[], Awaitable[None]]


async def walk_all(callers: Callers, world: World, breaks: Breaks) -> list[tuple[Walk, Caller]]:
    """Every path by several people, one for each gap between two of its keys; it breaks when all stand in theirs."""
    walks: list[tuple[Walk, int, Caller]] = []
    await world.set("L", alert_threshold=0)
    await world.join(999, "L")  # he stays first, so nobody else is near
    for path in PATHS:
        for gap in range(len(path.keys) + 1):
            caller = callers(len(walks) + 1)
            walks.append((path, gap, caller))
            if path.has_ticket:
                await world.join(len(walks), "L")
    await asyncio.gather(*(_start(path, gap, caller) for path, gap, caller in walks))
    await breaks()
    await asyncio.gather(*(_finish(path, gap, caller) for path, gap, caller in walks))
    return [(path, caller) for path, _, caller in walks]


async def _start(path: Walk, gap: int, caller: Caller) -> None:
    await caller.dial(path.code)
    await caller.press(*path.keys[:gap])


async def _finish(path: Walk, gap: int, caller: Caller) -> None:
    """As people do: a question that is put again is answered again."""
    for key in path.keys[gap:]:
        question = caller.screen
        await caller.press(key)
        if caller.screen == question and key != "00":
            await caller.press(key)


def all_reached_their_end(walks: list[tuple[Walk, Caller]]) -> None:
    for path, caller in walks:
        assert caller.state == path.end, path


async def numbers_have_no_gap(world: World) -> None:
    rows = await world.pool.fetch(
        "select count(*) as tickets, max(number) as last from tickets group by queue_id, service_date"
    )
    assert all(row["tickets"] == row["last"] for row in rows)
    twice = "select phone from tickets where status = 'waiting' group by phone having count(*) > 1"
    assert await world.pool.fetch(twice) == []


async def test_nothing_happens(callers: Callers, world: World) -> None:
    async def nothing() -> None:
        return

    all_reached_their_end(await walk_all(callers, world, nothing))
    await numbers_have_no_gap(world)


async def test_redis_is_emptied(callers: Callers, world: World, sessions: Redis) -> None:
    async def flush() -> None:
        await sessions.flushall()

    all_reached_their_end(await walk_all(callers, world, flush))
    await numbers_have_no_gap(world)


@pytest.fixture
async def mortal(tmp_path: Path, world: World, gateway: str) -> AsyncIterator[tuple[Callers, Breaks]]:
    """Callers whose Valkey can be killed."""
    with valkey(tmp_path) as (url, process):
        async with connect(url) as client:
            engine = Engine(world.core, SessionStore(client, world.pool), HOUSE, SECRET)

            async def kill() -> None:
                process.kill()
                process.wait()

            yield lambda person: Caller(engine, phone(person), gateway), kill


async def test_redis_is_killed(mortal: tuple[Callers, Breaks], world: World) -> None:
    callers, kill = mortal
    all_reached_their_end(await walk_all(callers, world, kill))
    await numbers_have_no_gap(world)


async def test_redis_is_a_black_hole(tmp_path: Path, world: World, gateway: str) -> None:
    """And is left alone after the first try: not one connection for every key."""
    async with black_hole(tmp_path) as (url, taken), connect(url) as client:
        caller = Caller(Engine(world.core, SessionStore(client, world.pool), HOUSE, SECRET), phone(1), gateway)
        await caller.dial()
        await caller.press("1", "4071", "1", "1")
        caller.sees("Your number is A001")
        assert len(taken) < 4


async def test_old_states_that_come_back_with_redis_are_dropped(caller: Caller, world: World, sessions: Redis) -> None:
    await caller.dial()
    await caller.press("1")
    (key,) = await sessions.keys("ussd:*")
    kept = await sessions.get(key)
    assert kept
    await caller.press("4071", "1")
    await sessions.set(key, kept)
    if caller.gateway == "neutral":  # only a transcript shows that a state is old; others are looked after an outage
        caller.engine._store._doubted_until = float("inf")  # noqa: SLF001
    await caller.press("1")
    caller.sees("Your number is A001")
    assert await world.order() == ["A001"]


async def test_a_newer_state_in_postgres_is_known_to_be_what_was_on_the_screen(
    caller: Caller, world: World, sessions: Redis
) -> None:
    """So nothing has to be asked again."""
    await world.line(1)
    await caller.dial()
    (key,) = await sessions.keys("ussd:*")
    kept = await sessions.get(key)
    assert kept
    await caller.press("3")
    await sessions.set(key, kept)
    caller.engine._store._doubted_until = float("inf") if caller.gateway == "neutral" else 0.0  # noqa: SLF001
    await caller.press("2")
    caller.is_at("left")


@pytest.fixture
def lose_all(world: World, sessions: Redis) -> Breaks:
    async def lose() -> None:
        await sessions.flushall()
        await world.pool.execute("delete from ussd_sessions")

    return lose


async def test_both_stores_lose_everything_and_the_transcript_brings_it_back(
    engine: Engine, world: World, lose_all: Breaks
) -> None:
    all_reached_their_end(await walk_all(lambda person: Caller(engine, phone(person)), world, lose_all))
    await numbers_have_no_gap(world)


async def test_what_was_done_is_told_again_after_everything_was_lost(
    engine: Engine, world: World, lose_all: Breaks
) -> None:
    for person, code, keys in [
        (1, "*384*40*4071*1#", ["1"]),
        (1, DIAL, ["2", "1"]),
        (1, DIAL, ["3", "2"]),
        (2, "*384*40*4071*1*1#", []),
        (2, DIAL, ["4", "4", "2", "2"]),
    ]:
        caller = Caller(engine, phone(person))
        await caller.dial(code)
        await caller.press(*keys)
        done = caller.screen
        tickets = await world.pool.fetch("select * from tickets order by id")
        await lose_all()
        assert await caller.send() == done
        assert await world.pool.fetch("select * from tickets order by id") == tickets


async def test_after_a_loss_no_key_gives_up_a_place_on_a_screen_that_nobody_saw(
    engine: Engine, world: World, lose_all: Breaks
) -> None:
    """He was reading the help when a text made him a place: 3 and 2 would now be "leave" and "yes"."""
    caller = Caller(engine, phone(1))
    await caller.dial()
    await caller.press("3")
    await lose_all()
    await world.line(1)
    await caller.press("2")
    caller.is_at("leave")
    assert await world.ticket(1)


async def test_a_transcript_that_goes_on_after_a_join_that_never_was_joins_nothing(
    engine: Engine, world: World
) -> None:
    """Whoever joins presses no more: the caller was on other screens than those that we would walk."""
    caller = Caller(engine, phone(1))
    await caller.dial("*384*40*4071*1*1*3#")
    caller.is_at("confirm")
    assert await world.ticket(1) is None


async def test_without_a_transcript_a_lost_caller_begins_anew(engine: Engine, world: World, lose_all: Breaks) -> None:
    await world.line(1)
    caller = Caller(engine, phone(1), "neutral")
    await caller.dial()
    await caller.press("3")
    await lose_all()
    await caller.press("2")
    caller.is_at("near")
    assert await world.ticket(1)


async def test_a_session_of_another_menu_is_not_taken_for_this_one(
    caller: Caller, sessions: Redis, world: World
) -> None:
    await caller.dial("*384*40*4071*1#")
    await world.pool.execute("""update ussd_sessions set data = data || '{"menu": "of yesterday"}'""")
    await sessions.flushall()
    await caller.press("1")
    caller.sees("Welcome back. You were joining Kilimani Clinic.")
    await caller.press("1")
    caller.is_at("service")
