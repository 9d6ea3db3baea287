"""Texts: how many are answered, how many are sent, and how soon a call reaches the provider."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlencode

import redis.asyncio
import uvloop

from announcer import Announcer
from bench import http
from bench.crowd import Conversation, call
from db import embedded
from db.pool import connect
from queue_core import calling, queues, tickets
from queue_core.core import TEXTS, Act, Core

CALLERS = 32
ASKED = 3000  # of each kind a round
SENT = 2000
CALLS_A_SECOND = 20
CALLS = 300

MANY = """
insert into notifications (phone, template, parameters, expires_at, dedupe_key)
select '+2549' || lpad(n::text, 8, '0'), 'start', '{}', now() + interval '1 hour', 'bench:' || n
  from generate_series(1, $1) n
"""
DESKS = """
with desks as (
    insert into counters (branch_id, name)
    select branch_id, 'Desk ' || n from queues, generate_series(0, 299) n where id = $1::uuid
    returning id)
insert into counter_queues select id, $1::uuid from desks
"""
ALL_SENT = "select not exists (select from notifications where status in ('queued', 'sending'))"

_serial = itertools.count()


def _bodies(_caller: int) -> Conversation:
    """STATUS, by phones that never texted before."""
    for _ in range(ASKED // CALLERS):
        number = next(_serial)
        fields = {"id": f"bench-{number}", "from": f"+2547{number:08}", "to": "20880", "text": "STATUS"}
        yield urlencode(fields | {"date": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}", "networkCode": "63902"}).encode()


def inbound(port: int, secret: str, bare_port: int) -> dict[str, float]:
    """Texts that are stored, understood and answered by a queued text, against one insert."""
    found = []
    for turn in range(http.ROUNDS + 1):
        bare = uvloop.run(call(bare_port, "/insert", CALLERS, _bodies))
        ours = uvloop.run(call(port, f"/hooks/africastalking/sms/{secret}", CALLERS, _bodies))
        if turn:
            found.append(ours / bare)
            print(f"  bare insert {bare:6.0f}/s   texts answered {ours:6.0f}/s")
    return {"sms_in_ratio": median(found)}


def outbound(data: Path) -> dict[str, float]:
    """A real server with its worker, and the provider in a process of its own."""
    port, provider_port, secret = http.free_port(), http.free_port(), secrets.token_urlsafe(32)
    provider = f"http://127.0.0.1:{provider_port}"
    command = [sys.executable, "-m", "uvicorn", "bench.provider:app", "--port", str(provider_port), "--no-access-log"]
    keys = {"ZAMU_SMS_GATEWAYS": "africastalking", "ZAMU_AT_API_KEY": "key", "ZAMU_AT_BASE_URL": provider}
    with (
        http.process(command, {}, f"{provider}/"),
        http.process(*http.zamu(data, port, secret, **keys)),
        embedded.start(data) as where,
    ):
        http.seed(data)
        return asyncio.run(_measure(where))


async def _measure(where: embedded.Servers) -> dict[str, float]:
    """Calls are announced as a web process announces them."""
    pool, client = await connect(where.database_url, size=4), redis.asyncio.from_url(where.redis_url)
    announcer = Announcer(client)
    core = Core(pool, announcer)
    telling = asyncio.create_task(announcer.run())
    queue = (await queues.find(core, Act("system", "system"), "4071/A"))["id"]
    figures = await _throughput(core) | await _latency(core, queue)
    telling.cancel()
    await client.aclose()
    await pool.close()
    return figures


async def _throughput(core: Core) -> dict[str, float]:
    await core.pool.execute(MANY, SENT)
    start = time.perf_counter()
    core.announce(TEXTS)
    await _until(core, ALL_SENT)
    rate = SENT / (time.perf_counter() - start)
    print(f"  {rate:.0f} texts a second")
    return {"sms_out_per_s": rate}


async def _latency(core: Core, queue: str) -> dict[str, float]:
    """Calls at an even pace, whatever else is under way; the database says when each was attempted."""
    for number in range(CALLS):
        await tickets.join(core, Act("customer", "api"), queue, f"+2548{number:08}")
    await core.pool.execute(DESKS, queue)
    await _until(core, ALL_SENT)
    start = time.perf_counter()
    for number in range(CALLS):
        await asyncio.sleep(start + number / CALLS_A_SECOND - time.perf_counter())
        await calling.call_next(core, Act("system", "system"), queue, f"Desk {number}")
    await _until(core, ALL_SENT)
    rows = await core.pool.fetch(
        "select extract(epoch from attempted_at - created_at)::float8 * 1000 from notifications where template = 'turn'"
    )
    waits = quantiles([row[0] for row in rows if row[0] is not None], n=100)
    print(f"  call to attempt: p50 {waits[49]:.0f} ms, p99 {waits[98]:.0f} ms, of {len(rows)}")
    return {"call_to_attempt_p50_ms": waits[49], "call_to_attempt_p99_ms": waits[98]}


async def _until(core: Core, question: str) -> None:
    while not await core.pool.fetchval(question):  # noqa: ASYNC110 - a row wakes nobody
        await asyncio.sleep(0.02)
