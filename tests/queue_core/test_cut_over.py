"""Rule 8: what still waits when the service day is cut over expires, and everyone is told, in the morning."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from queue_core import sweeper
from tests.world import CLINIC, MIDDAY, World

CUT_OVER = "select details from audit_log where action = 'cut_over' and entity = 'queue'"


async def _a_day_with_everybody(world: World) -> None:
    """1 served, 2 being served, 3 called, 4 skipped, 5 and a walk-in waiting."""
    await world.line(*range(1, 6))
    await world.join(None)
    await world.serve()
    await world.do("start", await world.called("Room 1"))
    await world.called("Room 2")
    await world.do("skip", await world.called("Room 3"))


async def test_whoever_still_waits_expires_and_who_is_being_served_was_served(world: World) -> None:
    await _a_day_with_everybody(world)
    await world.next_day()
    await world.sweep()
    rows = await world.pool.fetch("select number, status, action from tickets order by number")
    assert [row["status"] for row in rows] == ["completed", "completed", *["expired"] * 4]
    assert {row["action"] for row in rows[1:]} == {"cut_over"}
    assert await world.pool.fetchval("select sum(waiting) from waiting_blocks") == 0


async def test_everyone_who_was_not_served_is_told_once(world: World) -> None:
    await _a_day_with_everybody(world)
    await world.next_day()
    await world.sweep()
    await world.sweep()
    told = [person for person in range(1, 6) if "end_of_day" in await world.texts(person)]
    assert told == [3, 4, 5]
    text = await world.text(5, "end_of_day")
    assert text["time"] in ("08:30", "09:00")
    assert text["tk"] == "A005"
    assert await world.pool.fetchval("select count(*) from notifications where template = 'end_of_day'") == 3


async def test_a_second_sweep_finds_the_day_over(world: World) -> None:
    await world.line(1)
    await world.next_day()
    assert await world.sweep() == 1
    assert await world.sweep() == 0
    (details,) = [row["details"] for row in await world.pool.fetch(CUT_OVER)]
    assert details["ended"] == 1


async def test_two_cut_overs_of_one_day_do_it_once(world: World) -> None:
    """As when a sweeper loses its lock in the middle of its work and another takes it."""
    await world.line(1)
    await world.next_day()
    rows = await world.pool.fetch(sweeper.SQL.days_over)
    act = world.clerk(request="cut_over").as_json() | {"actor": "system", "branches": None}
    args: tuple[Any, ...] = (rows[0]["queue_id"], rows[0]["service_date"], datetime.now(UTC), {})
    ended = await asyncio.gather(*(world.pool.fetchval(sweeper.SQL.cut_over, act, *args) for _ in range(3)))
    assert sorted(ended) == [0, 0, 1]
    assert len(await world.pool.fetch(CUT_OVER)) == 1
    assert len(await world.texts(1)) == 2


async def test_a_day_that_is_not_over_is_left_alone(world: World) -> None:
    (ticket,) = await world.line(1)
    assert await world.sweep() == 0
    args: tuple[Any, ...] = (ticket.queue_id, ticket.service_date, datetime.now(UTC), {})
    assert await world.pool.fetchval(sweeper.SQL.cut_over, world.clerk().as_json(), *args) == 0
    assert await world.state(ticket) == "waiting"


async def test_each_branch_ends_its_own_day(world: World) -> None:
    """The clinic moves over the date line; the bank stays where it is."""
    move = "update branches set timezone = $2, day_starts_at = '00:00' where code = $1"
    await world.pool.execute(move, CLINIC, "Etc/GMT+12")
    clinic, bank = (await world.join(1)).ticket, (await world.join(2, "C")).ticket
    await world.sweep()
    assert await world.state(clinic) == "waiting"
    await world.pool.execute(move, CLINIC, "Etc/GMT-14")
    await world.sweep()
    assert await world.state(clinic) == "expired"
    assert await world.state(bank) == "waiting"


@pytest.mark.parametrize(("hour", "waits"), [(4, True), (6, True), (8, False), (13, False)])
async def test_nobody_is_woken_by_the_text_about_it(world: World, hour: int, waits: bool) -> None:  # noqa: FBT001
    zone = _zone_where_it_is(hour)
    await world.pool.execute("update branches set timezone = $1", zone)
    await world.pool.execute(MIDDAY)
    await world.line(1)
    await world.next_day()
    await world.sweep()
    row = await world.row("select due_at, expires_at from notifications where template = 'end_of_day'")
    now = datetime.now(UTC)
    if waits:
        local = row["due_at"].astimezone(ZoneInfo(zone))
        assert f"{local:%H:%M}" == "07:00"
        assert timedelta() < row["due_at"] - now < timedelta(hours=4)
    else:
        assert abs(row["due_at"] - now) < timedelta(seconds=30)
    assert row["expires_at"] - row["due_at"] == timedelta(hours=12)


def _zone_where_it_is(hour: int) -> str:
    """A zone whose clock now shows the given hour; offsets from -12 to +11 reach every one."""
    ahead = (hour - datetime.now(UTC).hour + 12) % 24 - 12
    return f"Etc/GMT{-ahead:+d}"
