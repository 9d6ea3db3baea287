"""What a load balancer is told."""

from __future__ import annotations

import asyncio

from tests.disturbing import PATIENCE
from tests.webhooks.conftest import Server


async def test_a_server_with_both_stores_is_ready(server: Server) -> None:
    assert (await server.client.get("/healthz")).json() == {"status": "ok"}
    ready = await server.client.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ok", "database": "ok", "redis": "ok"})


async def test_a_read_only_database_makes_it_unready_until_that_is_over(server: Server) -> None:
    name = await server.pool.fetchval("select current_database()")
    kick = "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()"
    for value, status in (("on", 503), ("off", 200)):
        async with server.pool.acquire() as conn, asyncio.timeout(PATIENCE):
            await conn.execute("set default_transaction_read_only = off")
            await conn.execute(f"alter database {name} set default_transaction_read_only = {value}")
            while (await server.client.get("/readyz")).status_code != status:
                await conn.execute(kick, name)  # again: a connection may have been on its way in
    assert (await server.dial()).text.startswith("CON Zamu")


async def test_every_answer_names_its_request(server: Server) -> None:
    assert (await server.dial(sessionId="ATUid_77")).headers["x-request-id"] == "ATUid_77"
    assert len((await server.client.get("/healthz")).headers["x-request-id"]) == 32
