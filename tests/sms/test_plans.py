from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from db.pool import Connection, Pool
from db.queries import load
from tests.sms.conftest import AMINA, THROUGH

SQL = load("outbox")
SECOND = timedelta(seconds=1)
HOT = {
    "claim": (64, uuid4(), SECOND, *THROUGH),
    "hand_over": (uuid4(), "scripted", SECOND, ["+254"]),
    "mark": (uuid4(), uuid4(), "sent", "sent", "body", 1, None, None, "id-1", SECOND, False),
    "recover": (),
    "expire": (),
    "recognise": (uuid4(), "scripted", "id-1"),
    "settle": ("scripted", "id-1"),
    "find_lost": ("scripted", AMINA),
}


@pytest.fixture
async def years(pool: Pool) -> Pool:
    """100,000 texts of the past with their reports, and two hundred of the present."""
    async with pool.acquire() as connection:
        await connection.execute("set statement_timeout = 0")
        await _fill(connection)
        await connection.execute("reset statement_timeout")
    return pool


async def _fill(connection: Connection) -> None:
    await connection.execute(
        "insert into notifications (phone, template, expires_at, dedupe_key, status, gateway, provider_id, attempts)"
        " select '+2547' || lpad(i::text, 8, '0'), 'joined', now() + '1 hour'::interval, i::text,"
        " case when i <= 100 then 'queued' when i <= 120 then 'sending' when i <= 200 then 'unknown'"
        " else 'delivered' end, 'scripted', case when i > 200 then 'id-' || i end, 1"
        " from generate_series(1, 100100) i"
    )
    await connection.execute(
        "insert into delivery_reports (gateway, provider_id, phone, status)"
        " select gateway, provider_id, phone, 'delivered' from notifications where provider_id is not null"
    )
    await connection.execute(
        "insert into notification_attempts (notification_id, attempt, gateway, outcome)"
        " select id, 1, gateway, 'sent' from notifications where status = 'delivered'"
    )
    await connection.execute("analyze notifications, delivery_reports, notification_attempts")


async def test_no_statement_of_the_outbox_reads_the_past(years: Pool) -> None:
    for name, args in HOT.items():
        async with years.acquire() as connection, connection.transaction():
            plan = "\n".join(row[0] for row in await connection.fetch(f"explain {getattr(SQL, name)}", *args))
        for table in ("notifications", "delivery_reports", "notification_attempts"):
            assert f"Seq Scan on {table}" not in plan, f"{name}:\n{plan}"
