"""Rule 5: call next takes the first waiting person to a counter."""

from __future__ import annotations

import asyncio

import pytest

from queue_core import calling
from queue_core.errors import Refused
from queue_core.tickets import Ticket, from_facts
from tests.world import World


async def test_the_first_person_is_called_to_the_first_free_counter(world: World) -> None:
    await world.line(1, 2, 3)
    first = await world.call(None)
    assert first.ticket
    assert (first.ticket.label, first.ticket.status, first.counter) == ("A001", "called", "Room 1")
    assert (first.ticket.counter, first.finished, first.waiting) == ("Room 1", None, 2)
    second = await world.call(None)
    assert second.ticket
    assert (second.ticket.label, second.counter, second.waiting) == ("A002", "Room 2", 1)


async def test_a_named_counter_is_used_however_its_name_is_written(world: World) -> None:
    await world.line(1)
    assert (await world.call("room 3")).counter == "Room 3"


async def test_a_counter_that_is_not_there_or_serves_other_lines_is_refused(world: World) -> None:
    await world.line(1)
    await world.pool.execute("delete from counter_queues where queue_id = $1", world.queue_ids["P"])
    for room, queue in (("Room 9", "A"), ("Window 1", "A"), ("Room 1", "P")):
        with pytest.raises(Refused) as refusal:
            await world.call(room, queue)
        assert refusal.value.code == "no_counter"


async def test_without_a_free_counter_nobody_is_called(world: World) -> None:
    await world.line(*range(1, 6))
    for _ in range(4):
        await world.call(None)
    with pytest.raises(Refused) as refusal:
        await world.call(None)
    assert refusal.value.code == "no_free_counter"
    assert await world.order() == ["A005"]


async def test_whom_the_counter_was_serving_is_completed(world: World) -> None:
    await world.line(1, 2)
    first = await world.called()
    await world.do("start", first)
    answer = await world.call()
    assert answer.finished
    assert (answer.finished.id, answer.finished.status) == (first.id, "completed")
    assert answer.ticket
    assert answer.ticket.label == "A002"


async def test_somebody_called_and_not_started_is_asked_about(world: World) -> None:
    await world.line(1, 2)
    first = await world.called()
    with pytest.raises(Refused) as refusal:
        await world.call()
    assert refusal.value.code == "outstanding"
    assert refusal.value.facts["ticket"]["label"] == "A001"
    assert refusal.value.facts["ticket"]["counter"] == "Room 1"
    assert await world.state(first) == "called"
    assert await world.order() == ["A002"]


@pytest.mark.parametrize(("finish", "state"), [("complete", "completed"), ("skip", "skipped"), ("no_show", "no_show")])
async def test_the_answer_to_that_question_ends_the_first_and_calls_the_second(
    world: World, finish: calling.Finish, state: str
) -> None:
    await world.line(1, 2)
    first = await world.called()
    answer = await world.call(finish=finish)
    assert answer.finished
    assert (answer.finished.id, answer.finished.status) == (first.id, state)
    assert answer.ticket
    assert answer.ticket.label == "A002"


async def test_an_answer_that_nobody_asked_for_does_no_harm(world: World) -> None:
    await world.line(1, 2)
    first = await world.called(finish="no_show")
    await world.do("start", first)
    answer = await world.call(finish="no_show")
    assert answer.finished
    assert answer.finished.status == "completed"


async def test_an_empty_line_is_said_to_be_empty_and_the_last_person_is_completed(world: World) -> None:
    await world.line(1)
    await world.do("start", await world.called())
    answer = await world.call()
    assert (answer.ticket, answer.waiting, answer.counter) == (None, 0, "Room 1")
    assert answer.finished
    assert answer.finished.status == "completed"
    assert (await world.call()).finished is None


async def test_a_counter_that_serves_two_lines_completes_one_and_calls_from_the_other(world: World) -> None:
    await world.line(1, queue="A")
    await world.line(2, queue="P")
    doctor = await world.called(queue="A")
    await world.do("start", doctor)
    world.announced.clear()
    answer = await world.call(queue="P")
    assert answer.finished
    assert answer.finished.id == doctor.id
    assert answer.ticket
    assert answer.ticket.label == "P001"
    assert set(world.announced) == {world.queue_ids["A"], world.queue_ids["P"]}


async def test_a_paused_and_a_closed_line_are_still_called(world: World) -> None:
    await world.line(1, 2)
    await world.pause()
    assert (await world.called("Room 1")).label == "A001"
    await world.close(send_home=False)
    assert (await world.called("Room 2")).label == "A002"


async def test_yesterdays_line_is_not_called_today(world: World) -> None:
    await world.line(1)
    await world.next_day()
    assert (await world.call()).ticket is None
    await world.line(2)
    assert (await world.called()).label == "A001"


async def test_two_counters_that_press_at_once_get_different_people_in_order(world: World) -> None:
    """F38."""
    await world.line(*range(1, 41))
    for turn in range(20):
        answers = await asyncio.gather(*(world.call(room, finish="complete") for room in ("Room 1", "Room 2")))
        labels = sorted(answer.ticket.label for answer in answers if answer.ticket)
        assert labels == [f"A{2 * turn + 1:03}", f"A{2 * turn + 2:03}"]


async def test_one_counter_pressed_twice_at_once_calls_one_person(world: World) -> None:
    """F38."""
    for person in range(1, 21):
        await world.line(person, person + 100)
        answers = await asyncio.gather(world.call(), world.call(), return_exceptions=True)
        (refusal,) = (answer for answer in answers if isinstance(answer, Refused))
        assert refusal.code == "outstanding"
        await world.do("complete", await _now_called(world))
        await world.leave(person + 100)


async def test_two_presses_without_a_counter_go_to_two_free_ones(world: World) -> None:
    await world.line(*range(1, 5))
    answers = await asyncio.gather(*(world.call(None) for _ in range(4)))
    assert {answer.counter for answer in answers} == {"Room 1", "Room 2", "Room 3", "Room 4"}


async def test_the_last_number_called_stands_on_the_board(world: World) -> None:
    await world.line(1, 2)
    await world.called()
    await world.called("Room 2")
    assert await world.pool.fetchval("select current_number from queue_days") == 2


async def _now_called(world: World) -> Ticket:
    row = await world.pool.fetchval("select ticket_facts(t) from tickets t where status = 'called'")
    return from_facts(row)
