"""What the desk shows: one counter, its lines, and the people of one of them, as of one moment."""

from __future__ import annotations

import pytest

from queue_core import calling, panel
from queue_core.core import Act
from queue_core.errors import Refused
from queue_core.panel import Desk, DeskTicket
from tests.queue_core.desk_acts import WHY, call_named, room, transfer
from tests.world import BANK, World, phone

NOWHERE = "00000000-0000-4000-8000-000000000000"


async def _desk(world: World, name: str = "Room 1", queue: str = "A", act: Act | None = None) -> Desk:
    return await panel.desk(world.core, act or world.clerk(), await room(world, name), world.queue_ids[queue])


async def _shown(world: World, label: str) -> DeskTicket:
    return next(ticket for ticket in (await _desk(world)).waiting if ticket.label == label)


async def _fate(world: World, person: int, **fates: str) -> None:
    """What became of somebody's texts, by template."""
    for template, status in fates.items():
        await world.pool.execute(
            "update notifications set status = $3 where phone = $1 and template = $2", phone(person), template, status
        )


async def test_an_empty_desk_says_where_it_is(world: World) -> None:
    desk = await _desk(world)
    assert (desk.branch.code, desk.branch.name, desk.branch.is_open) == ("4071", "Kilimani Clinic", True)
    assert desk.branch.timezone == "Africa/Nairobi"
    assert desk.counter.name == "Room 1"
    assert [line.code for line in desk.lines] == ["A", "P", "L"]
    assert (desk.line.code, desk.line.status, desk.line.waiting, desk.line.served) == ("A", "open", 0, 0)
    assert (desk.line.average, desk.line.paused_until, desk.line.full) == (None, None, False)
    assert (desk.current, desk.waiting, desk.skipped) == (None, (), ())


async def test_who_waits_is_shown_in_order_of_call_and_fifty_at_most(world: World) -> None:
    for _ in range(53):
        await world.join(None)
    await world.line(1)
    await world.pool.execute("update tickets set position = 0.5 where number = 54")
    desk = await _desk(world)
    assert [ticket.label for ticket in desk.waiting[:3]] == ["A054", "A001", "A002"]
    assert (len(desk.waiting), desk.line.waiting) == (50, 54)


async def test_who_is_at_the_counter_is_shown_from_whatever_line(world: World) -> None:
    await world.line(1, queue="P")
    await world.line(2)
    called = await world.called(queue="P")
    desk = await _desk(world)
    assert desk.current
    assert (desk.current.label, desk.current.queue, desk.current.status) == ("P001", "Pharmacy", "called")
    assert (desk.current.version, desk.current.queue_id) == (called.version, world.queue_ids["P"])
    assert (desk.current.called_at, desk.current.deadline) == (called.called_at, called.deadline)
    assert (await _desk(world, "Room 2")).current is None
    await world.do("start", called)
    current = (await _desk(world)).current
    assert current
    assert current.started_at


async def test_who_may_come_back_is_shown_latest_first(world: World) -> None:
    await world.line(1, 2, 3)
    for minutes in (0, 1):
        await world.later(minutes)
        await world.do("skip", await world.called())
    desk = await _desk(world)
    assert [ticket.label for ticket in desk.skipped] == ["A002", "A001"]
    assert desk.skipped[0].status == "skipped"
    assert [ticket.label for ticket in desk.waiting] == ["A003"]
    assert (await _desk(world, queue="P")).skipped == ()


async def test_yesterdays_people_are_not_shown(world: World) -> None:
    await world.line(1, 2)
    await world.do("skip", await world.called())
    await world.next_day()
    desk = await _desk(world)
    assert (desk.waiting, desk.skipped, desk.line.waiting) == ((), (), 0)


async def test_the_figures_are_those_of_today(world: World) -> None:
    await world.line(1, 2, 3, 4)
    await world.later(10)
    await world.serve()
    await world.later(10)
    await world.serve()
    await world.do("no_show", await world.called())
    line = (await _desk(world)).line
    assert (line.served, line.no_shows, line.waiting, line.average) == (2, 1, 1, 10)
    await world.next_day()
    await world.sweep()
    line = (await _desk(world)).line
    assert (line.served, line.no_shows, line.waiting) == (0, 0, 0)


async def test_a_line_that_takes_nobody_says_why(world: World) -> None:
    await world.set(daily_limit=1)
    await world.line(1)
    await world.pause()
    line = (await _desk(world)).line
    assert (line.status, line.full) == ("paused", True)


async def test_who_gets_no_text_is_to_be_called_by_name(world: World) -> None:
    await world.join(None, name="Baba")
    await world.line(1, 2, 3)
    await world.pool.execute("update customers set opted_out_at = now() where phone = $1", phone(1))
    await _fate(world, 2, joined="failed")
    assert [ticket.silent for ticket in (await _desk(world)).waiting] == ["no_phone", "opted_out", "not_told", None]


@pytest.mark.parametrize(
    ("status", "silent"),
    [
        ("failed", "not_told"), ("dead", "not_told"), ("expired", "not_told"),
        ("queued", None), ("sending", None), ("sent", None),
        ("delivered", None), ("unknown", None), ("suppressed", None),
    ],
)  # fmt: skip
async def test_only_the_latest_text_says_whether_he_was_told(world: World, status: str, silent: str | None) -> None:
    await world.line(1, 2, 3, 4, 5, 6)
    await world.serve()
    assert await world.texts(5) == ["joined", "near"]
    await _fate(world, 5, joined="delivered", near=status)
    assert (await _shown(world, "A005")).silent == silent


async def test_a_text_that_was_held_back_hides_no_failed_one(world: World) -> None:
    await world.line(1, 2, 3, 4, 5)
    await world.serve()
    await _fate(world, 5, joined="failed", near="suppressed")
    assert (await _shown(world, "A005")).silent == "not_told"


async def test_a_call_can_be_taken_back_by_who_made_it_for_a_minute(world: World) -> None:
    await world.line(1, 2)
    await world.called()
    current = (await _desk(world)).current
    assert current
    assert current.can_take_back
    other = Act("staff", "staff", await world.pool.fetchval("select id::text from staff where login = 'manager'"))
    seen_by_another = (await _desk(world, act=other)).current
    assert seen_by_another
    assert not seen_by_another.can_take_back
    await world.later(0.9)
    still = (await _desk(world)).current
    assert still
    assert still.can_take_back
    await world.later(0.2)
    late = (await _desk(world)).current
    assert late
    assert not late.can_take_back


async def test_who_said_that_he_comes_cannot_be_taken_back(world: World) -> None:
    await world.line(1)
    await world.called()
    await world.coming(1)
    current = (await _desk(world)).current
    assert current
    assert (current.coming, current.can_take_back) == (True, False)


async def test_every_change_in_the_branch_raises_the_version_and_no_other(world: World) -> None:
    versions = [(await _desk(world)).version]
    line = await world.line(1, 2)
    for change in (
        world.call(),
        call_named(world, line[1], "Room 2"),
        transfer(world, line[0]),
        calling.rename(world.core, world.clerk(), line[1].id, "Ann"),
        world.pause(),
    ):
        await change
        versions.append((await _desk(world)).version)
    assert versions == sorted(set(versions))
    await world.join(9, "C")
    assert (await _desk(world)).version == versions[-1]


async def test_a_counter_of_another_branch_is_no_desk(world: World) -> None:
    """F68."""
    for counter, queue in (
        (await room(world), world.queue_ids["A"]),
        (await room(world), world.queue_ids["C"]),
        (NOWHERE, world.queue_ids["C"]),
    ):
        with pytest.raises(Refused) as refusal:
            await panel.desk(world.core, world.clerk(branch=BANK), counter, queue)
        assert (refusal.value.code, refusal.value.facts) == ("no_counter", {})


async def test_a_line_that_the_counter_does_not_serve_is_no_desk(world: World) -> None:
    await world.pool.execute("delete from counter_queues where queue_id = $1", world.queue_ids["L"])
    for queue in (world.queue_ids["L"], world.queue_ids["C"], NOWHERE):
        with pytest.raises(Refused, match="no_queue"):
            await panel.desk(world.core, world.clerk(), await room(world), queue)
    assert [line.code for line in (await _desk(world)).lines] == ["A", "P"]


async def test_one_ticket_tells_its_story(world: World) -> None:
    await world.line(1, 2, 3)
    ticket = await world.holds(3)
    await call_named(world, ticket)
    found = await panel.ticket(world.core, world.clerk(), ticket.id)
    assert (found.ticket.label, found.ticket.status, found.ahead, found.phone) == ("A003", "called", 0, "+2547*****003")
    assert [line.code for line in found.lines] == ["P", "L"]
    steps = [(step.action, step.status, step.actor, step.name, step.channel, step.reason) for step in found.history]
    assert steps == [
        ("join", "waiting", "customer", None, "ussd", None),
        ("call", "called", "staff", "Amina", "staff", WHY),
    ]
    assert found.history[0].at < found.history[1].at
    assert (await panel.ticket(world.core, world.clerk(), (await world.holds(2)).id)).ahead == 1


async def test_a_walk_in_has_no_phone_to_show(world: World) -> None:
    ticket = (await world.join(None)).ticket
    assert (await panel.ticket(world.core, world.clerk(), ticket.id)).phone is None


async def test_a_ticket_of_another_branch_tells_nothing(world: World) -> None:
    """F68."""
    (ticket,) = await world.line(1)
    for act, ticket_id in ((world.clerk(branch=BANK), ticket.id), (world.clerk(), NOWHERE)):
        with pytest.raises(Refused) as refusal:
            await panel.ticket(world.core, act, ticket_id)
        assert (refusal.value.code, refusal.value.facts) == ("no_ticket", {})


async def test_each_chooses_among_the_counters_of_his_branches(world: World) -> None:
    await world.pool.execute("delete from counter_queues where counter_id = $1", await room(world, "Room 3"))
    (clinic,) = await panel.choices(world.core, world.clerk())
    assert (clinic.code, clinic.name) == ("4071", "Kilimani Clinic")
    assert [counter.name for counter in clinic.counters] == ["Room 1", "Room 2", "Room 3", "Room 4"]
    assert [(line.code, line.name) for line in clinic.counters[0].lines] == [
        ("A", "Doctor"), ("P", "Pharmacy"), ("L", "Laboratory"),
    ]  # fmt: skip
    assert clinic.counters[2].lines == ()
    both = await panel.choices(world.core, Act("staff", "staff", branches=tuple(world.branches.values())))
    assert [branch.code for branch in both] == ["4071", "5084"]
    assert await panel.choices(world.core, Act("staff", "staff", branches=())) == []
