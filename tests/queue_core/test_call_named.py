"""Staff call one person out of turn, and the history says why."""

from __future__ import annotations

import asyncio

import pytest

from queue_core import calling, tickets
from queue_core.calling import Finish, Seen
from queue_core.errors import Refused
from tests.queue_core.desk_acts import WHY, because, call_named, holds, room
from tests.world import BANK, World

REASONS = "select reason from audit_log where entity_id = $1 and action = 'call'"


async def test_a_person_from_the_middle_of_the_line_comes_at_once(world: World) -> None:
    line = await world.line(1, 2, 3)
    world.announced.clear()
    called = await call_named(world, line[1])
    assert called.ticket
    assert (called.ticket.label, called.ticket.status, called.ticket.counter) == ("A002", "called", "Room 1")
    assert (called.counter, called.finished, called.waiting) == ("Room 1", None, 2)
    assert await world.order() == ["A001", "A003"]
    assert world.announced == [world.queue_ids["A"]]
    assert (await world.text(2, "turn"))["ctr"] == "Room 1"
    assert await world.pool.fetchval("select current_number from queue_days") == 2
    await holds(world)


async def test_the_history_says_why(world: World) -> None:
    (ticket,) = await world.line(1)
    await call_named(world, ticket)
    assert (await world.history(ticket))[-1] == ("call", "waiting", "called")
    assert await world.pool.fetchval(REASONS, ticket.id) == WHY


@pytest.mark.parametrize("reason", [None, "", " \n"])
async def test_without_a_reason_nobody_is_called(world: World, reason: str | None) -> None:
    (ticket,) = await world.line(1)
    with pytest.raises(Refused, match="no_reason"):
        await call_named(world, ticket, act=because(world, reason))
    assert await tickets.look(world.core, ticket.id) == ticket


async def test_a_skipped_person_who_stands_there_is_called(world: World) -> None:
    await world.line(1, 2)
    skipped = await world.called()
    await world.do("skip", skipped)
    called = await call_named(world, skipped)
    assert called.ticket
    assert (called.ticket.label, called.ticket.status, called.waiting) == ("A001", "called", 1)
    assert (await world.history(skipped))[-1] == ("call", "skipped", "called")
    assert (await world.texts(1)).count("turn") == 2
    await holds(world)


async def test_whom_the_call_passes_is_called_next_all_the_same(world: World) -> None:
    line = await world.line(1, 2, 3)
    await call_named(world, line[2])
    assert (await world.called("Room 2")).label == "A001"
    await holds(world)


async def test_whoever_comes_near_by_it_is_told_once(world: World) -> None:
    line = await world.line(*range(1, 7))
    await call_named(world, line[1])
    await call_named(world, line[0], "Room 2")
    assert [(await world.texts(person)).count("near") for person in range(1, 7)] == [0, 0, 0, 0, 1, 1]
    await holds(world)


@pytest.mark.parametrize("state", ["called", "serving", "completed", "no_show", "cancelled"])
async def test_only_who_waits_or_was_skipped_can_be_called(world: World, state: str) -> None:
    await world.line(1)
    ticket = await world.called("Room 2")
    verbs = {"serving": "start", "completed": "complete", "no_show": "no_show", "cancelled": "leave_for"}
    if state in verbs:
        await world.do(verbs[state], ticket)
    with pytest.raises(Refused, match="wrong_state") as refusal:
        await call_named(world, ticket)
    assert refusal.value.facts["ticket"]["status"] == state
    await holds(world)


async def test_a_place_for_another_day_is_not_called_today(world: World) -> None:
    (ticket,) = await world.line(1)
    await world.next_day()
    with pytest.raises(Refused, match="wrong_state"):
        await call_named(world, ticket)


async def test_somebody_called_and_not_started_is_asked_about(world: World) -> None:
    line = await world.line(1, 2)
    await world.called()
    with pytest.raises(Refused, match="outstanding") as refusal:
        await call_named(world, line[1])
    assert refusal.value.facts["ticket"]["label"] == "A001"
    assert await world.order() == ["A002"]


@pytest.mark.parametrize(("finish", "state"), [("complete", "completed"), ("skip", "skipped"), ("no_show", "no_show")])
async def test_the_answer_ends_the_first_and_calls_the_one_named(world: World, finish: Finish, state: str) -> None:
    line = await world.line(1, 2, 3)
    await world.called()
    called = await call_named(world, line[2], finish=finish)
    assert called.finished
    assert (called.finished.label, called.finished.status) == ("A001", state)
    assert called.ticket
    assert called.ticket.label == "A003"
    await holds(world)


async def test_whom_the_counter_was_serving_in_another_line_is_completed(world: World) -> None:
    (named,) = await world.line(1, queue="A")
    await world.line(2, queue="P")
    await world.do("start", await world.called(queue="P"))
    world.announced.clear()
    called = await call_named(world, named)
    assert called.finished
    assert (called.finished.label, called.finished.status) == ("P001", "completed")
    assert world.announced == [world.queue_ids["A"], world.queue_ids["P"]]
    await holds(world)


async def test_a_press_on_a_ticket_that_moved_on_changes_nothing(world: World) -> None:
    """F43."""
    line = await world.line(1, 2)
    await world.defer(2, 5)
    with pytest.raises(Refused, match="stale") as refusal:
        await call_named(world, line[1], seen=line[1].version)
    assert refusal.value.facts["ticket"]["label"] == "A002"
    assert await world.order() == ["A001", "A002"]


async def test_a_press_by_who_saw_another_at_the_counter_changes_nothing(world: World) -> None:
    line = await world.line(1, 2, 3)
    await call_named(world, line[0], at_counter=Seen())
    with pytest.raises(Refused, match="stale") as refusal:
        await call_named(world, line[1], at_counter=Seen(), finish="complete")
    assert refusal.value.facts["ticket"]["label"] == "A001"
    assert await world.order() == ["A002", "A003"]


async def test_a_press_delivered_twice_calls_once_and_answers_the_same(world: World) -> None:
    """F33, F39."""
    line = await world.line(1, 2)
    act = because(world, request="r-1")
    first, again = [await call_named(world, line[1], act=act) for _ in range(2)]
    assert first == again
    assert (await world.texts(2)).count("turn") == 1
    await holds(world)


async def test_what_lies_in_another_branch_does_not_exist(world: World) -> None:
    """F68."""
    clinic, _ = await world.line(1, 2)
    with pytest.raises(Refused) as refusal:
        await call_named(world, clinic, act=because(world, None, BANK))
    assert (refusal.value.code, refusal.value.facts) == ("no_ticket", {})
    window = await room(world, "Window 1")
    with pytest.raises(Refused) as refusal:
        await calling.call_named(world.core, because(world), clinic.id, window)
    assert (refusal.value.code, refusal.value.facts) == ("no_counter", {})
    assert await tickets.look(world.core, clinic.id) == clinic


async def test_a_counter_that_does_not_serve_the_line_is_refused(world: World) -> None:
    (ticket,) = await world.line(1)
    await world.pool.execute("delete from counter_queues where counter_id = $1", await room(world))
    with pytest.raises(Refused, match="no_counter"):
        await call_named(world, ticket)


async def test_two_rooms_that_call_one_person_at_once_get_him_once(world: World) -> None:
    for person in range(1, 21):
        (ticket,) = await world.line(person)
        calls = (call_named(world, ticket, name) for name in ("Room 1", "Room 2"))
        answers = await asyncio.gather(*calls, return_exceptions=True)
        (refusal,) = (answer for answer in answers if isinstance(answer, Refused))
        assert refusal.code == "wrong_state"
        await world.do("complete", ticket)
        assert (await world.texts(person)).count("turn") == 1
    await holds(world)


@pytest.mark.parametrize("other", ["A", "P"])
async def test_one_room_that_calls_two_people_at_once_gets_one(world: World, other: str) -> None:
    for person in range(1, 21):
        both = [*await world.line(person), *await world.line(person + 100, queue=other)]
        answers = await asyncio.gather(*(call_named(world, ticket) for ticket in both), return_exceptions=True)
        (refusal,) = (answer for answer in answers if isinstance(answer, Refused))
        assert refusal.code == "outstanding"
        for ticket in both:
            await world.do("leave_for", ticket)
    await holds(world)


async def test_a_call_by_name_that_meets_call_next_never_calls_him_twice(world: World) -> None:
    for person in range(1, 41, 2):
        first, second = await world.line(person, person + 1)
        named, called = await asyncio.gather(call_named(world, first), world.call("Room 2"), return_exceptions=True)
        assert not isinstance(called, BaseException)
        assert called.ticket
        beaten = isinstance(named, Refused) and named.code == "wrong_state"
        assert called.ticket.id == (first.id if beaten else second.id)
        for ticket in (first, second):
            await world.do("leave_for", ticket)
    await holds(world)


async def test_who_waited_has_his_place_again_when_the_call_is_taken_back(world: World) -> None:
    line = await world.line(1, 2, 3)
    called = (await call_named(world, line[1])).ticket
    assert called
    await world.do("take_back", called)
    assert await world.order() == ["A001", "A002", "A003"]
    assert await world.pool.fetchval("select current_number from queue_days") == 0
    await holds(world)


async def test_who_was_skipped_is_skipped_again_with_a_new_grace_when_the_call_is_taken_back(world: World) -> None:
    await world.line(1, 2)
    skipped = await world.called()
    await world.do("skip", skipped)
    await world.later(10)
    called = (await call_named(world, skipped)).ticket
    assert called
    back = (await world.do("take_back", called)).ticket
    assert (back.status, back.skip_count) == ("skipped", 1)
    await world.later(10)
    await world.sweep()
    assert await world.state(skipped) == "skipped"
    await world.later(6)
    await world.sweep()
    assert await world.state(skipped) == "no_show"
    assert await world.order() == ["A002"]
    await holds(world)
