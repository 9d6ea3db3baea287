"""What a staff member's phone shows of the lines that it may run."""

from __future__ import annotations

import pytest

from queue_core import staff_phones
from queue_core.errors import Refused
from tests.queue_core.test_staff_phones import enrolled
from tests.world import World, phone


async def test_a_phone_at_a_counter_runs_its_lines_and_another_all_of_its_branches(world: World) -> None:
    await world.line(1, 2)
    await world.pool.execute(
        """delete from counter_queues where queue_id <> $1
            and counter_id = (select id from counters where name = 'Room 1')""",
        world.queue_ids["A"],
    )
    (doctor,) = await staff_phones.lines(world.core, await enrolled(world))
    assert (doctor.id, doctor.code, doctor.branch_code, doctor.waiting) == (world.queue_ids["A"], "A", "4071", 2)
    manager = await enrolled(world, "manager", phone(901), None)
    assert [line.code for line in await staff_phones.lines(world.core, manager)] == ["A", "P", "L"]
    admin = await enrolled(world, "admin", phone(902), None)
    assert [line.code for line in await staff_phones.lines(world.core, admin)] == ["A", "P", "L", "C", "N"]


async def test_who_is_called_is_known_by_the_counter_or_by_who_called(world: World) -> None:
    clerk, queue = world.clerk(), world.queue_ids["A"]
    await world.line(1, 2)
    await world.line(3, queue="P")
    assert await staff_phones.current(world.core, clerk, queue, "Room 1") is None
    assert await staff_phones.current(world.core, clerk, queue, None) is None
    await world.called("Room 1")
    await world.called("Room 2")
    await world.called("Room 3", "P")
    for counter, label in (("room 1", "A001"), (None, "A002"), ("Room 3", "P001")):
        found = await staff_phones.current(world.core, clerk, queue, counter)
        assert found
        assert found.label == label
    bank = world.clerk(branch="5084")
    assert await staff_phones.current(world.core, bank, queue, "Room 1") is None
    assert await staff_phones.current(world.core, bank, queue, None) is None


async def test_a_line_in_figures_and_in_names(world: World) -> None:
    clerk, queue = world.clerk(), world.queue_ids["A"]
    assert await staff_phones.figures(world.core, clerk, queue) == staff_phones.Figures(0, 0, 0, None, None)
    await world.line(1, 2)
    await world.join(3, name="Amina")
    await world.join(None)
    await world.serve()
    await world.called()
    await world.set(avg_service_seconds=61)
    assert await staff_phones.figures(world.core, clerk, queue) == staff_phones.Figures(2, 1, 1, 2, "A002")
    named = staff_phones.Waiting("A003", "Amina")
    unnamed = staff_phones.Waiting("A004", None)
    assert await staff_phones.waiting(world.core, clerk, queue, 1, 3) == [named, unnamed]
    assert await staff_phones.waiting(world.core, clerk, queue, 2, 3) == [unnamed]
    assert await staff_phones.waiting(world.core, clerk, queue, -5, 1) == [named]
    bank = world.clerk(branch="5084")
    assert await staff_phones.waiting(world.core, bank, queue, 1, 3) == []
    with pytest.raises(Refused, match="no_queue"):
        await staff_phones.figures(world.core, bank, queue)
