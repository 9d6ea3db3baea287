"""What staff do with one person: recall, start, complete, no-show; and presses that come too late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from queue_core import calling, tickets
from queue_core.errors import Refused
from queue_core.tickets import Ticket
from tests.world import World

# In which states each verb applies; everywhere else it is refused.
APPLIES = {
    "start": {"called"},
    "complete": {"called", "serving"},
    "skip": {"called"},
    "recall": {"called"},
    "no_show": {"called", "serving", "skipped"},
    "come_back_for": {"skipped"},
    "leave_for": {"waiting", "called", "serving", "skipped"},
}
STATES = ("waiting", "called", "serving", "skipped", "completed", "no_show", "cancelled", "expired")


async def _in_state(world: World, state: str) -> Ticket:
    (ticket,) = await world.line(1)
    if state == "cancelled":
        await world.leave(1)
    elif state == "expired":
        await world.close(send_home=True)
    elif state != "waiting":
        await world.called()
    for verb in {"serving": ["start"], "skipped": ["skip"], "completed": ["complete"], "no_show": ["no_show"]}.get(
        state, []
    ):
        await world.do(verb, ticket)
    return await tickets.look(world.core, ticket.id)


@pytest.mark.parametrize("state", STATES)
async def test_a_verb_that_does_not_apply_is_refused_with_the_truth(world: World, state: str) -> None:
    ticket = await _in_state(world, state)
    assert ticket.status == state
    for verb in (verb for verb, states in APPLIES.items() if state not in states):
        with pytest.raises(Refused) as refusal:
            await world.do(verb, ticket)
        assert refusal.value.code == "wrong_state"
        assert refusal.value.facts["ticket"]["status"] == state
    assert await tickets.look(world.core, ticket.id) == ticket


@pytest.mark.parametrize(("verb", "state"), [(verb, state) for verb in APPLIES for state in sorted(APPLIES[verb])])
async def test_a_verb_that_applies_makes_one_new_version(world: World, verb: str, state: str) -> None:
    ticket = await _in_state(world, state)
    assert (await world.do(verb, ticket)).ticket.version == ticket.version + 1


async def test_start_complete_and_no_show_end_where_they_say(world: World) -> None:
    await world.line(1, 2)
    started = await world.do("start", await world.called())
    assert (started.ticket.status, started.ticket.deadline, started.waiting) == ("serving", None, 1)
    assert (await world.do("complete", started.ticket)).ticket.status == "completed"
    missed = await world.do("no_show", await world.called())
    assert (missed.ticket.status, missed.waiting) == ("no_show", 0)
    times = await world.row(
        "select started_at < completed_at and completed_at <= ended_at as ordered from tickets where number = 1"
    )
    assert times["ordered"]


async def test_a_press_on_what_has_moved_on_changes_nothing_and_hears_the_truth(world: World) -> None:
    """F43."""
    await world.line(1)
    seen = await world.called()
    await world.do("start", seen, seen.version)
    with pytest.raises(Refused) as refusal:
        await world.do("no_show", seen, seen.version)
    assert refusal.value.code == "stale"
    assert refusal.value.facts["ticket"]["status"] == "serving"
    assert await world.state(seen) == "serving"


async def test_a_ticket_that_never_was_is_refused(world: World) -> None:
    for verb in APPLIES:
        act: calling.Verb = getattr(calling, verb)
        with pytest.raises(Refused) as refusal:
            await act(world.core, world.clerk(), "00000000-0000-4000-8000-000000000000")
        assert refusal.value.code == "no_ticket"


async def test_a_call_expires_after_five_minutes_unless_the_line_says_otherwise(world: World) -> None:
    await world.line(1, 2, 3)
    assert _left(await world.called()) == pytest.approx(300, abs=5)
    await world.set(call_expiry=60)
    assert _left(await world.called("Room 2")) == pytest.approx(60, abs=5)
    await world.set(call_expiry=0)
    assert (await world.called("Room 3")).deadline is None


async def test_a_recall_leaves_at_least_two_minutes(world: World) -> None:
    await world.line(1)
    ticket = await world.called()
    early = (await world.do("recall", ticket)).ticket
    assert early.deadline == ticket.deadline
    await world.later(4.5)
    assert _left((await world.do("recall", ticket)).ticket) == pytest.approx(120, abs=5)


async def test_a_recall_of_a_line_without_a_timer_starts_none(world: World) -> None:
    await world.set(call_expiry=0)
    await world.line(1)
    again = (await world.do("recall", await world.called())).ticket
    assert again.deadline is None
    assert (await world.text(1, "last_call"))["min5"] == 2


async def test_i_am_coming_stops_the_timer_once_and_a_recall_starts_it_again(world: World) -> None:
    await world.line(1)
    await world.called()
    coming = await world.coming(1)
    assert (coming.status, coming.coming, coming.deadline) == ("called", True, None)
    assert (await world.coming(1)).version == coming.version
    await world.later(60)
    assert await world.sweep() == 0
    recalled = (await world.do("recall", coming)).ticket
    assert not recalled.coming
    assert _left(recalled) == pytest.approx(120, abs=5)


@pytest.mark.parametrize("state", ["waiting", "serving", "skipped", "cancelled"])
async def test_only_a_called_person_can_say_that_he_is_coming(world: World, state: str) -> None:
    await _in_state(world, state)
    with pytest.raises(Refused) as refusal:
        await world.coming(1)
    assert refusal.value.code == "no_ticket"


def _left(ticket: Ticket) -> float:
    """Seconds until the deadline."""
    assert ticket.deadline
    return (ticket.deadline - datetime.now(UTC)) / timedelta(seconds=1)
