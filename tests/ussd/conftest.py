"""The engine over real servers, and callers in the demo world."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
from redis.asyncio import Redis

from tests.ussd.caller import Caller
from tests.ussd.clerk import CLERK, PEPPER, enrol
from tests.world import World, phone, seeded, world
from ussd.engine import Engine
from ussd.session import SessionStore, connect
from ussd.visit import House

__all__ = ["seeded", "world"]

HOUSE = House(help_phone="0711222333")
SECRET = PEPPER

Callers = Callable[..., Caller]


@pytest.fixture
async def sessions(redis_url: str) -> AsyncIterator[Redis]:
    """Redis as the product talks to it, empty."""
    async with connect(redis_url) as client:
        yield client


@pytest.fixture
def engine(world: World, sessions: Redis) -> Engine:
    return Engine(world.core, SessionStore(sessions, world.pool), HOUSE, SECRET)


@pytest.fixture(params=["africastalking", "neutral"])
def gateway(request: pytest.FixtureRequest) -> str:
    """Each test runs on a gateway that sends the whole history and on one that sends the latest key."""
    name: str = request.param
    return name


@pytest.fixture
def caller(engine: Engine, gateway: str) -> Caller:
    """Person 1 of the world."""
    return Caller(engine, phone(1), gateway)


@pytest.fixture
def callers(engine: Engine, gateway: str) -> Callers:
    """More people of the world, by their numbers."""
    return lambda person: Caller(engine, phone(person), gateway)


@pytest.fixture
async def clerk(callers: Callers, world: World) -> Caller:
    """Amina in Room 1, for the doctor's line."""
    await enrol(world, "clinic1", CLERK, "Room 1", "A")
    return callers(CLERK)
