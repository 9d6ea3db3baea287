"""Rules 3 and 4: people ahead, and the order of call."""

from __future__ import annotations

import random
from decimal import Decimal, localcontext

import pytest

from db.pool import Pool
from queue_core.errors import Refused
from tests.world import World

AHEAD = """
select label('A', t.number), people_ahead(t.queue_id, t.service_date, t.position),
       (select count(*)::int from tickets o where o.queue_id = t.queue_id and o.service_date = t.service_date
           and o.status = 'waiting' and o.position < t.position)
  from tickets t where t.status = 'waiting'
"""
STRAY_BLOCKS = """
select block, coalesce(b.waiting, 0), coalesce(n.waiting, 0) from waiting_blocks b full join (
    select floor(position / 256)::int as block, count(*) as waiting from tickets where status = 'waiting' group by 1
) n using (block) where coalesce(b.waiting, 0) <> coalesce(n.waiting, 0)
"""


async def test_first_come_is_first_served(world: World) -> None:
    await world.line(1, 2, 3)
    assert [(await world.serve()).label for _ in range(3)] == ["A001", "A002", "A003"]


async def test_people_ahead_are_those_waiting_who_would_be_called_before(world: World) -> None:
    tickets = await world.line(1, 2, 3, 4)
    assert [ticket.ahead for ticket in tickets] == [0, 1, 2, 3]
    await world.called()
    await world.leave(2)
    assert [(await world.holds(person)).ahead for person in (1, 3, 4)] == [0, 0, 1]


async def test_one_line_is_not_ahead_of_another(world: World) -> None:
    await world.line(1, 2, 3)
    assert (await world.join(4, "P")).ticket.ahead == 0


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_people_ahead_equal_a_recount_after_anything_happened(world: World, seed: int) -> None:
    """Numbers begin at 250, so that the line crosses the border of a block of 256."""
    chance = random.Random(seed)
    await world.line(0)
    await world.pool.execute("update queue_days set last_number_issued = 249")
    await world.leave(0)
    await world.line(*range(1, 9))
    for _ in range(120):
        await _anything(world, chance)
    for label, counted, recounted in await world.pool.fetch(AHEAD):
        assert counted == recounted, label
    assert await world.pool.fetch(STRAY_BLOCKS) == []
    assert await world.pool.fetchval(
        "select people_waiting($1, service_date) from queue_days", world.queue_ids["A"]
    ) == (await world.pool.fetchval("select count(*)::int from tickets where status = 'waiting'"))


async def _anything(world: World, chance: random.Random) -> None:
    person = chance.randint(1, 25)
    step = chance.choices(["join", "join", "leave", "defer", "come_back", "call", "skip"], [4, 4, 1, 3, 3, 2, 2])[0]
    try:
        match step:
            case "join":
                await world.join(person)
            case "leave":
                await world.leave(person)
            case "defer":
                await world.defer(person, chance.choice([5, 10, 30]))
            case "come_back":
                await world.come_back(person)
            case _:
                await world.call(finish="complete" if step == "call" else "skip")
    except Refused:
        pass


async def test_who_comes_back_stands_behind_the_next_two(world: World) -> None:
    await world.line(1, 2, 3, 4, 5)
    await world.do("skip", await world.called())
    assert (await world.come_back(1)).ahead == 2
    assert await world.order() == ["A002", "A003", "A001", "A004", "A005"]


async def test_who_comes_back_to_a_short_line_is_last_but_before_any_newcomer(world: World) -> None:
    await world.line(1, 2)
    await world.do("skip", await world.called())
    await world.come_back(1)
    await world.join(3)
    assert await world.order() == ["A002", "A001", "A003"]


async def test_who_comes_back_to_an_empty_line_is_before_any_newcomer(world: World) -> None:
    await world.line(1)
    await world.do("skip", await world.called())
    assert (await world.come_back(1)).ahead == 0
    await world.join(2)
    assert await world.order() == ["A001", "A002"]


async def test_between_two_people_there_is_always_room_for_another(world: World) -> None:
    """A hundred people come back to the same gap, each behind the same two."""
    await world.set(grace=100_000, max_skips=1000)
    await world.line(*range(1, 111))
    skipped = []
    for _ in range(100):
        ticket = await world.called()
        skipped.append(ticket.label)
        await world.do("skip", ticket)
    for person in range(1, 101):
        await world.come_back(person)
    first, second, *rest = await world.order()
    assert [first, second] == ["A101", "A102"]
    assert rest == [*reversed(skipped), *(f"A{number:03}" for number in range(103, 111))]


async def test_a_place_lies_in_its_block_however_often_a_gap_was_halved(pool: Pool) -> None:
    """The exact fraction decides, not a rounded quotient."""
    with localcontext(prec=400):
        below = {256 * block - Decimal(2) ** -k: block - 1 for block in range(-2, 9) for k in range(1, 121)}
        above = {256 * block + Decimal(2) ** -k: block for block in range(-2, 9) for k in range(1, 121)}
    blocks = below | above
    rows = await pool.fetch("select place, block_of(place) from unnest($1::numeric[]) place", list(blocks))
    assert dict(map(tuple, rows)) == blocks
