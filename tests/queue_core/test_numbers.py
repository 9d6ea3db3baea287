"""Rule 2: numbers are consecutive and gapless per line and service day, and never change."""

from __future__ import annotations

import asyncio

import pytest

from queue_core.errors import Refused
from tests.world import World

NUMBERS = "select array_agg(number order by number) from tickets where queue_id = $1 and service_date = $2"


async def test_numbers_count_from_one_in_each_line(world: World) -> None:
    labels = [ticket.label for ticket in (*await world.line(1, 2, 3), *await world.line(4, 5, queue="P"))]
    assert labels == ["A001", "A002", "A003", "P001", "P002"]


async def test_people_who_join_at_once_get_consecutive_numbers(world: World) -> None:
    joined = await asyncio.gather(*(world.join(person) for person in range(1, 41)))
    assert sorted(answer.ticket.number for answer in joined) == list(range(1, 41))


async def test_neither_a_second_join_nor_a_refusal_nor_leaving_makes_a_gap(world: World) -> None:
    await world.line(1, 1, 2)
    await world.pause()
    with pytest.raises(Refused):
        await world.join(3)
    await world.open()
    await world.leave(2)
    assert (await world.join(3)).ticket.label == "A003"
    assert (await world.join(2)).ticket.label == "A004"


async def test_a_number_stays_the_same_whatever_happens_in_the_line(world: World) -> None:
    await world.line(1, 2, 3)
    ticket = await world.called()
    await world.do("skip", ticket)
    await world.come_back(1)
    await world.defer(1)
    after = await world.ticket(1)
    assert after
    assert (after.label, after.id) == (ticket.label, ticket.id)


async def test_numbers_begin_again_on_the_next_service_day(world: World) -> None:
    await world.line(1, 2)
    yesterday = (await world.line(3))[0].service_date
    await world.next_day()
    await world.sweep()
    today = (await world.join(3)).ticket
    assert today.label == "A001"
    assert today.service_date == yesterday
    shifted = await world.pool.fetch("select service_date, last_number_issued from queue_days order by service_date")
    assert [row["last_number_issued"] for row in shifted] == [3, 1]
    assert (shifted[1]["service_date"] - shifted[0]["service_date"]).days == 1


@pytest.mark.parametrize(
    ("number", "label"), [(1, "A001"), (47, "A047"), (999, "A999"), (1000, "A1000"), (12345, "A12345")]
)
async def test_a_label_has_three_digits_and_more_only_when_it_must(world: World, number: int, label: str) -> None:
    assert await world.pool.fetchval("select label('A', $1)", number) == label


async def test_the_thousandth_person_reads_four_digits(world: World) -> None:
    (first,) = await world.line(1)
    await world.pool.execute("update queue_days set last_number_issued = 999")
    ticket = (await world.join(2)).ticket
    assert (first.label, ticket.label) == ("A001", "A1000")
