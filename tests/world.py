"""A small world for tests of the rules: a clinic with lines and rooms, people, a clerk, and time that passes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from db import embedded
from db.pool import Pool, connect
from queue_core import calling, demo, queues, sweeper, tickets
from queue_core.calling import Called, Changed, Finish
from queue_core.core import Act, Channel, Core
from queue_core.queues import QueueChanged
from queue_core.tickets import Joined, Ticket

CLINIC, BANK = "4071", "5084"
KEY = b"k" * 32  # the secret of this world
_numbers = count(1)

# In the middle of the service day, whenever the tests run.
MIDDAY = "update branches set day_starts_at = (now() at time zone timezone - interval '12 hours')::time"

# Time passes by moving everything that happened back; the triggers that guard history look away.
PASS_TIME = """
do $$
declare
    c record;
begin
    set local session_replication_role = replica;
    for c in select table_name, string_agg(format('%1$I = %1$I - {by}', column_name), ', ') as moves
               from information_schema.columns
              where table_schema = 'public' and data_type = '{type}' and is_updatable = 'YES'
              group by table_name
    loop
        execute format('update %I set %s', c.table_name, c.moves);
    end loop;
end $$
"""

ORDER = """
select label(q.code, t.number) from tickets t join queues q on q.id = t.queue_id
 where t.queue_id = $1 and t.status = 'waiting' order by t.position
"""
TEXTS = "select template, parameters, status from notifications where phone = $1 order by created_at, template"
HISTORY = """
select action, from_status, to_status from audit_log where entity_id = $1 order by version
"""


def phone(person: int) -> str:
    """The phone of the n-th person; only a hundred are alike but for the last three digits."""
    return f"+254711{person // 100:03}{person % 1000:03}"


class World:
    """Kilimani Clinic as its people see it: they join and leave by number (1, 2, 3 …), a clerk calls them to rooms."""

    def __init__(self, pool: Pool, queue_ids: dict[str, str], branches: dict[str, str], clerk: str) -> None:
        self.pool = pool
        self.announced: list[str] = []
        self.core = Core(pool, self.announced.append)
        self.queue_ids = queue_ids
        self.branches = branches
        self.clerk_id = clerk

    def customer(self, channel: Channel = "ussd", request: str | None = None) -> Act:
        return Act("customer", channel, request=request or uuid4().hex)

    def clerk(self, request: str | None = None, branch: str = CLINIC) -> Act:
        """A staff member who may touch one branch only."""
        branches = (self.branches[branch],)
        return Act("staff", "staff", self.clerk_id, branches=branches, request=request or uuid4().hex)

    async def join(
        self,
        person: int | None,
        queue: str = "A",
        *,
        act: Act | None = None,
        replace: bool = False,
        language: str | None = None,
        name: str | None = None,
    ) -> Joined:
        number = None if person is None else phone(person)
        return await tickets.join(
            self.core,
            act or self.customer(),
            self.queue_ids[queue],
            number,
            name=name,
            language=language,
            replace=replace,
        )

    async def line(self, *people: int, queue: str = "A") -> list[Ticket]:
        """These people join, one after the other."""
        return [(await self.join(person, queue)).ticket for person in people]

    async def row(self, sql: str, *args: object) -> dict[str, Any]:
        """The one row of a question to the database."""
        (row,) = await self.pool.fetch(sql, *args)
        return dict(row)

    async def holds(self, person: int) -> Ticket:
        """The ticket of somebody who has one."""
        ticket = await self.ticket(person)
        assert ticket
        return ticket

    async def ticket(self, person: int) -> Ticket | None:
        return await tickets.status(self.core, phone(person))

    async def leave(self, person: int) -> Ticket:
        return await tickets.leave(self.core, self.customer(), phone(person))

    async def defer(self, person: int, minutes: int = 10) -> Ticket:
        return await tickets.defer(self.core, self.customer(), phone(person), minutes)

    async def come_back(self, person: int) -> Ticket:
        return await tickets.come_back(self.core, self.customer(), phone(person))

    async def coming(self, person: int) -> Ticket:
        return await tickets.coming(self.core, self.customer(), phone(person))

    async def call(
        self, room: str | None = "Room 1", queue: str = "A", finish: Finish | None = None, act: Act | None = None
    ) -> Called:
        return await calling.call_next(self.core, act or self.clerk(), self.queue_ids[queue], room, finish)

    async def called(self, room: str | None = "Room 1", queue: str = "A", finish: Finish | None = None) -> Ticket:
        """Call next, where somebody is known to wait."""
        answer = await self.call(room, queue, finish)
        assert answer.ticket
        return answer.ticket

    async def serve(self, room: str = "Room 1", queue: str = "A") -> Ticket:
        """One person from the line to the door."""
        ticket = await self.called(room, queue)
        await self.do("start", ticket)
        return (await self.do("complete", ticket)).ticket

    async def do(self, verb: str, ticket: Ticket, seen: int | None = None) -> Changed:
        """A staff verb on one ticket."""
        act: calling.Verb = getattr(calling, verb)
        return await act(self.core, self.clerk(), ticket.id, seen)

    async def pause(self, queue: str = "A") -> QueueChanged:
        return await queues.pause(self.core, self.clerk(), self.queue_ids[queue])

    async def open(self, queue: str = "A") -> QueueChanged:
        return await queues.open_(self.core, self.clerk(), self.queue_ids[queue])

    async def close(self, queue: str = "A", *, send_home: bool = False) -> QueueChanged:
        return await queues.close(self.core, self.clerk(), self.queue_ids[queue], send_home=send_home)

    async def sweep(self) -> int:
        return await sweeper.sweep(self.core)

    async def set(self, queue: str = "A", /, **columns: int) -> None:
        """Settings of a line, as a manager would change them."""
        for column, value in columns.items():
            await self.pool.execute(
                f"update queues set {column} = $2 where id = $1",  # noqa: S608
                self.queue_ids[queue],
                value,
            )

    async def later(self, minutes: float) -> None:
        """Time passes."""
        by = f"interval ''{minutes} minutes''"
        await self.pool.execute(PASS_TIME.format(by=by, type="timestamp with time zone"))

    async def next_day(self, days: int = 1) -> None:
        """The same time tomorrow, or so many days later: the service day of everybody who waits is over."""
        await self.later(days * 24 * 60)
        await self.pool.execute(PASS_TIME.format(by=days, type="date"))

    async def order(self, queue: str = "A") -> list[str]:
        """The labels of those waiting, first to be called first."""
        return [row[0] for row in await self.pool.fetch(ORDER, self.queue_ids[queue])]

    async def texts(self, person: int) -> list[str]:
        """The templates of all texts to a person, in order."""
        return [row["template"] for row in await self.pool.fetch(TEXTS, phone(person))]

    async def text(self, person: int, template: str) -> dict[str, Any]:
        """What the one text of that template says."""
        rows = await self.pool.fetch(TEXTS, phone(person))
        (parameters,) = (row["parameters"] for row in rows if row["template"] == template)
        return dict(parameters)

    async def history(self, ticket: Ticket) -> list[tuple[str, str | None, str]]:
        """The audit of a ticket: (action, from, to)."""
        return [tuple(row) for row in await self.pool.fetch(HISTORY, ticket.id)]

    async def state(self, ticket: Ticket) -> str:
        return (await tickets.look(self.core, ticket.id)).status


async def _seed(servers: embedded.Servers) -> None:
    """Makes the database `world`, once a run: each conftest that takes the fixtures below asks for it."""
    admin = await _admin(servers)
    if not await admin.fetchval("select exists (select from pg_database where datname = 'world')"):
        await admin.execute("create database world template zamu")
        pool = await connect(servers.database_url.replace("/zamu?", "/world?"))
        await demo.seed(Core(pool))
        await pool.close()
    await admin.close()


async def enter(pool: Pool) -> World:
    """The demo world in a database of whatever server, in the middle of its day."""
    await pool.execute(MIDDAY)
    rows = await pool.fetch("select code, id::text from queues")
    branches = await pool.fetch("select code, id::text from branches")
    clerk = await pool.fetchval("select id::text from staff where login = 'clinic1'")
    return World(pool, dict(map(tuple, rows)), dict(map(tuple, branches)), clerk)


async def _admin(servers: embedded.Servers) -> asyncpg.Connection[asyncpg.Record]:
    return await asyncpg.connect(servers.database_url.replace("/zamu?", "/postgres?"))


@pytest.fixture(scope="session")
def seeded(template: embedded.Servers) -> embedded.Servers:
    """The servers with a database `world` that holds the demo world; it is copied for each test."""
    asyncio.run(_seed(template))
    return template


@asynccontextmanager
async def own_world(seeded: embedded.Servers) -> AsyncIterator[World]:
    """A copy of the demo world, in the middle of its day, with nobody in line."""
    name = f"world_{next(_numbers)}"
    admin = await _admin(seeded)
    await admin.execute(f"create database {name} template world strategy file_copy")
    pool = await connect(seeded.database_url.replace("/zamu?", f"/{name}?"))
    yield await enter(pool)
    await pool.close()
    await admin.execute(f"drop database {name} with (force)")
    await admin.close()


@pytest.fixture
async def world(seeded: embedded.Servers) -> AsyncIterator[World]:
    """The demo world: the test's own."""
    async with own_world(seeded) as world:
        yield world
