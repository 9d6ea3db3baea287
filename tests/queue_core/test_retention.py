"""What time takes away: phones and names after a month, visits after half a year; figures and an account of it stay."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from queue_core import customers, retention
from queue_core.core import Core
from tests.invariants import broken
from tests.personal import TABLES, everywhere, leave_traces
from tests.world import World, phone

KEEP = 180
DATA_MAP = Path(__file__).parents[2] / "docs/personal-data.md"
ACCOUNTED = "select exists (select from audit_log where entity = 'retention')"


async def pass_days(world: World, days: int) -> None:
    """So many days later: each day was ended and tidied up by the clock."""
    await world.next_day(days)
    await world.sweep()
    await retention.daily(world.core, KEEP)


async def count(world: World, table: str) -> int:
    number: int = await world.pool.fetchval(f"select count(*) from {table}")  # noqa: S608 - ours
    return number


@pytest.fixture
async def visited(world: World) -> World:
    """Zawadi was served and rated it, Ben left, Chipo did not come, somebody without a phone still waits."""
    await world.join(1, name="Zawadi")
    await world.join(2, name="Ben")
    await world.join(3, name="Chipo")
    await world.join(None, name="Dada")
    await world.serve()
    await customers.rate(world.core, world.customer(), phone(1), 4)
    await world.leave(2)
    await world.do("no_show", await world.called())
    await leave_traces(world, phone(1), "Zawadi")
    await leave_traces(world, phone(2), "Ben")
    return world


async def test_a_month_after_the_visit_no_phone_and_no_name_is_kept(visited: World) -> None:
    await pass_days(visited, 29)
    assert await everywhere(visited.pool, phone(1), "Zawadi", "Dada") == {
        *("tickets", "notifications", "inbound_messages", "delivery_reports", "customers", "ussd_sessions")
    }
    await pass_days(visited, 2)
    for person, name in ((1, "Zawadi"), (2, "Ben"), (3, "Chipo"), (4, "Dada")):
        assert await everywhere(visited.pool, phone(person), name) == set()
    states = await visited.pool.fetch("select status from tickets order by number")
    assert [row["status"] for row in states] == ["completed", "cancelled", "no_show", "expired"]
    assert await count(visited, "inbound_messages") == 2


async def test_a_branch_may_remember_its_people_shorter(visited: World) -> None:
    await visited.pool.execute("update branches set contact_days = 1")
    await pass_days(visited, 2)
    assert await visited.pool.fetchval("select count(*) from tickets where phone is not null or name is not null") == 0


async def test_after_200_days_the_visits_and_the_logs_are_gone_and_the_figures_stay(visited: World) -> None:
    await visited.pool.execute("update queues set status = 'paused' where code = 'A'")
    await visited.open()  # a row of the log that is no ticket's
    await pass_days(visited, 200)
    for table in ("tickets", "notifications", "inbound_messages", "delivery_reports", "ussd_sessions", "customers"):
        assert await count(visited, table) == 0, table
    left = await visited.pool.fetch(
        "select action from audit_log where at < now() - interval '1 hour' or entity = 'ticket'"
    )
    assert left == []
    assert await count(visited, "queue_days") == await count(visited, "waiting_blocks") == 0
    figures = await visited.row("select * from daily_figures")
    kept = ("joined", "completed", "no_show", "cancelled", "expired", "called", "served", "ratings", "stars")
    assert [figures[name] for name in kept] == [4, 1, 1, 1, 1, 2, 1, 1, 4]
    assert str(figures["queue_id"]) == visited.queue_ids["A"]


async def test_what_is_younger_stays_whole(visited: World) -> None:
    await visited.next_day(200)
    await visited.sweep()
    (ticket,) = await visited.line(5)
    await retention.daily(visited.core, KEEP)
    assert await visited.history(ticket) == [("join", None, "waiting")]
    assert await visited.texts(5) == ["joined_no_wait"] or await visited.texts(5) == ["joined"]
    assert await broken(visited.pool) == []


async def test_the_rules_hold_for_what_is_left_of_a_day_that_was_half_deleted(
    visited: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await visited.pool.execute("update branches set contact_days = 1")
    await visited.next_day(200)
    await visited.sweep()
    monkeypatch.setattr(retention, "PART", 3)
    await visited.pool.fetchval("select forget_visits(3)")
    await visited.pool.fetchval("select delete_visits(3, 180)")
    assert await count(visited, "tickets") == 1
    assert await broken(visited.pool) == []
    assert (await visited.row("select joined from daily_figures"))["joined"] == 4
    done = await retention.daily(visited.core, KEEP)
    assert done
    assert done["delete_visits"] == 1
    assert (await visited.row("select joined from daily_figures"))["joined"] == 4


async def test_it_is_done_once_a_day_by_one_of_many(visited: World) -> None:
    await visited.next_day(200)
    await visited.sweep()
    done = await asyncio.gather(*(retention.daily(visited.core, KEEP) for _ in range(4)))
    (counts,) = [one for one in done if one]
    assert counts["delete_visits"] == 4
    assert await retention.daily(visited.core, KEEP) is None
    await visited.later(24 * 60)
    assert await retention.daily(visited.core, KEEP) == {}


async def test_it_accounts_for_itself_in_the_log_with_numbers_alone(visited: World) -> None:
    await pass_days(visited, 31)
    row = await visited.row("select actor, action, details from audit_log where entity = 'retention'")
    assert (row["actor"], row["action"]) == ("system", "forget")
    assert row["details"]["forget_visits"] == 4


async def test_who_opted_out_is_not_forgotten_and_who_still_waits_is_not_either(world: World) -> None:
    await world.join(8, name="Zawadi")
    await customers.opt_out(world.core, phone(8))
    await customers.set_language(world.core, phone(7), "sw")
    await customers.set_language(world.core, phone(9), "sw")
    await world.next_day(40)
    await world.sweep()
    await world.line(9)
    await retention.daily(world.core, KEEP)
    kept = await world.pool.fetch("select phone from customers order by phone")
    assert [row["phone"] for row in kept] == [phone(8), phone(9)]
    assert await everywhere(world.pool, "Zawadi") == set()


async def test_what_is_stopped_in_the_middle_is_done_by_the_next(visited: World) -> None:
    await visited.next_day(200)
    await visited.sweep()
    stop = asyncio.Event()
    stop.set()
    assert await retention.daily(visited.core, KEEP, stop) == {}
    done = await retention.daily(visited.core, KEEP)
    assert done
    assert done["delete_visits"] == 4


async def test_a_process_that_runs_forgets_until_it_is_told_to_stop(visited: World) -> None:
    await visited.next_day(200)
    await visited.sweep()
    stop = asyncio.Event()
    running = asyncio.create_task(retention.run(Core(visited.pool), KEEP, stop))
    while not await visited.pool.fetchval(ACCOUNTED):  # it is the last thing that it does
        assert not running.done()
        await asyncio.sleep(0.01)
    stop.set()
    await running


@pytest.mark.parametrize(
    "change",
    [
        "delete from audit_log",
        "update audit_log set actor = 'system'",
        "update audit_log set reason = '(forgotten)'",
        "truncate audit_log",
        "set local zamu.forgetting = 'on'; truncate audit_log",
        "set local zamu.forgetting = 'on'; update audit_log set actor = 'system'",
        "set local zamu.forgetting = 'on'; update audit_log set reason = 'another'",
    ],
)
async def test_nothing_else_changes_the_log(visited: World, change: str) -> None:
    await pass_days(visited, 31)
    with pytest.raises(asyncpg.RaiseError, match="cannot be changed"):
        async with visited.pool.acquire() as conn, conn.transaction():
            await conn.execute(change)


async def test_staff_s_own_words_about_a_visit_are_forgotten_with_the_person(visited: World) -> None:
    await visited.pool.execute(
        "insert into audit_log (entity, entity_id, version, action, actor, channel, reason)"
        " select 'ticket', id, 99, 'leave', 'staff', 'staff', 'Zawadi is in labour' from tickets where number = 1"
    )
    await pass_days(visited, 31)
    assert await visited.pool.fetchval("select reason from audit_log where version = 99") == "(forgotten)"


async def test_the_data_map_names_every_table(world: World) -> None:
    said = DATA_MAP.read_text()
    tables = [row["table_name"] for row in await world.pool.fetch(TABLES)]
    assert [table for table in tables if f"`{table}`" not in said] == []
