"""A phone starts so many sessions and no more; keys are never counted, and nobody pays for another's phone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.ussd.caller import Caller
from tests.ussd.conftest import HOUSE, SECRET
from tests.ussd.disturbances import valkey
from tests.world import World, phone
from ussd.engine import Engine
from ussd.limits import Limit, OwnLimiter
from ussd.session import SessionStore, connect

LIMIT = Limit(a_minute=6, burst=3)


@pytest.fixture
def limited(world: World, sessions: Redis) -> Engine:
    return Engine(world.core, SessionStore(sessions, world.pool, LIMIT), HOUSE, SECRET)


async def test_beyond_the_burst_a_caller_is_asked_to_wait(limited: Engine, world: World, gateway: str) -> None:
    await world.line(1)
    caller = Caller(limited, phone(1), gateway)
    for _ in range(3):
        await caller.dial()
        caller.is_at("near")
    await caller.dial()
    caller.sees("Too many tries from this phone. You keep your place", "call 0711222333")
    assert caller.over
    other = Caller(limited, phone(2), gateway)
    await other.dial()
    other.is_at("home")


async def test_keys_and_repeats_are_not_counted(limited: Engine, gateway: str) -> None:
    caller = Caller(limited, phone(1), gateway)
    await caller.dial()
    await caller.send(times=5)
    await caller.press(*"30" * 10)
    caller.is_at("home")


async def test_what_is_dialled_after_the_service_code_does_not_slip_by(limited: Engine, gateway: str) -> None:
    caller = Caller(limited, phone(1), gateway)
    for _ in range(4):
        await caller.dial("*384*40*4071*1#")
    caller.is_at("limit")


async def test_a_limit_passes_with_time(limited: Engine, sessions: Redis, gateway: str) -> None:
    caller = Caller(limited, phone(1), gateway)
    for _ in range(4):
        await caller.dial()
    caller.is_at("limit")
    left = await sessions.pttl(f"ussd-limit:{phone(1)}")
    assert 0 < left <= LIMIT.tolerance + LIMIT.interval
    await sessions.incrby(f"ussd-limit:{phone(1)}", -LIMIT.interval)  # so much later
    await caller.dial()
    caller.is_at("home")


async def test_while_redis_is_away_each_process_counts_more_strictly(
    world: World, tmp_path: Path, gateway: str
) -> None:
    with valkey(tmp_path) as (url, process):
        async with connect(url) as client:
            caller = Caller(
                Engine(world.core, SessionStore(client, world.pool, LIMIT), HOUSE, SECRET), phone(1), gateway
            )
            process.kill()
            process.wait()
            await caller.dial()
            caller.is_at("home")
            await caller.dial("*384*40*4071#")
            caller.is_at("limit")


def test_the_count_in_this_process_does_not_grow_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ussd.limits.MOST_PHONES", 3)
    limiter = OwnLimiter(Limit(a_minute=60_000, burst=2))
    assert not any(limiter.over(f"+{number}") for number in range(3))
    assert len(limiter._due) <= 3  # noqa: SLF001


async def test_a_crowd_that_dials_in_one_instant_is_no_sign_that_redis_is_away(
    limited: Engine, gateway: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The client has a hundred connections, and a further one would be an error."""
    callers = [Caller(limited, phone(person), gateway) for person in range(1, 301)]
    await asyncio.gather(*(caller.dial() for caller in callers))
    assert {caller.state for caller in callers} <= {"home", "busy"}
    assert "Connections" not in caplog.text
