"""Joining another line gives the first place up, in one transaction or not at all."""

from __future__ import annotations

import asyncio

import pytest

from queue_core.errors import Refused
from tests.world import World, phone


async def test_the_old_place_is_given_up_for_the_new_one(world: World) -> None:
    old = (await world.join(1, "A")).ticket
    new = await world.join(1, "P", replace=True)
    assert (new.new, new.ticket.label) == (True, "P001")
    assert await world.state(old) == "cancelled"
    assert await world.history(old) == [("join", None, "waiting"), ("replace", "waiting", "cancelled")]
    assert await world.ticket(1) == new.ticket


async def test_both_lines_are_announced_as_changed(world: World) -> None:
    await world.join(1, "A")
    world.announced.clear()
    await world.join(1, "P", replace=True)
    assert sorted(world.announced) == sorted([world.queue_ids["A"], world.queue_ids["P"]])


@pytest.mark.parametrize("refused", ["closed", "paused", "full"])
async def test_a_new_line_that_takes_nobody_leaves_the_old_place(world: World, refused: str) -> None:
    old = (await world.join(1, "A")).ticket
    match refused:
        case "closed":
            await world.close("P")
        case "paused":
            await world.pause("P")
        case _:
            await world.set("P", daily_limit=1)
            await world.join(2, "P")
    with pytest.raises(Refused) as refusal:
        await world.join(1, "P", replace=True)
    assert refusal.value.code == refused
    assert await world.ticket(1) == old


async def test_replacing_a_place_by_one_in_the_same_line_changes_nothing(world: World) -> None:
    await world.line(1, 2)
    again = await world.join(1, replace=True)
    assert (again.new, again.ticket.label, again.ticket.version) == (False, "A001", 1)
    assert await world.order() == ["A001", "A002"]


async def test_whoever_stood_behind_moves_up_and_is_told(world: World) -> None:
    await world.line(1, 2, 3, 4, 5)
    await world.join(1, "P", replace=True)
    assert await world.texts(5) == ["joined", "near"]
    assert (await world.text(5, "near"))["ahead"] == 3


async def test_who_changes_line_is_told_once(world: World) -> None:
    await world.join(1, "A")
    await world.join(1, "P", replace=True)
    assert await world.texts(1) == ["joined", "joined"]


async def test_two_people_who_change_places_at_once_do_not_block_each_other(world: World) -> None:
    """Locks are taken in one order whatever way a person goes."""
    for _ in range(10):
        await asyncio.gather(world.join(1, "A", replace=True), world.join(2, "P", replace=True))
        await asyncio.gather(world.join(1, "P", replace=True), world.join(2, "A", replace=True))
    first, second = await world.ticket(1), await world.ticket(2)
    assert first
    assert second
    assert (first.queue_code, second.queue_code) == ("P", "A")


async def test_a_place_that_staff_end_meanwhile_does_not_stop_the_new_one(world: World) -> None:
    """The line of the old place is held by somebody who completes it while the person changes line."""
    await world.join(1, "A")
    old = await world.called()
    async with world.pool.acquire() as desk:
        transaction = desk.transaction()
        await transaction.start()
        await desk.fetchval("select change_ticket($1, $2, 'complete')", world.clerk().as_json(), old.id)
        changing = asyncio.create_task(world.join(1, "P", replace=True))
        await _waits_for_a_lock(world)
        await transaction.commit()
    joined = await changing
    assert (joined.new, joined.ticket.label) == (True, "P001")
    assert await world.state(old) == "completed"


async def test_staff_of_another_branch_cannot_give_a_place_up_for_the_person(world: World) -> None:
    clinic = (await world.join(1, "A")).ticket
    at_the_bank = await world.join(1, "C", act=world.clerk(branch="5084"), replace=True)
    assert (at_the_bank.new, at_the_bank.ticket.id) == (False, clinic.id)
    assert await world.state(clinic) == "waiting"
    assert await world.pool.fetchval("select count(*) from tickets where phone = $1", phone(1)) == 1


async def _waits_for_a_lock(world: World) -> None:
    waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    while not await world.pool.fetchval(waiting):
        pass
