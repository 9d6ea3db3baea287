"""What a clerk does at the desk, in one word each; and what holds after every day."""

from __future__ import annotations

from dataclasses import replace

from queue_core import calling
from queue_core.calling import Called, Changed, Finish, Moved, Seen
from queue_core.core import Act
from queue_core.tickets import Ticket
from tests import invariants
from tests.world import CLINIC, World

WHY = "came with an ambulance"


def because(world: World, reason: str | None = WHY, branch: str = CLINIC, request: str | None = None) -> Act:
    return replace(world.clerk(request, branch), reason=reason)


async def room(world: World, name: str = "Room 1") -> str:
    return str(await world.pool.fetchval("select id::text from counters where name = $1", name))


async def call_named(
    world: World,
    ticket: Ticket,
    name: str = "Room 1",
    finish: Finish | None = None,
    seen: int | None = None,
    at_counter: Seen | None = None,
    act: Act | None = None,
) -> Called:
    counter = await room(world, name)
    return await calling.call_named(world.core, act or because(world), ticket.id, counter, finish, seen, at_counter)


async def transfer(
    world: World,
    ticket: Ticket,
    to: str = "P",
    seen: int | None = None,
    *,
    first: bool = False,
    act: Act | None = None,
) -> Moved:
    return await calling.transfer(world.core, act or world.clerk(), ticket.id, world.queue_ids[to], seen, first=first)


async def move(world: World, ticket: Ticket, passed: int, act: Act | None = None) -> Changed:
    return await calling.move(world.core, act or because(world), ticket.id, passed)


async def holds(world: World) -> None:
    """Every invariant."""
    assert await invariants.broken(world.pool) == []
