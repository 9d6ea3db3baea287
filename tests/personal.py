"""Where a person may leave traces, and where they are found: in every column of every table."""

from __future__ import annotations

import json

from db.pool import Pool
from tests.world import World

TABLES = "select table_name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'"


async def leave_traces(world: World, phone: str, name: str) -> None:
    """All that a visit leaves beside the ticket: a session, a text, what was sent and reported, a language."""
    await world.pool.execute(
        "insert into ussd_sessions (gateway, session_key, phone, state, data)"
        " values ('at', gen_random_uuid(), $1, 'home', $2)",
        phone,
        {"name": name},
    )
    await world.pool.execute(
        "insert into inbound_messages (gateway, provider_id, phone, text, handled_at)"
        " values ('at', gen_random_uuid(), $1, 'JOIN 4071 A ' || $2, now())",
        phone,
        name,
    )
    await world.pool.execute(
        "update notifications set status = 'delivered', gateway = 'at', provider_id = 'p-' || id,"
        " body = $2 || ', wait', finished_at = now() where phone = $1",
        phone,
        name,
    )
    await world.pool.execute(
        "insert into delivery_reports (gateway, provider_id, phone, status, raw)"
        " select 'at', provider_id, case when number = 1 then phone end, 'delivered', $2"
        "   from (select *, row_number() over () as number from notifications where phone = $1) n",
        phone,
        {"phoneNumber": phone},
    )
    await world.pool.execute("insert into customers (phone, language) values ($1, 'sw') on conflict do nothing", phone)


async def everywhere(pool: Pool, *words: str) -> set[str]:
    """The tables in which any column of any row holds one of these words, or a phone without its plus."""
    tables = [row["table_name"] for row in await pool.fetch(TABLES)]
    patterns = [f"%{form}%" for word in words for form in {word, word.removeprefix("+"), json.dumps(word)[1:-1]}]
    found = set()
    for table in tables:
        sql = f'select exists (select from "{table}" t where t::text ilike any ($1::text[]))'  # noqa: S608 - ours
        if await pool.fetchval(sql, patterns):
            found.add(table)
    return found
