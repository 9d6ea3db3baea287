"""Rule 6: who is not there may come back within the grace, but not for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from queue_core.errors import Refused
from tests.world import World


async def test_a_skipped_person_has_fifteen_minutes_to_come_back(world: World) -> None:
    await world.line(1)
    skipped = (await world.do("skip", await world.called())).ticket
    assert (skipped.status, skipped.skip_count) == ("skipped", 1)
    assert skipped.deadline
    assert skipped.deadline - datetime.now(UTC) == pytest.approx(timedelta(minutes=15), abs=timedelta(seconds=5))
    back = await world.come_back(1)
    assert (back.status, back.label, back.counter, back.deadline) == ("waiting", "A001", None, None)


async def test_beyond_two_skips_it_is_a_no_show(world: World) -> None:
    (ticket,) = await world.line(1)
    for _ in range(2):
        assert (await world.do("skip", await world.called())).ticket.status == "skipped"
        await world.come_back(1)
    assert (await world.do("skip", await world.called())).ticket.status == "no_show"
    assert [step[2] for step in await world.history(ticket)] == [
        *["waiting", "called", "skipped"] * 2,
        *["waiting", "called", "no_show"],
    ]


@pytest.mark.parametrize("setting", ["max_skips", "grace"])
async def test_a_line_that_grants_no_second_chance_ends_the_ticket_at_once(world: World, setting: str) -> None:
    await world.set(**{setting: 0})
    await world.line(1)
    assert (await world.do("skip", await world.called())).ticket.status == "no_show"
    assert await world.texts(1) == ["joined", "turn", "missed"]


async def test_a_call_that_nobody_answers_expires_and_the_grace_after_it(world: World) -> None:
    (ticket,) = await world.line(1)
    await world.called()
    await world.later(4.9)
    await world.sweep()
    assert await world.state(ticket) == "called"
    await world.later(2.1)
    await world.sweep()
    assert await world.state(ticket) == "skipped"
    await world.later(14.9)
    await world.sweep()
    assert await world.state(ticket) == "skipped"
    await world.later(0.2)
    await world.sweep()
    assert await world.state(ticket) == "no_show"
    assert [step[0] for step in await world.history(ticket)] == [
        "join",
        "call",
        "last_call",
        "expire_call",
        "expire_grace",
    ]


async def test_after_the_grace_nobody_comes_back(world: World) -> None:
    await world.line(1)
    await world.do("skip", await world.called())
    await world.later(16)
    await world.sweep()
    with pytest.raises(Refused) as refusal:
        await world.come_back(1)
    assert refusal.value.code == "no_ticket"


async def test_a_no_show_by_staff_is_final_at_once(world: World) -> None:
    await world.line(1)
    await world.do("no_show", await world.called())
    assert await world.ticket(1) is None
    with pytest.raises(Refused):
        await world.come_back(1)


async def test_a_started_call_never_expires(world: World) -> None:
    (ticket,) = await world.line(1)
    await world.do("start", await world.called())
    await world.later(120)
    assert await world.sweep() == 0
    assert await world.state(ticket) == "serving"


async def test_a_call_without_expiry_waits_for_ever(world: World) -> None:
    await world.set(call_expiry=0)
    (ticket,) = await world.line(1)
    await world.called()
    await world.later(120)
    await world.sweep()
    assert await world.state(ticket) == "called"


async def test_staff_can_put_a_skipped_person_back(world: World) -> None:
    await world.line(1, 2, 3, 4)
    skipped = (await world.do("skip", await world.called())).ticket
    assert (await world.do("come_back_for", skipped)).waiting == 4
    assert await world.order() == ["A002", "A003", "A001", "A004"]


@pytest.mark.parametrize("verb", [None, "start"])
async def test_only_a_skipped_person_comes_back(world: World, verb: str | None) -> None:
    await world.line(1)
    ticket = await world.called()
    if verb:
        await world.do(verb, ticket)
    with pytest.raises(Refused) as refusal:
        await world.come_back(1)
    assert refusal.value.code == "no_ticket"
