"""What a join leaves behind, looked for from outside: all of it, or nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from db.pool import Pool, connect
from tests.disturbing import PATIENCE
from tests.faults.phones import Phone, Screen
from tests.invariants import Answer, broken

# In one statement, so that all of it is seen at one instant.
TRACES = """
select array[
    (select count(*) from tickets where phone = p.phone),
    (select count(*) from customers where phone = p.phone),
    (select count(*) from audit_log a join tickets t on t.id = entity_id where t.phone = p.phone and a.action = 'join'),
    (select count(*) from notifications where phone = p.phone and template in ('joined', 'joined_no_wait')),
    (select count(*) from requests r join tickets t on t.id = (r.answer->'ticket'->>'id')::uuid
      where t.phone = p.phone and r.answer->>'outcome' = 'joined')]
  from unnest($1::text[]) as p (phone)
"""
NOTHING, ALL = [0] * 5, [1] * 5


async def traces(pool: Pool, phones: Sequence[Phone]) -> list[list[int]]:
    """For each phone: its tickets, customers, audited joins, texts and stored answers."""
    return [row[0] for row in await pool.fetch(TRACES, [phone.number for phone in phones])]


async def told(phone: Phone) -> Screen:
    """The request once more, as often as it takes until the system is not busy."""
    async with asyncio.timeout(PATIENCE):
        while (await phone.again()).not_now:
            pass
    return phone.screen


def answer(phone: Phone, screen: Screen) -> Answer:
    """A join's last screen, for the invariants."""
    assert screen.text.startswith("Your number is "), screen.text
    now = time.time()
    return Answer(phone.session, "join", now, now, "joined", phone=phone.number, label=screen.label, said=screen.text)


async def all_is_well(database: str, callers: Sequence[Phone], answers: Sequence[Answer]) -> None:
    """Each caller has one place, the one that he was told of, and the invariants hold."""
    async with await connect(database, size=1) as pool:
        assert await traces(pool, callers) == [ALL] * len(callers)
        assert await broken(pool, answers=answers) == []
