"""Rule 12: what lies in another branch does not exist for its staff, and changes nothing for them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from queue_core import calling, queues, staff, tickets
from queue_core.core import Act
from queue_core.errors import Refused
from queue_core.tickets import Ticket
from tests.world import BANK, CLINIC, World, phone

TICKET_VERBS = ("start", "complete", "skip", "no_show", "recall", "leave_for", "come_back_for")
Attempt = Callable[[World, Act], Awaitable[Any]]

LINE_VERBS: dict[str, Attempt] = {
    "join": lambda world, act: world.join(9, act=act),
    "call next": lambda world, act: world.call(act=act),
    "call next there": lambda world, act: world.call("Room 1", act=act),
    "pause": lambda world, act: queues.pause(world.core, act, world.queue_ids["A"]),
    "open": lambda world, act: queues.open_(world.core, act, world.queue_ids["A"]),
    "close": lambda world, act: queues.close(world.core, act, world.queue_ids["A"], send_home=True),
    "find": lambda world, act: queues.find(world.core, act, "4071/A"),
}
PHONE_VERBS: dict[str, Attempt] = {
    "leave": lambda world, act: tickets.leave(world.core, act, phone(2)),
    "defer": lambda world, act: tickets.defer(world.core, act, phone(2), 10),
    "coming": lambda world, act: tickets.coming(world.core, act, phone(1)),
    "come back": lambda world, act: tickets.come_back(world.core, act, phone(3)),
}


async def _clinic(world: World) -> list[Ticket]:
    """1 is called, 2 waits, 3 is skipped."""
    await world.line(3, 1, 2)
    await world.do("skip", await world.called())
    await world.called()
    return [ticket for ticket in [await world.ticket(person) for person in (1, 2, 3)] if ticket]


async def _refused(attempt: Awaitable[Any]) -> tuple[str, dict[str, Any]]:
    with pytest.raises(Refused) as refusal:
        await attempt
    return refusal.value.code, refusal.value.facts


@pytest.mark.parametrize("verb", LINE_VERBS)
async def test_a_line_of_another_branch_does_not_exist(world: World, verb: str) -> None:
    """F68: the same answer as for a line that never was, and no fact beside it."""
    await _clinic(world)
    before = await world.pool.fetchval("select count(*) from audit_log")
    assert await _refused(LINE_VERBS[verb](world, world.clerk(branch=BANK))) == ("no_queue", {})
    assert await world.pool.fetchval("select count(*) from audit_log") == before


@pytest.mark.parametrize("verb", TICKET_VERBS)
async def test_a_ticket_of_another_branch_does_not_exist(world: World, verb: str) -> None:
    act: calling.Verb = getattr(calling, verb)
    for ticket in await _clinic(world):
        for seen in (None, ticket.version, 99):
            attempt = act(world.core, world.clerk(branch=BANK), ticket.id, seen)
            assert await _refused(attempt) == ("no_ticket", {})
        assert await tickets.look(world.core, ticket.id) == ticket


@pytest.mark.parametrize("verb", PHONE_VERBS)
async def test_the_ticket_of_a_phone_in_another_branch_does_not_exist(world: World, verb: str) -> None:
    before = await _clinic(world)
    assert await _refused(PHONE_VERBS[verb](world, world.clerk(branch=BANK))) == ("no_ticket", {})
    assert [await tickets.look(world.core, ticket.id) for ticket in before] == before


async def test_a_ticket_of_another_branch_is_not_found_by_its_label(world: World) -> None:
    await _clinic(world)
    assert await queues.find_ticket(world.core, world.clerk(), "4071/A001")
    attempt = queues.find_ticket(world.core, world.clerk(branch=BANK), "4071/A001")
    assert await _refused(attempt) == ("no_ticket", {})


async def test_each_sees_the_lines_of_his_branches(world: World) -> None:
    async def codes(act: Act) -> list[str]:
        return [row["queue"] for row in await queues.listing(world.core, act)]

    assert await codes(world.clerk(branch=BANK)) == ["5084/C", "5084/N"]
    both = Act("staff", "staff", branches=tuple(world.branches.values()))
    assert len(await codes(both)) == len(await codes(Act("system", "system"))) == 5
    assert await codes(Act("staff", "staff", branches=())) == []


async def test_each_sees_the_staff_of_his_branches(world: World) -> None:
    async def logins(act: Act) -> list[str]:
        return [row["login"] for row in await staff.listing(world.core, act)]

    assert await logins(world.clerk()) == ["clinic1", "manager"]
    assert await logins(world.clerk(branch=BANK)) == ["bank1"]
    assert await logins(Act("system", "system")) == ["admin", "bank1", "clinic1", "manager"]


async def test_in_his_own_branch_everything_exists(world: World) -> None:
    called, waiting, skipped = await _clinic(world)
    await calling.come_back_for(world.core, world.clerk(), skipped.id)
    await calling.start(world.core, world.clerk(), called.id, called.version)
    await calling.leave_for(world.core, world.clerk(branch=CLINIC), waiting.id)
    assert (await queues.find(world.core, world.clerk(), "4071/A"))["waiting"] == 1
