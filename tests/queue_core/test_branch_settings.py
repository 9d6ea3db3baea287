"""What managers set, by the rules: in their branches only, once, on the record, and never under somebody's feet."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queue_core import branch_settings, branches
from queue_core.branch_settings import BranchFacts, read_hours, written_hours
from queue_core.core import Act
from queue_core.errors import Refused
from queue_core.hours import DAYS
from tests.world import BANK, CLINIC, World

FACTS = BranchFacts("Kilimani", "0700123456", "", asks_name=False, asks_rating=True, hours={"mon": "08:00-12:00"})
GRACE = {"grace": 10}
Attempt = Callable[[World, Act], Awaitable[Any]]


async def _room(world: World, name: str = "Room 1") -> str:
    """Its id."""
    room: str = await world.pool.fetchval("select id::text from counters where name = $1", name)
    return room


async def _change_room(world: World, act: Act) -> None:
    await branch_settings.change_counter(world.core, act, await _room(world), "Room 0", [])


async def _remove_room(world: World, act: Act) -> str:
    return await branch_settings.remove_counter(world.core, act, await _room(world))


VERBS: dict[str, tuple[str, Attempt]] = {
    "change the branch": ("no_branch", lambda w, act: branch_settings.change_branch(w.core, act, CLINIC, FACTS)),
    "close the branch": ("no_branch", lambda w, act: branch_settings.open_branch(w.core, act, CLINIC, is_open=False)),
    "change a line": (
        "no_queue",
        lambda w, act: branch_settings.change_line(w.core, act, w.queue_ids["A"], "Doctors", GRACE),
    ),
    "add a line": ("no_branch", lambda w, act: branch_settings.add_line(w.core, act, CLINIC, "Q", "Questions")),
    "add a counter": ("no_branch", lambda w, act: branch_settings.add_counter(w.core, act, CLINIC, "Room 9", [])),
    "change a counter": ("no_counter", _change_room),
    "remove a counter": ("no_counter", _remove_room),
}


async def _audit(world: World) -> list[dict[str, Any]]:
    rows = await world.pool.fetch("select * from audit_log where entity in ('branch', 'queue', 'counter') order by id")
    return [dict(row) for row in rows]


async def _refused(attempt: Awaitable[Any]) -> tuple[str, dict[str, Any]]:
    with pytest.raises(Refused) as refusal:
        await attempt
    return refusal.value.code, refusal.value.facts


@pytest.mark.parametrize("verb", VERBS)
async def test_what_lies_in_another_branch_does_not_exist(world: World, verb: str) -> None:
    code, attempt = VERBS[verb]
    before = await branches.settings(world.core, world.clerk(), CLINIC)
    assert await _refused(attempt(world, world.clerk(branch=BANK))) == (code, {})
    assert await branches.settings(world.core, world.clerk(), CLINIC) == before
    assert await _audit(world) == []


@pytest.mark.parametrize("verb", VERBS)
async def test_a_request_that_comes_again_is_done_once_and_is_on_record_once(world: World, verb: str) -> None:
    _, attempt = VERBS[verb]
    room = await _room(world)
    act = Act("staff", "staff", world.clerk_id, "so be it", (world.branches[CLINIC],), "the-same")
    answers = [await attempt(world, act) for _ in range(1 if verb == "remove a counter" else 3)]
    if verb == "remove a counter":  # asked for by its id: by its name it is gone
        answers += [await branch_settings.remove_counter(world.core, act, room) for _ in range(2)]
    assert len({str(answer) for answer in answers}) == 1
    (row,) = await _audit(world)
    assert (row["actor"], str(row["actor_id"]), row["reason"]) == ("staff", world.clerk_id, "so be it")
    assert str(row["branch_id"]) == world.branches[CLINIC]


async def test_what_is_as_it_was_is_no_change(world: World) -> None:
    await branch_settings.change_branch(world.core, world.clerk(), CLINIC, FACTS)
    after, history = await branches.settings(world.core, world.clerk(), CLINIC), await _audit(world)
    await branch_settings.change_branch(world.core, world.clerk(), CLINIC, FACTS, after.version)
    line, room = after.lines[0], after.counters[0]
    same = {"alert_threshold": line.alert_threshold, "call_expiry": line.call_expiry, "daily_limit": None}
    await branch_settings.change_line(world.core, world.clerk(), line.id, line.name, same, after.version)
    await branch_settings.change_counter(world.core, world.clerk(), room.id, room.name, room.lines, after.version)
    assert await branches.settings(world.core, world.clerk(), CLINIC) == after
    assert await _audit(world) == history


@pytest.mark.parametrize("verb", VERBS)
async def test_every_change_outdates_the_pages_that_were_open(world: World, verb: str) -> None:
    _, attempt = VERBS[verb]
    seen = (await branches.settings(world.core, world.clerk(), CLINIC)).version
    await attempt(world, world.clerk())
    late = branch_settings.change_branch(world.core, world.clerk(), CLINIC, FACTS, seen)
    assert (await _refused(late))[0] == "changed_meanwhile"


async def test_who_comes_within_a_wider_threshold_is_told_at_once(world: World) -> None:
    await world.line(*range(1, 8))
    told = [person for person in range(1, 8) if "near" in await world.texts(person)]
    await branch_settings.change_line(world.core, world.clerk(), world.queue_ids["A"], "Doctor", {"alert_threshold": 5})
    assert [person for person in range(1, 8) if "near" in await world.texts(person)] == [*told, 5, 6]


async def test_boards_and_panels_hear_of_a_change(world: World) -> None:
    await branch_settings.open_branch(world.core, world.clerk(), CLINIC, is_open=False)
    assert sorted(world.announced) == sorted(world.queue_ids[code] for code in "APL")
    assert (await _refused(world.join(1)))[0] == "closed"


async def test_nobody_is_called_to_a_counter_that_is_removed_in_the_same_instant(world: World) -> None:
    """Either the call comes first and the counter stays, or it is gone and the call is refused."""
    await world.line(*range(1, 5))
    for number in range(1, 5):
        room = await _room(world, f"Room {number}")
        removed, called = await asyncio.gather(
            branch_settings.remove_counter(world.core, world.clerk(), room),
            world.call(f"Room {number}"),
            return_exceptions=True,
        )
        refused = [answer.code for answer in (removed, called) if isinstance(answer, Refused)]
        assert refused in (["counter_busy"], ["no_counter"])
        there = await world.pool.fetchval("select exists (select from counters where id = $1)", room)
        assert there == (refused == ["counter_busy"])


async def test_a_ticket_outlives_its_counter(world: World) -> None:
    await world.line(1)
    ticket = await world.serve()
    await branch_settings.remove_counter(world.core, world.clerk(), await _room(world))
    assert await world.state(ticket) == "completed"
    assert [action for action, *_ in await world.history(ticket)] == ["join", "call", "start", "complete"]


async def test_only_an_admin_adds_branches_and_names_the_organization(world: World) -> None:
    for attempt in (
        branch_settings.add_branch(world.core, world.clerk(), "7001", "Thika", "0700123456"),
        branch_settings.change_organization(world.core, world.clerk(), "Mine", "en"),
    ):
        assert await _refused(attempt) == ("not_allowed", {})


async def test_two_who_take_one_code_in_the_same_instant_make_one_branch(world: World) -> None:
    admin = await world.pool.fetchval("select id::text from staff where login = 'admin'")
    answers = await asyncio.gather(
        *(
            branch_settings.add_branch(world.core, Act("staff", "staff", admin, branches=()), "7001", "Thika", "0700")
            for _ in range(8)
        ),
        return_exceptions=True,
    )
    assert sorted(str(answer) for answer in answers) == ["None"] + ["code_taken"] * 7
    assert await world.pool.fetchval("select timezone from branches where code = '7001'") == "Africa/Nairobi"


async def test_the_day_of_a_line_ends_with_the_service_day(world: World) -> None:
    await world.line(1, 2, 3)
    await world.later(10)
    await world.serve()
    (day,) = await branches.overview(world.core, world.clerk())
    assert (day.waiting, day.served, day.wait, day.lines[0].wait, day.lines[1].wait) == (2, 1, 10, 10, None)
    await world.next_day()
    (day,) = await branches.overview(world.core, world.clerk())
    assert (day.waiting, day.served, day.wait, day.untold) == (0, 0, None, 0)


TIMES = st.integers(0, 24 * 60 - 1)


@given(st.dictionaries(st.sampled_from(DAYS), st.lists(TIMES, unique=True, max_size=8).map(sorted)))
def test_opening_hours_are_read_as_they_are_written(times: dict[str, list[int]]) -> None:
    """In any order, with any number of intervals."""
    clock = {day: [f"{at // 60:02}:{at % 60:02}" for at in found] for day, found in times.items()}
    hours = {
        day: [list(pair) for pair in zip(found[::2], found[1::2], strict=False)]
        for day, found in clock.items()
        if len(found) > 1
    }
    assert read_hours(written_hours(hours)) == hours
    backwards = {day: ", ".join("-".join(pair) for pair in reversed(pairs)) for day, pairs in hours.items()}
    assert read_hours(backwards) == hours


@given(st.text(max_size=30))
def test_whatever_is_written_as_hours_is_read_or_refused(text: str) -> None:
    try:
        hours = read_hours({"mon": text})
    except Refused:
        return
    assert read_hours(written_hours(hours)) == hours
