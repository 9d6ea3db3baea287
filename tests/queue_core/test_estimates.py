"""Rule 10: minutes are people ahead times the average gap between completions while people wait."""

from __future__ import annotations

import pytest

from tests.world import World


async def _complete_after(world: World, minutes: float) -> None:
    """The next person is called at once and completed after so many minutes."""
    ticket = await world.called()
    await world.do("start", ticket)
    await world.later(minutes)
    await world.do("complete", ticket)


async def _average(world: World) -> int:
    return int(await world.pool.fetchval("select avg_service_seconds from queues where id = $1", world.queue_ids["A"]))


async def test_the_average_moves_by_three_tenths_of_what_was_measured(world: World) -> None:
    await world.line(*range(1, 7))
    await _complete_after(world, 1)
    assert await _average(world) == 0
    await _complete_after(world, 1)
    assert await _average(world) == pytest.approx(60, abs=1)
    await _complete_after(world, 2)
    assert await _average(world) == pytest.approx(78, abs=1)


@pytest.mark.parametrize(
    ("average", "gap", "expected"), [(0, 60.2, 60), (60, 120, 78), (78, 78, 78), (100, 0, 70), (1, 0.4, 1)]
)
async def test_the_moving_average_is_plain_arithmetic(world: World, average: int, gap: float, expected: int) -> None:
    assert await world.pool.fetchval("select next_average($1, $2::float8::numeric)", average, gap) == expected


async def test_nothing_is_promised_before_ten_completions(world: World) -> None:
    await world.line(*range(1, 14))
    for _ in range(9):
        await _complete_after(world, 2)
    assert (await world.join(20)).ticket.minutes is None
    await _complete_after(world, 2)
    ticket = (await world.join(21)).ticket
    assert (ticket.ahead, ticket.minutes) == (4, 10)


async def test_history_counts_so_that_the_next_day_begins_with_an_estimate(world: World) -> None:
    await world.set(avg_service_seconds=120, completed_count=10)
    await world.line(1, 2)
    await world.next_day()
    await world.sweep()
    await world.line(3)
    assert (await world.join(4)).ticket.minutes == 5


@pytest.mark.parametrize(
    ("ahead", "seconds", "minutes"), [(0, 120, 0), (1, 1, 5), (5, 60, 5), (5, 61, 10), (14, 200, 50), (299, 300, 1495)]
)
async def test_minutes_are_rounded_up_to_five(world: World, ahead: int, seconds: int, minutes: int) -> None:
    assert await world.pool.fetchval("select estimate($1, $2, 10)", ahead, seconds) == minutes


@pytest.mark.parametrize(("seconds", "completed"), [(120, 9), (0, 50)])
async def test_without_enough_measured_there_is_no_estimate(world: World, seconds: int, completed: int) -> None:
    assert await world.pool.fetchval("select estimate(5, $1, $2)", seconds, completed) is None


async def test_time_in_which_nobody_waited_is_not_a_gap(world: World) -> None:
    await world.line(1, 2, 3)
    await _complete_after(world, 1)
    await _complete_after(world, 1)
    await _complete_after(world, 50)
    assert await _average(world) == pytest.approx(60, abs=1)
    await world.later(120)
    await world.line(4, 5, 6)
    await _complete_after(world, 30)
    assert await _average(world) == pytest.approx(60, abs=1)
    await _complete_after(world, 2)
    assert await _average(world) == pytest.approx(78, abs=1)


@pytest.mark.parametrize("way", ["leaves", "is called"])
async def test_a_gap_ends_when_the_last_one_waiting_leaves_or_is_called(world: World, way: str) -> None:
    await world.line(1, 2)
    await _complete_after(world, 1)
    if way == "leaves":
        await world.leave(2)
    else:
        await world.do("no_show", await world.called())
    await world.later(120)
    await world.line(3, 4, 5)
    await _complete_after(world, 1)
    assert await _average(world) == 0
    await _complete_after(world, 1)
    assert await _average(world) == pytest.approx(60, abs=1)


async def test_a_night_is_not_a_gap(world: World) -> None:
    await world.line(1, 2)
    await _complete_after(world, 1)
    await world.next_day()
    await world.line(3, 4)
    await _complete_after(world, 1)
    assert await _average(world) == 0


async def test_a_gap_is_never_nothing(world: World) -> None:
    """Two completions in one second must not say that a line of hundreds takes no time."""
    await world.line(1, 2, 3, 4)
    for _ in range(3):
        await world.serve()
    assert await _average(world) == 1


async def test_completions_are_counted_per_day_and_for_ever(world: World) -> None:
    await world.line(1, 2)
    await world.serve()
    await world.serve()
    await world.next_day()
    await world.sweep()
    await world.line(3)
    await world.serve()
    days = await world.pool.fetch("select completed_count from queue_days order by service_date")
    assert [row["completed_count"] for row in days] == [2, 1]
    assert await world.pool.fetchval("select completed_count from queues where id = $1", world.queue_ids["A"]) == 3
