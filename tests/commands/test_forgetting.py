"""What runs for long forgets by itself, as its settings say."""

from __future__ import annotations

import pytest

from tests.disturbing import until
from tests.terminal import Terminal
from tests.world import World

ACCOUNTED = "select exists (select from audit_log where entity = 'retention')"


@pytest.mark.parametrize(("days", "left"), [("180", 0), ("3650", 1)])
async def test_a_worker_deletes_what_is_200_days_old_unless_it_is_to_keep_it(
    terminal: Terminal, world: World, days: str, left: int
) -> None:
    await world.line(1)
    await world.serve()
    await world.next_day(200)
    await world.sweep()
    with terminal.running("worker", ZAMU_RETENTION_DAYS=days):
        await until(world.pool, ACCOUNTED)
    assert await world.pool.fetchval("select count(*) from tickets") == left
    assert await world.pool.fetchval("select count(*) from tickets where phone is not null") == 0
