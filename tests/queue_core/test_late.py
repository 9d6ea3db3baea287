"""Rule 7: who will be late keeps his number and lets pass as many as the estimate says, twice."""

from __future__ import annotations

import pytest

from queue_core.errors import Refused
from tests.world import World


async def test_as_many_pass_as_are_served_in_that_time(world: World) -> None:
    await world.set(avg_service_seconds=120, completed_count=10)
    await world.line(*range(1, 12))
    ticket = await world.defer(1, 10)
    assert (ticket.label, ticket.ahead, ticket.minutes, ticket.defer_count) == ("A001", 5, 10, 1)
    assert (await world.order())[:7] == ["A002", "A003", "A004", "A005", "A006", "A001", "A007"]


async def test_the_time_counts_from_the_place_that_the_person_has(world: World) -> None:
    await world.set(avg_service_seconds=300, completed_count=10)
    await world.line(*range(1, 8))
    assert (await world.defer(3, 10)).ahead == 4


@pytest.mark.parametrize(("minutes", "passed"), [(1, 1), (5, 1), (6, 2), (10, 2), (30, 6)])
async def test_while_nothing_is_measured_a_person_takes_five_minutes(world: World, minutes: int, passed: int) -> None:
    await world.line(*range(1, 10))
    assert (await world.defer(1, minutes)).ahead == passed


async def test_part_of_a_person_lets_a_whole_one_pass(world: World) -> None:
    await world.set(avg_service_seconds=400)
    await world.line(*range(1, 6))
    assert (await world.defer(1, 10)).ahead == 2


async def test_with_too_few_behind_him_he_is_last_but_before_any_newcomer(world: World) -> None:
    await world.line(1, 2)
    assert (await world.defer(1, 60)).ahead == 1
    await world.join(3)
    assert await world.order() == ["A002", "A001", "A003"]


async def test_the_last_in_line_stays_there(world: World) -> None:
    await world.line(1, 2)
    assert (await world.defer(2)).ahead == 1
    await world.join(3)
    assert await world.order() == ["A001", "A002", "A003"]


async def test_a_called_person_goes_back_into_line_and_the_counter_is_free(world: World) -> None:
    await world.line(1, 2, 3)
    await world.called()
    await world.coming(1)
    ticket = await world.defer(1, 5)
    assert (ticket.status, ticket.ahead, ticket.counter) == ("waiting", 1, None)
    assert (ticket.deadline, ticket.coming) == (None, False)
    assert (await world.called()).label == "A002"


async def test_twice_is_enough(world: World) -> None:
    await world.line(1, 2, 3)
    await world.defer(1)
    await world.defer(1)
    with pytest.raises(Refused) as refusal:
        await world.defer(1)
    assert refusal.value.code == "moved_twice"
    assert refusal.value.facts["ticket"]["label"] == "A001"
    assert await world.texts(1) == ["joined", "late_ok", "late_ok"]


@pytest.mark.parametrize("state", ["serving", "skipped", "gone"])
async def test_who_neither_waits_nor_is_called_cannot_be_late(world: World, state: str) -> None:
    await world.line(1)
    ticket = await world.called()
    await world.do({"serving": "start", "skipped": "skip", "gone": "complete"}[state], ticket)
    with pytest.raises(Refused) as refusal:
        await world.defer(1)
    assert refusal.value.code == "no_ticket"


async def test_the_text_says_how_long_and_the_new_place(world: World) -> None:
    await world.line(*range(1, 6))
    await world.defer(1, 10)
    text = await world.text(1, "late_ok")
    assert (text["n"], text["tk"], text["ahead"], text["min"]) == (10, "A001", 2, None)
