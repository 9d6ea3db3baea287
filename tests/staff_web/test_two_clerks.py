"""Two clerks who press Call next in the same instant, 200 times: always in order, and nobody is called twice."""

from __future__ import annotations

import asyncio
import re

from tests.staff_web.browsing import said_on
from tests.staff_web.conftest import Staff
from tests.staff_web.counter import Counter, counter_at
from tests.world import World

ROUNDS = 200
CALLS = """
select label(q.code, t.number) from audit_log a join tickets t on t.id = a.entity_id join queues q on q.id = t.queue_id
 where a.action = 'call' order by a.id
"""
CALLED = re.compile(r"(A\d+) was called to (Room \d)\.$")


async def _called_by(clerk: Counter) -> tuple[str, str]:
    """Whom one press called, and where to; whoever was there before is done."""
    answer = await clerk.send(await clerk.form("Call next"), finish="complete")
    told = said_on(await clerk.browser.get(answer.headers["location"]))
    found = CALLED.search(told)
    assert found, told
    return found[1], found[2]


async def test_nobody_is_called_twice_or_passed_over_or_missed(world: World, staff: Staff) -> None:
    clerks = [await counter_at(world, await staff(login), room) for login, room in
              (("clinic1", "Room 1"), ("manager", "Room 2"))]  # fmt: skip
    await world.line(*range(2 * ROUNDS))
    labels = await world.order()
    for turn in range(ROUNDS):
        called = await asyncio.gather(*map(_called_by, clerks))
        assert sorted(called) in (
            [(labels[2 * turn], "Room 1"), (labels[2 * turn + 1], "Room 2")],
            [(labels[2 * turn], "Room 2"), (labels[2 * turn + 1], "Room 1")],
        )
    assert [row[0] for row in await world.pool.fetch(CALLS)] == labels


async def test_of_two_who_press_for_the_last_person_one_has_him(world: World, staff: Staff) -> None:
    clerks = [await counter_at(world, await staff("clinic1"), room) for room in ("Room 1", "Room 2")]
    await world.line(1)
    told = await asyncio.gather(*(clerk.press("Call next") for clerk in clerks))
    assert sorted(words.split(" ")[0] for words in told) == ["A001", "Nobody"]
