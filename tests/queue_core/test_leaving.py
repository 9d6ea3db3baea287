"""Leaving gives the place up for good, in every state."""

from __future__ import annotations

import pytest

from queue_core.errors import Refused
from tests.world import World


@pytest.mark.parametrize("verbs", [None, [], ["start"], ["skip"]])
async def test_who_holds_a_ticket_may_leave_whatever_its_state(world: World, verbs: list[str] | None) -> None:
    (ticket,) = await world.line(1)
    if verbs is not None:
        await world.called()
        for verb in verbs:
            await world.do(verb, ticket)
    assert (await world.leave(1)).status == "cancelled"
    assert await world.ticket(1) is None
    assert (await world.texts(1))[-1] == "left"


async def test_leaving_twice_is_refused(world: World) -> None:
    await world.line(1)
    await world.leave(1)
    with pytest.raises(Refused) as refusal:
        await world.leave(1)
    assert refusal.value.code == "no_ticket"


async def test_who_left_is_never_called(world: World) -> None:
    await world.line(1, 2)
    await world.leave(1)
    assert (await world.called()).label == "A002"


async def test_a_counter_whose_person_left_is_free(world: World) -> None:
    await world.line(1, 2)
    await world.called()
    await world.leave(1)
    answer = await world.call(None)
    assert answer.ticket
    assert (answer.ticket.label, answer.counter, answer.finished) == ("A002", "Room 1", None)


async def test_staff_can_give_a_place_up_for_somebody(world: World) -> None:
    first, _ = await world.line(1, 2)
    changed = await world.do("leave_for", first)
    assert (changed.ticket.status, changed.waiting) == ("cancelled", 1)
    assert await world.texts(1) == ["joined", "left"]
