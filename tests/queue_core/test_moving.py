"""Staff let a person be late, put him elsewhere in line for a reason, and write down his name."""

from __future__ import annotations

import asyncio

import pytest

from queue_core import calling, tickets
from queue_core.errors import Refused
from tests.queue_core.desk_acts import WHY, because, holds, move
from tests.world import BANK, World


async def test_staff_let_as_many_pass_as_the_person_himself_could(world: World) -> None:
    line = await world.line(*range(1, 6))
    changed = await calling.defer_for(world.core, world.clerk(), line[0].id, 10, line[0].version)
    assert (changed.ticket.ahead, changed.ticket.defer_count, changed.waiting) == (2, 1, 5)
    assert (await world.text(1, "late_ok"))["n"] == 10
    assert (await world.history(line[0]))[-1] == ("defer", "waiting", "waiting")
    await holds(world)


async def test_a_called_person_whom_staff_let_be_late_frees_the_counter(world: World) -> None:
    await world.line(1, 2, 3)
    called = await world.called()
    changed = await calling.defer_for(world.core, world.clerk(), called.id, 5)
    assert (changed.ticket.status, changed.ticket.ahead, changed.ticket.counter) == ("waiting", 1, None)
    assert (await world.called()).label == "A002"
    await holds(world)


async def test_twice_is_enough_whoever_asks(world: World) -> None:
    (ticket,) = await world.line(1)
    await world.defer(1)
    await calling.defer_for(world.core, world.clerk(), ticket.id, 5)
    with pytest.raises(Refused, match="moved_twice") as refusal:
        await calling.defer_for(world.core, world.clerk(), ticket.id, 5)
    assert refusal.value.facts["ticket"]["label"] == "A001"


@pytest.mark.parametrize(("who", "passed", "order"), [
    (4, 0, [4, 1, 2, 3, 5]),
    (4, 2, [1, 2, 4, 3, 5]),
    (2, 1, [1, 2, 3, 4, 5]),
    (1, 0, [1, 2, 3, 4, 5]),
    (1, 2, [2, 3, 1, 4, 5]),
    (2, 4, [1, 3, 4, 5, 2]),
    (2, 99, [1, 3, 4, 5, 2]),
    (3, -1, [3, 1, 2, 4, 5]),
])  # fmt: skip
async def test_a_person_is_put_behind_so_many_others(world: World, who: int, passed: int, order: list[int]) -> None:
    line = await world.line(*range(1, 6))
    changed = await move(world, line[who - 1], passed)
    assert changed.ticket.ahead == max(0, min(passed, 4))
    assert await world.order() == [f"A{number:03}" for number in order]
    await world.join(9)
    assert (await world.order())[-1] == "A006"
    await holds(world)


async def test_moves_upon_moves_keep_a_line_in_which_each_has_one_place(world: World) -> None:
    line = await world.line(*range(1, 6))
    for turn in range(40):
        changed = await move(world, line[turn % 5], turn % 4)
        assert changed.ticket.ahead == turn % 4
    assert len(set(await world.order())) == 5
    await holds(world)


async def test_the_history_says_why(world: World) -> None:
    line = await world.line(1, 2)
    await move(world, line[1], 0)
    row = await world.row(
        "select action, reason, actor, channel from audit_log where entity_id = $1 and version = 2", line[1].id
    )
    assert row == {"action": "move", "reason": WHY, "actor": "staff", "channel": "staff"}


@pytest.mark.parametrize("reason", [None, "", "  "])
async def test_without_a_reason_nobody_is_moved(world: World, reason: str | None) -> None:
    line = await world.line(1, 2)
    with pytest.raises(Refused, match="no_reason"):
        await move(world, line[1], 0, because(world, reason))
    assert await world.order() == ["A001", "A002"]


async def test_who_comes_near_by_a_move_is_told_once(world: World) -> None:
    line = await world.line(*range(1, 9))
    await move(world, line[7], 1)
    await move(world, line[7], 0)
    assert await world.texts(8) == ["joined", "near"]
    assert (await world.text(8, "near"))["ahead"] == 1
    await holds(world)


async def test_who_comes_near_because_another_was_moved_back_is_told(world: World) -> None:
    line = await world.line(*range(1, 7))
    await move(world, line[0], 5)
    assert [await world.texts(person) for person in (1, 5, 6)] == [["joined"], ["joined", "near"], ["joined"]]


async def test_who_was_moved_away_is_told_again_when_he_comes_near(world: World) -> None:
    line = await world.line(*range(1, 8))
    await move(world, line[6], 0)
    assert await world.texts(7) == ["joined", "near"]
    await move(world, line[6], 6)
    for _ in range(3):
        await world.serve()
    assert await world.texts(7) == ["joined", "near", "near"]
    await holds(world)


@pytest.mark.parametrize("verb", ["start", "skip", None])
async def test_only_who_waits_is_moved(world: World, verb: str | None) -> None:
    await world.line(1)
    called = await world.called()
    if verb:
        await world.do(verb, called)
    with pytest.raises(Refused, match="wrong_state"):
        await move(world, called, 0)


async def test_a_name_is_made_plain_and_changes_nothing_else(world: World) -> None:
    line = await world.line(1, 2)
    changed = await calling.rename(world.core, world.clerk(), line[0].id, " Zoë\u202e  O\u2019Brien-Wanjiku ", 1)
    assert changed.ticket.name == "Zoe O'Brien-Wanj"
    assert (changed.ticket.version, changed.ticket.ahead, changed.waiting) == (2, 0, 2)
    assert await world.texts(1) == ["joined"]
    await holds(world)


@pytest.mark.parametrize("name", ["", "   ", "\u0000", "123"])
async def test_what_is_no_name_leaves_the_number_alone(world: World, name: str) -> None:
    ticket = (await world.join(1, name="Amina")).ticket
    assert (await calling.rename(world.core, world.clerk(), ticket.id, name)).ticket.name is None


async def test_a_name_can_be_written_down_until_the_ticket_ends(world: World) -> None:
    await world.line(1)
    ticket = await world.called()
    await calling.rename(world.core, world.clerk(), ticket.id, "Ann")
    await world.do("skip", ticket)
    await calling.rename(world.core, world.clerk(), ticket.id, "Anna")
    await world.come_back(1)
    await world.called()
    await world.do("start", ticket)
    served = (await calling.rename(world.core, world.clerk(), ticket.id, "Annan")).ticket
    assert (served.name, served.status) == ("Annan", "serving")
    await world.do("complete", ticket)
    with pytest.raises(Refused, match="wrong_state"):
        await calling.rename(world.core, world.clerk(), ticket.id, "Anon")
    await holds(world)


async def test_the_last_call_comes_to_who_was_renamed_as_well_and_once(world: World) -> None:
    await world.line(1)
    ticket = await world.called()
    await calling.rename(world.core, world.clerk(), ticket.id, "Ann")
    await world.later(3.5)
    await world.sweep()
    await calling.rename(world.core, world.clerk(), ticket.id, "Anna")
    await world.sweep()
    assert (await world.texts(1)).count("last_call") == 1


async def test_a_stale_press_changes_nothing(world: World) -> None:
    """F43."""
    (ticket,) = await world.line(1)
    await calling.rename(world.core, world.clerk(), ticket.id, "Ann", ticket.version)
    act = because(world)
    for attempt in (
        calling.rename(world.core, act, ticket.id, "Bob", ticket.version),
        calling.move(world.core, because(world), ticket.id, 0, ticket.version),
        calling.defer_for(world.core, because(world), ticket.id, 5, ticket.version),
    ):
        with pytest.raises(Refused, match="stale") as refusal:
            await attempt
        assert refusal.value.facts["ticket"]["name"] == "Ann"
    assert (await tickets.look(world.core, ticket.id)).version == 2


async def test_a_ticket_of_another_branch_does_not_exist(world: World) -> None:
    """F68."""
    (ticket,) = await world.line(1)
    for attempt in (
        calling.rename(world.core, because(world, branch=BANK), ticket.id, "Bob"),
        calling.move(world.core, because(world, branch=BANK), ticket.id, 0),
        calling.defer_for(world.core, because(world, branch=BANK), ticket.id, 5),
    ):
        with pytest.raises(Refused) as refusal:
            await attempt
        assert (refusal.value.code, refusal.value.facts) == ("no_ticket", {})
    assert await tickets.look(world.core, ticket.id) == ticket


async def test_moves_that_meet_calls_leave_one_order(world: World) -> None:
    for person in range(1, 61, 3):
        line = await world.line(person, person + 1, person + 2)
        _, called = await asyncio.gather(move(world, line[2], 0), world.call())
        assert called.ticket
        assert called.ticket.id in (line[0].id, line[2].id)
        for ticket in line:
            await world.do("leave_for", ticket)
    await holds(world)
