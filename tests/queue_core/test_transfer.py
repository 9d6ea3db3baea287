"""Staff send a person on to another line of the branch: one place ends, one begins."""

from __future__ import annotations

import asyncio

import pytest

from queue_core import calling, tickets
from queue_core.errors import Refused
from queue_core.tickets import Ticket
from tests.disturbing import WAITS_FOR_LOCK, until
from tests.queue_core.desk_acts import because, holds, room, transfer
from tests.world import BANK, World, phone

NOWHERE = "00000000-0000-4000-8000-000000000000"


async def _in_state(world: World, state: str) -> Ticket:
    (ticket,) = await world.line(1)
    if state != "waiting":
        await world.called()
    for verb in {"serving": ["start"], "skipped": ["skip"], "completed": ["complete"]}.get(state, []):
        await world.do(verb, ticket)
    return await tickets.look(world.core, ticket.id)


@pytest.mark.parametrize("state", ["waiting", "called", "serving", "skipped"])
async def test_a_person_gets_a_new_number_at_the_end_of_the_other_line(world: World, state: str) -> None:
    await world.line(8, 9, queue="P")
    ticket = await _in_state(world, state)
    world.announced.clear()
    moved = await transfer(world, ticket, seen=ticket.version)
    assert (moved.old.label, moved.old.status) == ("A001", "cancelled")
    assert (moved.new.label, moved.new.status, moved.new.ahead, moved.waiting) == ("P003", "waiting", 2, 3)
    assert (await world.history(ticket))[-1] == ("transfer", state, "cancelled")
    assert await world.history(moved.new) == [("transfer", None, "waiting")]
    assert world.announced == [world.queue_ids["A"], world.queue_ids["P"]]
    assert await world.order("P") == ["P001", "P002", "P003"]
    await holds(world)


async def test_name_phone_language_and_the_way_he_came_stay(world: World) -> None:
    ticket = (await world.join(1, name="Amina", language="sw")).ticket
    moved = await transfer(world, ticket)
    assert (moved.new.phone, moved.new.name, moved.new.language) == (phone(1), "Amina", "sw")
    assert await world.ticket(1) == moved.new
    assert await world.pool.fetchval("select channel from tickets where id = $1", moved.new.id) == "ussd"


async def test_he_is_told_the_new_number_once_and_nothing_else(world: World) -> None:
    (ticket,) = await world.line(1)
    await transfer(world, ticket)
    assert await world.texts(1) == ["joined", "moved"]
    text = await world.text(1, "moved")
    assert (text["tk"], text["svc"], text["ahead"]) == ("P001", "Pharmacy", 0)
    await world.serve("Room 2", "P")
    assert "near" not in await world.texts(1)


async def test_a_walk_in_without_a_phone_is_sent_on_too(world: World) -> None:
    ticket = (await world.join(None, name="Baba")).ticket
    moved = await transfer(world, ticket)
    assert (moved.new.label, moved.new.name, moved.new.phone) == ("P001", "Baba", None)
    await holds(world)


@pytest.mark.parametrize(("waiting", "order"), [
    (0, ["P001"]),
    (1, ["P001", "P002"]),
    (2, ["P001", "P002", "P003"]),
    (4, ["P001", "P002", "P005", "P003", "P004"]),
])  # fmt: skip
async def test_first_means_behind_the_next_two_people(world: World, waiting: int, order: list[str]) -> None:
    await world.line(*range(11, 11 + waiting), queue="P")
    (ticket,) = await world.line(1)
    moved = await transfer(world, ticket, first=True)
    assert moved.new.ahead == min(waiting, 2)
    assert await world.order("P") == order
    await world.join(20, "P")
    assert (await world.order("P"))[-1] == f"P{waiting + 2:03}"
    await holds(world)


async def test_those_behind_him_move_up_and_are_told(world: World) -> None:
    line = await world.line(*range(1, 6))
    await transfer(world, line[0])
    assert await world.texts(5) == ["joined", "near"]


async def test_who_was_being_served_counts_as_served_where_he_was(world: World) -> None:
    """Where everybody is sent on to the pharmacy, the doctor's line is measured all the same."""
    await world.line(1, 2, 3)
    for _ in range(2):
        ticket = await world.called()
        await world.do("start", ticket)
        await world.later(4)
        await transfer(world, ticket)
    row = await world.row("select completed_count, avg_service_seconds from queues where id = $1", world.queue_ids["A"])
    assert row["completed_count"] == 2
    assert row["avg_service_seconds"] == pytest.approx(240, abs=5)


async def test_who_only_waited_was_not_served(world: World) -> None:
    (ticket,) = await world.line(1)
    await transfer(world, ticket)
    assert await world.pool.fetchval("select sum(completed_count) from queues") == 0


async def test_a_paused_line_takes_whom_staff_send(world: World) -> None:
    (ticket,) = await world.line(1)
    await world.pause("P")
    assert (await transfer(world, ticket)).new.label == "P001"
    await holds(world)


@pytest.mark.parametrize("paused", [False, True])
async def test_a_line_without_numbers_left_takes_nobody_and_he_keeps_his_place(world: World, paused: bool) -> None:  # noqa: FBT001
    await world.set("P", daily_limit=1)
    await world.line(9, queue="P")
    (ticket,) = await world.line(1)
    if paused:
        await world.pause("P")
    with pytest.raises(Refused, match="full") as refusal:
        await transfer(world, ticket)
    assert refusal.value.facts["queue"] == "Pharmacy"
    assert await world.ticket(1) == ticket
    await holds(world)


async def test_a_closed_line_takes_nobody_and_he_keeps_his_place(world: World) -> None:
    (ticket,) = await world.line(1)
    await world.close("P")
    with pytest.raises(Refused, match="closed"):
        await transfer(world, ticket)
    assert await world.ticket(1) == ticket


async def test_a_refused_transfer_costs_no_number(world: World) -> None:
    (ticket,) = await world.line(1)
    await world.close("P")
    with pytest.raises(Refused):
        await transfer(world, ticket)
    await world.open("P")
    assert (await transfer(world, ticket)).new.label == "P001"


async def test_a_line_is_no_way_to_itself(world: World) -> None:
    (ticket,) = await world.line(1)
    with pytest.raises(Refused, match="same_queue") as refusal:
        await transfer(world, ticket, "A")
    assert refusal.value.facts["ticket"]["label"] == "A001"


async def test_what_is_over_is_not_sent_on(world: World) -> None:
    ticket = await _in_state(world, "completed")
    with pytest.raises(Refused, match="wrong_state"):
        await transfer(world, ticket)


async def test_a_place_of_another_day_is_not_sent_on(world: World) -> None:
    (ticket,) = await world.line(1)
    await world.next_day()
    with pytest.raises(Refused, match="wrong_state"):
        await transfer(world, ticket)


async def test_a_press_on_what_has_moved_on_changes_nothing(world: World) -> None:
    """F43."""
    (ticket,) = await world.line(1)
    await world.called()
    with pytest.raises(Refused, match="stale") as refusal:
        await transfer(world, ticket, seen=ticket.version)
    assert refusal.value.facts["ticket"]["status"] == "called"
    assert await world.state(ticket) == "called"


async def test_a_press_delivered_twice_sends_once_and_answers_the_same(world: World) -> None:
    (ticket,) = await world.line(1)
    act = world.clerk("r-1")
    first, again = [await transfer(world, ticket, act=act) for _ in range(2)]
    assert first == again
    assert await world.texts(1) == ["joined", "moved"]
    await holds(world)


async def test_what_lies_in_another_branch_does_not_exist(world: World) -> None:
    """F68."""
    (ticket,) = await world.line(1)
    for act, to, code in (
        (world.clerk(branch=BANK), world.queue_ids["P"], "no_ticket"),
        (world.clerk(branch=BANK), world.queue_ids["C"], "no_ticket"),
        (world.clerk(), world.queue_ids["C"], "no_queue"),
        (world.clerk(), NOWHERE, "no_queue"),
    ):
        with pytest.raises(Refused) as refusal:
            await calling.transfer(world.core, act, ticket.id, to)
        assert (refusal.value.code, refusal.value.facts) == (code, {})
    assert await world.ticket(1) == ticket


async def test_a_counter_that_sent_its_person_on_calls_the_next(world: World) -> None:
    await world.line(1, 2)
    first = await world.called()
    await transfer(world, first)
    assert (await world.called()).label == "A002"
    await holds(world)


async def test_a_transfer_that_meets_call_next_is_before_or_after_it(world: World) -> None:
    """Either he is called and then sent on, or sent on and the next is called; the counter never keeps a ghost."""
    for person in range(1, 41, 2):
        first, second = await world.line(person, person + 1)
        moved, called = await asyncio.gather(transfer(world, first), world.call())
        assert called.ticket
        assert called.ticket.id in (first.id, second.id)
        await world.do("leave_for", moved.new)
        await world.do("leave_for", second)
    await holds(world)


async def test_a_press_of_call_next_after_it_finds_the_counter_empty(world: World) -> None:
    await world.line(1, 2)
    first = await world.called()
    seen = calling.Seen(first.id, first.version)
    await transfer(world, first)
    with pytest.raises(Refused, match="stale") as refusal:
        await calling.call_next(world.core, world.clerk(), world.queue_ids["A"], "Room 1", "complete", seen)
    assert refusal.value.facts == {}


async def test_a_transfer_that_meets_the_persons_own_leave_ends_in_one_of_the_two(world: World) -> None:
    for person in range(1, 21):
        (ticket,) = await world.line(person)
        moved, left = await asyncio.gather(transfer(world, ticket), world.leave(person), return_exceptions=True)
        assert isinstance(left, Ticket)
        if isinstance(moved, Refused):
            assert (moved.code, left.id) == ("wrong_state", ticket.id)
        assert await world.ticket(person) is None
    await holds(world)


async def test_a_transfer_that_meets_the_persons_own_join_leaves_one_place(world: World) -> None:
    for person in range(1, 21):
        (ticket,) = await world.line(person)
        moved, joined = await asyncio.gather(
            transfer(world, ticket), world.join(person, "L", replace=True), return_exceptions=True
        )
        assert not isinstance(joined, BaseException)
        if isinstance(moved, BaseException):
            assert isinstance(moved, Refused)
            assert moved.code == "wrong_state"
        assert await world.holds(person) == joined.ticket
        assert joined.ticket.queue_code == "L"
    await holds(world)


async def test_two_transfers_of_one_person_at_once_end_in_one_line(world: World) -> None:
    for person in range(1, 21):
        (ticket,) = await world.line(person)
        answers = await asyncio.gather(
            transfer(world, ticket, "P"), transfer(world, ticket, "L"), return_exceptions=True
        )
        (refusal,) = (answer for answer in answers if isinstance(answer, Refused))
        assert refusal.code == "wrong_state"
        await world.do("leave_for", await world.holds(person))
    await holds(world)


@pytest.mark.parametrize(("here", "there"), [("A", "P"), ("P", "A")])
async def test_two_lines_that_send_people_to_each_other_never_lock_each_other_out(
    world: World, here: str, there: str
) -> None:
    """F13: whichever way somebody goes, the line with the lower id is locked first."""
    (ticket,) = await world.line(1, queue=here)
    low, high = sorted(world.queue_ids[code] for code in (here, there))
    async with world.pool.acquire() as desk, desk.transaction():
        await desk.execute("select from queues where id = $1 for update", low)
        sending = asyncio.create_task(transfer(world, ticket, there))
        await until(world.pool, WAITS_FOR_LOCK)
        await desk.execute("select from queues where id = $1 for update nowait", high)
    assert (await sending).new.queue_code == there
    await holds(world)


async def test_a_transfer_out_of_a_room_meets_a_call_by_name_into_it(world: World) -> None:
    counter = await room(world)
    for person in range(1, 41, 2):
        first, second = await world.line(person, person + 1)
        await world.called()
        named = calling.call_named(world.core, because(world), second.id, counter)
        moved, called = await asyncio.gather(transfer(world, first), named, return_exceptions=True)
        assert not isinstance(moved, BaseException)
        assert not isinstance(called, BaseException) or (isinstance(called, Refused) and called.code == "outstanding")
        await world.do("leave_for", moved.new)
        await world.do("leave_for", second)
    await holds(world)
