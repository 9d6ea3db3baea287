"""The next key of a caller finds his session in the process that answered the last, and only where that is safe."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from tests.ussd.caller import Caller
from tests.ussd.conftest import HOUSE, SECRET
from tests.world import World, phone
from ussd import recent
from ussd.engine import Engine
from ussd.session import SessionStore


async def _asked(sessions: Redis) -> int:
    """How often Redis was asked for a session after its first step."""
    commands = await sessions.info("commandstats")
    return int(commands.get("cmdstat_get", {}).get("calls", 0))


async def test_redis_is_not_asked_for_what_this_process_knows(engine: Engine, sessions: Redis) -> None:
    caller = Caller(engine, phone(1))
    await caller.dial()
    before = await _asked(sessions)
    await caller.press("3", "0", "1", "4071")
    assert await _asked(sessions) == before
    caller.is_at("service")


async def test_a_repeat_is_no_next_key(engine: Engine) -> None:
    caller = Caller(engine, phone(1))
    await caller.dial()
    help_page = await caller.press("3")
    assert await caller.send(times=2) == help_page
    await caller.press("1")
    caller.is_at("how")


async def test_processes_that_take_turns_never_lose_the_thread(engine: Engine, world: World, sessions: Redis) -> None:
    other = Engine(world.core, SessionStore(sessions, world.pool), HOUSE, SECRET)
    caller = Caller(engine, phone(1))
    await caller.dial()
    for key, takes in [("3", other), ("0", other), ("1", engine), ("4071", engine), ("1", other), ("1", engine)]:
        caller.engine = takes
        await caller.press(key)
    caller.is_at("joined")
    assert await world.ticket(1)


async def test_a_session_of_another_phone_is_not_given_away(engine: Engine, world: World) -> None:
    await world.line(1)
    caller = Caller(engine, phone(1))
    await caller.dial()
    caller.is_at("near")
    caller.number = phone(2)
    await caller.press("3")
    caller.is_at("help")  # as for one who has no ticket: 3 means leave to person 1


async def test_only_so_many_sessions_are_remembered(
    engine: Engine, sessions: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent, "MOST", 3)
    many = [Caller(engine, phone(person)) for person in range(1, 6)]
    for caller in many:
        await caller.dial()
    before = await _asked(sessions)
    for caller in reversed(many):
        await caller.press("3")
    assert await _asked(sessions) == before + 2
