"""Thousands of queue-days, each by a seed: whatever dies, is lost, repeated or late, every invariant holds."""

from __future__ import annotations

import os
import random
from collections.abc import Awaitable, Callable

import pytest
from redis.asyncio import Redis

from sms import outbox
from sms.outbox import Outbox
from sms.sending import SendFailed, Sent
from sms.texts import render
from tests.faults.ledger import watch
from tests.invariants import broken
from tests.simulation.books import wrong
from tests.simulation.clock import Clock
from tests.simulation.life import Life
from tests.simulation.provider import Provider
from tests.ussd.conftest import HOUSE, SECRET, sessions
from tests.world import World, own_world, seeded
from ussd.engine import Engine
from ussd.session import SessionStore

__all__ = ["seeded", "sessions"]

LINES = 5  # of the demo world
DAYS = 2  # of one seed, so that a cut-over lies between two
SENT_TWICE = 2  # a seed in which an answer is lost
REPLAY = "Live it again: ZAMU_SEEDS={seed} .venv/bin/pytest tests/simulation -k seed"

Live = Callable[[int], Awaitable[Life]]


def seeds() -> list[int]:
    """`ZAMU_SEEDS` is one seed, or the first and the last of many: 17, or 1-400."""
    first, _, last = os.environ.get("ZAMU_SEEDS", "1-3").partition("-")
    return list(range(int(first), int(last or first) + 1))


@pytest.fixture
def live(seeded: object, sessions: Redis, monkeypatch: pytest.MonkeyPatch) -> Live:
    """Lives the days of a seed in a world of their own, and finds nothing wrong with them."""

    async def lived(seed: int) -> Life:
        async with own_world(seeded) as world:  # type: ignore[arg-type]
            await sessions.flushall()
            await watch(world.pool)
            life = _life(world, sessions, seed, Clock(world, monkeypatch))
            for day in range(DAYS):
                if day:
                    await life.next_day()
                await life.day()
            findings = await broken(world.pool) + await wrong(world.pool, life.provider)
            life.told += [str(tuple(row)) for row in await world.pool.fetch(ENDS)]
        assert not findings, (findings, life.told)
        return life

    return lived


ENDS = "select phone, template, status, count(*) from notifications group by 1, 2, 3 order by 1, 2, 3"


def _life(world: World, redis: Redis, seed: int, clock: Clock) -> Life:
    chance = random.Random(seed)
    provider = Provider(random.Random(chance.random()))
    sender = Outbox(
        world.pool,
        [provider],
        lambda template, language, parameters, _: render(template, language, parameters, shortcode="*384*40#"),
        in_flight=1,
    )
    engines = [Engine(world.core, SessionStore(redis, world.pool), HOUSE, SECRET) for _ in range(2)]
    return Life(world, engines, redis, sender, provider, clock, chance)


@pytest.mark.parametrize("seed", seeds())
async def test_whatever_a_seed_brings_every_invariant_holds(
    live: Live, seed: int, record_property: Callable[[str, object], None]
) -> None:
    try:
        life = await live(seed)
    except BaseException as error:
        error.add_note(REPLAY.format(seed=seed))
        raise
    assert life.provider.books
    record_property("times", LINES * DAYS)


async def test_without_a_defence_a_seed_finds_what_breaks(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here: that a text whose answer was lost is not sent again."""
    honest = outbox._verdict  # noqa: SLF001 - a defence is inside

    def blind(result: Sent | SendFailed, attempts: int) -> outbox.Verdict:
        lost = isinstance(result, SendFailed) and result.outcome == "unknown"
        return outbox.Verdict("queued", "unknown") if lost else honest(result, attempts)

    monkeypatch.setattr(outbox, "_verdict", blind)
    with pytest.raises(AssertionError, match=r"I15: .* was sent \d times"):
        await live(SENT_TWICE)


async def test_a_seed_lives_the_same_days_again(live: Live) -> None:
    assert (await live(7)).told == (await live(7)).told
