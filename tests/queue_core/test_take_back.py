"""A call can be undone for a minute, by who made it, while the person has not answered."""

from __future__ import annotations

import pytest

from queue_core import calling
from queue_core.core import Act
from queue_core.errors import Refused
from tests.world import World


async def test_a_person_called_by_mistake_is_first_again(world: World) -> None:
    await world.line(1, 2, 3)
    before = await world.row("select last_number_issued, current_number from queue_days")
    called = await world.called()
    back = await world.do("take_back", called, called.version)
    assert (back.ticket.status, back.ticket.ahead, back.ticket.counter, back.waiting) == ("waiting", 0, None, 3)
    assert await world.order() == ["A001", "A002", "A003"]
    assert (await world.history(called))[-1] == ("take_back", "called", "waiting")
    assert await world.row("select last_number_issued, current_number from queue_days") == before
    assert (await world.called()).label == "A001"


async def test_the_number_on_the_board_is_who_was_called_before(world: World) -> None:
    await world.line(1, 2)
    await world.serve("Room 1")
    await world.do("take_back", await world.called("Room 2"))
    assert await world.pool.fetchval("select current_number from queue_days") == 1


async def test_the_number_of_a_later_call_stays_on_the_board(world: World) -> None:
    await world.line(1, 2)
    first = await world.called("Room 1")
    await world.called("Room 2")
    await world.do("take_back", first)
    assert await world.pool.fetchval("select current_number from queue_days") == 2
    assert await world.order() == ["A001"]


async def test_what_was_answered_or_is_a_minute_old_stands(world: World) -> None:
    await world.line(1, 2)
    old, answered = await world.called("Room 1"), await world.called("Room 2")
    await world.coming(2)
    with pytest.raises(Refused, match="too_late"):
        await world.do("take_back", answered)
    await world.later(1.1)
    with pytest.raises(Refused, match="too_late"):
        await world.do("take_back", old)
    assert await world.state(old) == await world.state(answered) == "called"


async def test_nobody_takes_back_the_call_of_another(world: World) -> None:
    await world.line(1)
    called = await world.called()
    other = Act("staff", "sms", await world.pool.fetchval("select id::text from staff where login = 'manager'"))
    with pytest.raises(Refused, match="too_late"):
        await calling.take_back(world.core, other, called.id)


async def test_only_a_call_is_taken_back_and_only_as_it_was_seen(world: World) -> None:
    await world.line(1)
    called = await world.called()
    await world.do("recall", called)
    with pytest.raises(Refused, match="stale"):
        await world.do("take_back", called, called.version)
    await world.do("start", called)
    with pytest.raises(Refused, match="wrong_state"):
        await world.do("take_back", called)


async def test_a_call_by_someone_who_saw_another_at_the_counter_changes_nothing(world: World) -> None:
    await world.line(1, 2, 3)
    nobody = calling.Seen()
    first = await calling.call_next(world.core, world.clerk(), world.queue_ids["A"], "Room 1", seen=nobody)
    assert first.ticket
    with pytest.raises(Refused, match="stale") as refused:
        await calling.call_next(world.core, world.clerk(), world.queue_ids["A"], "Room 1", "complete", nobody)
    assert refused.value.facts["ticket"]["label"] == "A001"
    seen = calling.Seen(first.ticket.id, first.ticket.version)
    await world.do("start", first.ticket)
    with pytest.raises(Refused, match="stale"):
        await calling.call_next(world.core, world.clerk(), world.queue_ids["A"], "Room 1", "complete", seen)
    await world.do("complete", first.ticket)
    with pytest.raises(Refused, match="stale") as refused:
        await calling.call_next(world.core, world.clerk(), world.queue_ids["A"], "Room 1", seen=seen)
    assert refused.value.facts == {}
    assert await world.order() == ["A002", "A003"]
