"""Every hot statement finds its rows by an index at 100,000 tickets, on a table of any age.

The plans are those that really ran: inside the verbs, triggers and all, as PostgreSQL's auto_explain reports them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from db import embedded
from db.pool import SETTINGS, Connection
from db.queries import load
from queue_core.core import Act
from tests.world import MIDDAY, seeded

__all__ = ["seeded"]

WATCHED = ("tickets", "notifications", "waiting_blocks", "audit_log")
# A block of the line, and the few at its head; whatever reads more grows with the line.
MOST_ROWS = 300
TO_SEND = 1000
DAY = 5000

# 50,000 people in one line today, four of them at the counters, a hundred skipped, and one sent home; 50,000 served on
# ten days before; a thousand texts to be sent; the history of all; and the empty blocks of a year.
CROWD = """
set session_replication_role = replica;
create temp table line as select q.id, today(q.branch_id) as day from queues q where code = 'A';
insert into queue_days (queue_id, service_date, last_number_issued, over)
select id, day - d, case d when 0 then 50001 else 5000 end, d > 0 from line, generate_series(0, 10) d;
insert into tickets (queue_id, service_date, number, phone, channel, position, status, ended_at, completed_at)
select id, day - d, i, '+2547' || lpad(i::text, 8, '0'), 'ussd', i, 'completed',
       now() - d * interval '20 hours', now() - d * interval '20 hours'
  from line, generate_series(1, 10) d, generate_series(1, 5000) i;
insert into tickets (queue_id, service_date, number, phone, channel, position, status, deadline, alerted_at, skip_count,
                     counter_id, action, called_at)
select id, day, i, '+2547' || lpad(i::text, 8, '0'), 'ussd', i,
       case when i <= 4 then 'called' when i <= 104 then 'skipped' else 'waiting' end,
       case when i <= 104 then now() + interval '5 minutes' end, case when i <= 108 then now() end, (i <= 104)::int,
       (select c.id from counters c where c.name = 'Room ' || i), 'call', case when i <= 104 then now() end
  from line, generate_series(1, 50000) i;
insert into tickets (queue_id, service_date, number, phone, channel, position, status, action, ended_at)
select id, day, 50001, '+254700050001', 'ussd', 50001, 'expired', 'send_home', now() from line;
insert into waiting_blocks
select queue_id, service_date, block_of(position), count(*) from tickets where status = 'waiting' group by 1, 2, 3;
insert into waiting_blocks
select q.id, day - d, block, 0 from queues q, line, generate_series(1, 365) d, generate_series(0, 5) block;
insert into customers (phone, language) select distinct phone, 'sw' from tickets;
insert into notifications (branch_id, ticket_id, phone, template, expires_at, dedupe_key, status, finished_at)
select q.branch_id, t.id, t.phone, 'joined', now() + interval '1 hour', 'joined:' || t.id,
       case when t.number % 100 = 0 then 'queued' else 'delivered' end, now()
  from tickets t join queues q on q.id = t.queue_id;
insert into audit_log (branch_id, entity, entity_id, version, action, to_status, actor, channel)
select q.branch_id, 'ticket', t.id, t.version, t.action, t.status, 'staff', 'staff'
  from tickets t join queues q on q.id = t.queue_id;
"""

EXPLAIN = """
load 'auto_explain';
set auto_explain.log_min_duration = 0;
set auto_explain.log_nested_statements = on;
set auto_explain.log_analyze = on;
set auto_explain.log_timing = off;
set auto_explain.log_format = json;
set client_min_messages = log;
"""


@dataclass
class Desk:
    """One connection that tells the plan of every statement that it runs, however deep inside a function."""

    connection: Connection
    ids: dict[str, Any]
    nodes: list[dict[str, Any]] = field(default_factory=list)

    def hear(self, _connection: object, message: Any) -> None:
        _, found, plan = message.message.partition("plan:\n")
        if found:
            self._walk(json.loads(plan)["Plan"])

    def _walk(self, node: dict[str, Any]) -> None:
        self.nodes.append(node)
        for child in node.get("Plans", []):
            self._walk(child)

    async def run(self, sql: str, *args: object) -> Any:
        """The answer to a statement as the product sends it; whatever it changed is taken back."""
        await self.connection.execute(EXPLAIN)
        transaction = self.connection.transaction()
        await transaction.start()
        answer = await self.connection.fetchval(sql, *args, timeout=30)
        await transaction.rollback()
        return answer

    def indexes(self) -> set[str]:
        return {node["Index Name"] for node in self.nodes if "Index Name" in node}

    def scans(self) -> list[str]:
        """Whole tables read."""
        return [
            f"{node['Node Type']} of {node['Relation Name']} where {node.get('Filter')}"
            for node in self.nodes
            if node["Node Type"] == "Seq Scan" and node["Relation Name"] in WATCHED
        ]

    def long_reads(self, most: int = MOST_ROWS) -> list[str]:
        """More rows looked at than the head of a line or one block of it has."""
        return [
            f"{rows} rows by {node.get('Index Name')} where {node.get('Index Cond')} and {node.get('Filter')}"
            for node in self.nodes
            if "Actual Rows" in node and (rows := _rows(node)) > most
        ]


def _rows(node: dict[str, Any]) -> float:
    return float(node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * float(node["Actual Loops"])


async def _build(servers: embedded.Servers) -> None:
    admin = await asyncpg.connect(servers.database_url.replace("/zamu?", "/postgres?"))
    await admin.execute("create database crowd_young template world")
    young = await asyncpg.connect(servers.database_url.replace("/zamu?", "/crowd_young?"))
    await young.execute(MIDDAY)
    await young.execute(CROWD)
    await young.close()
    await admin.execute("create database crowd_grown template crowd_young")
    await admin.close()
    grown = await asyncpg.connect(servers.database_url.replace("/zamu?", "/crowd_grown?"))
    await grown.execute("analyze")
    await grown.close()


@pytest.fixture(scope="module")
def crowd(seeded: embedded.Servers) -> embedded.Servers:
    """Two databases with a crowd: `crowd_young` was never analysed, `crowd_grown` was."""
    asyncio.run(_build(seeded))
    return seeded


@pytest.fixture(params=["young", "grown"])
async def desk(request: pytest.FixtureRequest, crowd: embedded.Servers, plans: str) -> AsyncIterator[Desk]:
    url = crowd.database_url.replace("/zamu?", f"/crowd_{request.param}?")
    settings = SETTINGS | {"plan_cache_mode": plans, "statement_timeout": "0"}
    connection = await asyncpg.connect(url, server_settings=settings)
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
    ids = {
        "queue": await connection.fetchval("select id::text from queues where code = 'A'"),
        "called": await connection.fetchval("select id::text from tickets where status = 'called' limit 1"),
        "waits": await connection.fetchval("select id::text from tickets where number = 40000"),
        "other queue": await connection.fetchval("select id::text from queues where code = 'P'"),
        "counter": await connection.fetchval("select id::text from counters where name = 'Room 1'"),
    }
    desk = Desk(connection, ids)
    connection.add_log_listener(desk.hear)
    yield desk
    connection.remove_log_listener(desk.hear)
    await connection.close()


@pytest.fixture(params=["force_custom_plan", "force_generic_plan"])
def plans(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _phone(number: int) -> str:
    return f"+2547{number:08}"


def _person(number: int) -> dict[str, str]:
    return {"phone": _phone(number)}


TICKETS, CALLING, SWEEPER, DESK = load("tickets"), load("calling"), load("sweeper"), load("staff_phones")
PANEL = load("panel")
ACT = Act("staff", "staff", reason="is in labour").as_json()
TO_A_COUNTER = {"tickets_in_line", "one_person_per_counter"}
DESK_INDEXES = {"tickets_missed", "audit_by_branch_id", "notifications_by_ticket"}
LAST, SENT_HOME, SKIPPED, CALLED = 50_000, 50_001, 50, 1
COMING = datetime.now(UTC).date() + timedelta(days=2)

# What is asked, and the indexes without which it cannot be answered fast.
QUESTIONS: dict[str, tuple[str, tuple[object, ...], set[str]]] = {
    "join": (TICKETS.join, ("queue", _person(60_000), False), {"one_active_ticket_per_phone", "tickets_in_line"}),
    "join again": (TICKETS.join, ("queue", _person(LAST), False), {"one_active_ticket_per_phone"}),
    "join first": (TICKETS.join_first, (_phone(SENT_HOME), COMING), {"tickets_ended_by_phone", "tickets_in_line"}),
    "leave": (TICKETS.leave, (_phone(110),), {"one_active_ticket_per_phone", "tickets_in_line", "tickets_pkey"}),
    "defer": (TICKETS.defer, (_phone(110), 10), {"one_active_ticket_per_phone", "tickets_in_line"}),
    "come back": (TICKETS.come_back, (_phone(SKIPPED),), {"one_active_ticket_per_phone", "tickets_in_line"}),
    "coming": (TICKETS.coming, (_phone(CALLED),), {"one_active_ticket_per_phone", "tickets_pkey"}),
    "erase": (load("customers").erase, (_phone(4000), "mark"), {"tickets_ended_by_phone", "notifications_by_phone"}),
    "rate": (load("customers").rate, (_phone(4000), 5), {"tickets_ended_by_phone"}),
    "call next": (CALLING.call_next, ("queue", "Room 1", "complete", None), TO_A_COUNTER),
    "call and skip": (CALLING.call_next, ("queue", "Room 1", "skip", None), TO_A_COUNTER),
    "start": (CALLING.change_ticket, ("called", "start", None, {}), {"tickets_pkey"}),
    "complete": (CALLING.change_ticket, ("called", "complete", None, {}), {"tickets_pkey"}),
    "move": (CALLING.change_ticket, ("waits", "move", None, {"passed": 2}), {"tickets_pkey", "tickets_in_line"}),
    "call by name": (CALLING.call_named, ("waits", "counter", "complete", None, None), TO_A_COUNTER),
    "transfer": (CALLING.transfer, ("waits", "other queue", None, True), {"tickets_pkey", "tickets_in_line"}),
}  # fmt: skip
READS: dict[str, tuple[str, tuple[object, ...], set[str]]] = {
    "status": (
        TICKETS.status,
        (_phone(LAST),),
        {"one_active_ticket_per_phone", "tickets_in_line", "waiting_blocks_pkey"},
    ),
    "dial in": (TICKETS.dial_in, (_phone(4000),), {"one_active_ticket_per_phone", "tickets_ended_by_phone"}),
    "what is due": (SWEEPER.due, (), {"tickets_with_deadline"}),
    "who is at a counter": (DESK.current_at, (ACT, "queue", "Room 1"), {"one_person_per_counter"}),
    "whom I called": (DESK.current_of, (ACT | {"actor_id": str(uuid4())}, "queue"), {"one_person_per_counter"}),
    "a line in figures": (DESK.figures, (ACT, "queue"), {"waiting_blocks_pkey", "one_person_per_counter"}),
    "the desk": (PANEL.desk, (ACT, "counter", "queue", 50), TO_A_COUNTER | DESK_INDEXES),
    "one ticket": (PANEL.ticket, (ACT, "waits"), {"tickets_pkey", "one_audit_row_per_change"}),
    "where to work": (PANEL.choices, (ACT,), set()),
    "who waits": (DESK.waiting, (ACT, "queue", 5, 5), {"tickets_in_line"}),
}


@pytest.mark.parametrize("verb", QUESTIONS)
async def test_a_verb_reads_no_whole_table_and_no_whole_line(desk: Desk, verb: str) -> None:
    sql, args, indexes = QUESTIONS[verb]
    answer = await desk.run(sql, ACT, *(desk.ids.get(str(arg), arg) for arg in args))
    assert "refused" not in answer
    assert desk.scans() == []
    assert desk.long_reads() == []
    assert indexes <= desk.indexes()


@pytest.mark.parametrize("question", READS)
async def test_a_question_reads_no_whole_table_and_no_whole_line(desk: Desk, question: str) -> None:
    sql, args, indexes = READS[question]
    await desk.run(sql, *(desk.ids.get(str(arg), arg) for arg in args))
    assert desk.scans() == []
    assert desk.long_reads() == []
    assert indexes <= desk.indexes()


async def test_a_claim_of_texts_reads_no_more_than_are_to_be_sent(desk: Desk) -> None:
    await desk.run(load("outbox").claim, 20, uuid4(), timedelta(seconds=60), "scripted", [""], ["scripted"])
    assert desk.scans() == []
    assert desk.long_reads(most=2 * TO_SEND) == []  # what other tests took back is still in the index
    assert "notifications_due" in desk.indexes()


async def test_what_is_deleted_of_an_old_day_is_found_in_it_alone(desk: Desk) -> None:
    assert await desk.run(load("retention").delete_visits, 100, 5) == 100
    assert desk.scans() == []
    assert desk.long_reads(most=2 * DAY) == []  # its figures are made of the whole day
    assert {"one_audit_row_per_change", "notifications_by_ticket"} <= desk.indexes()


async def test_a_plan_that_reads_a_whole_table_would_be_seen(desk: Desk) -> None:
    await desk.run("select count(*) from tickets where language = 'xx'")
    await desk.run("select label('A', n) from (select count(*)::int as n from notifications where body = 'x') x")
    assert len(desk.scans()) == 2
    assert len(desk.long_reads()) >= 2
