"""Rule 11: every change has exactly one audit row, and nobody can edit it."""

from __future__ import annotations

import asyncpg
import pytest

from queue_core import calling, queues, tickets
from queue_core.core import Act
from queue_core.errors import Refused
from tests.world import World, phone

CHAIN = """
select entity_id from (
    select entity_id, version, from_status, action,
           row_number() over w as place, lag(to_status) over w as before
      from audit_log where entity = 'ticket' window w as (partition by entity_id order by version)) steps
 where version <> place or from_status is distinct from before
"""


async def test_each_version_has_one_row_and_the_rows_form_a_chain(world: World) -> None:
    (ticket,) = await world.line(1)
    await world.defer(1)
    called = await world.called()
    await world.coming(1)
    await world.do("recall", called)
    await world.do("skip", called)
    await world.come_back(1)
    await world.do("start", await world.called())
    await world.do("complete", ticket)
    assert await world.history(ticket) == [
        ("join", None, "waiting"),
        ("defer", "waiting", "waiting"),
        ("call", "waiting", "called"),
        ("coming", "called", "called"),
        ("recall", "called", "called"),
        ("skip", "called", "skipped"),
        ("come_back", "skipped", "waiting"),
        ("call", "waiting", "called"),
        ("start", "called", "serving"),
        ("complete", "serving", "completed"),
    ]
    assert (await tickets.look(world.core, ticket.id)).version == 10
    assert await world.pool.fetch(CHAIN) == []


async def test_a_row_says_who_what_why_by_which_channel_and_on_which_request(world: World) -> None:
    (ticket,) = await world.line(1)
    act = Act("staff", "web", world.clerk_id, reason="fell asleep", request="press-1")
    await calling.leave_for(world.core, act, ticket.id)
    row = await world.row("select * from audit_log where entity_id = $1 and version = 2", ticket.id)
    assert (row["actor"], str(row["actor_id"]), row["channel"]) == ("staff", world.clerk_id, "web")
    assert (row["action"], row["reason"], row["request"]) == ("leave", "fell asleep", "press-1")
    assert (row["from_status"], row["to_status"]) == ("waiting", "cancelled")
    assert str(row["branch_id"]) == ticket.branch_id
    joined = await world.row(
        "select actor, actor_id, channel from audit_log where entity_id = $1 and version = 1", ticket.id
    )
    assert tuple(joined.values()) == ("customer", None, "ussd")


async def test_a_row_says_where_the_person_stood_and_at_which_counter(world: World) -> None:
    (ticket,) = await world.line(1)
    await world.called("Room 2")
    details = await world.pool.fetch("select details from audit_log where entity_id = $1 order by version", ticket.id)
    room = await world.pool.fetchval("select id::text from counters where name = 'Room 2'")
    assert [row["details"] for row in details] == [{"position": 1}, {"position": 1, "counter": room}]


async def test_a_change_of_a_line_is_recorded_with_what_it_did(world: World) -> None:
    await world.line(1, 2)
    await world.pause()
    await world.open()
    await queues.close(world.core, Act("staff", "sms", reason="fire"), world.queue_ids["A"], send_home=True)
    rows = await world.pool.fetch("select * from audit_log where entity = 'queue' order by id")
    assert [(row["action"], row["from_status"], row["to_status"]) for row in rows] == [
        ("pause", "open", "paused"),
        ("open", "paused", "open"),
        ("send_home", "open", "closed"),
    ]
    assert [row["details"]["affected"] for row in rows] == [2, 2, 2]
    assert (rows[2]["channel"], rows[2]["reason"]) == ("sms", "fire")


async def test_a_refusal_is_no_change(world: World) -> None:
    (ticket,) = await world.line(1)
    before = await world.pool.fetchval("select count(*) from audit_log")
    for verb in ("start", "skip"):
        with pytest.raises(Refused):
            await world.do(verb, ticket)
    assert await world.pool.fetchval("select count(*) from audit_log") == before


@pytest.mark.parametrize(
    "statement",
    [
        "update audit_log set reason = 'another'",
        "delete from audit_log",
        "truncate audit_log",
        "update audit_log set reason = 'nothing' where false",
    ],
)
async def test_nobody_can_edit_it(world: World, statement: str) -> None:
    await world.line(1)
    with pytest.raises(asyncpg.RaiseError, match="the audit log cannot be changed"):
        await world.pool.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "update tickets set status = 'called'",
        "update tickets set version = version + 2",
        "update tickets set version = version - 1",
        "update tickets set status = 'completed', ended_at = now(), version = version + 1",
        "update tickets set status = 'serving', version = version + 1",
    ],
)
async def test_a_step_without_a_history_or_against_the_rules_cannot_be_stored(world: World, statement: str) -> None:
    await world.line(1)
    with pytest.raises(asyncpg.RaiseError, match="cannot follow"):
        await world.pool.execute(statement)


async def test_an_ended_ticket_stays_ended(world: World) -> None:
    await world.line(1)
    await world.serve()
    with pytest.raises(asyncpg.RaiseError, match="cannot follow"):
        await world.pool.execute(
            "update tickets set status = 'waiting', version = version + 1, ended_at = null where phone = $1", phone(1)
        )


async def test_a_change_past_the_verbs_is_recorded_as_the_databases_own(world: World) -> None:
    (ticket,) = await world.line(1)
    await world.pool.execute(
        "update tickets set status = 'cancelled', action = 'by hand', version = version + 1, ended_at = now()"
    )
    row = await world.row("select * from audit_log where entity_id = $1 and version = 2", ticket.id)
    assert (row["actor"], row["channel"], row["action"]) == ("system", "database", "by hand")
