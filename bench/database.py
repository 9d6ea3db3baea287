"""The core on its database: joins against pgbench with the same SQL, and status in a long line."""

from __future__ import annotations

import asyncio
import re
import subprocess
import tempfile
import time
from itertools import count
from pathlib import Path
from statistics import median
from urllib.parse import parse_qs, urlsplit

from db.embedded.postgres import BIN
from db.pool import Pool, connect
from queue_core import tickets
from queue_core.core import Act, Core

CLIENTS = 16
SECONDS = 4
ROUNDS = 3
LOOKS = 400

WORLD = """
with o as (insert into organizations (name) values ('Bench') returning id),
     b as (insert into branches (organization_id, code, name, phone)
           select id, (9000 + n)::text, 'Bench ' || n, '0700000000' from o, generate_series(0, 4) as n returning id)
insert into queues (branch_id, code, name, status)
select b.id, code, 'Line ' || code, 'open' from b, unnest('{A,C,D,E,F,G,H,J,K,L,M}'::text[]) as code order by code
returning id::text
"""

# What `tickets.join` runs, with a queue out of fifty and a phone that never called before.
JOIN_SCRIPT = r"""
\set n random(1, 50)
\set phone random(1, 1000000000000)
select join_queue(jsonb_build_object('actor', 'customer', 'channel', 'api', 'actor_id', null, 'reason', null,
                                     'branches', null, 'request', 'pgbench-' || :phone),
                  (select id from bench_queues where n = :n),
                  jsonb_build_object('phone', '+9' || :phone, 'name', null, 'language', null), false);
"""

LINE = """
with day as (
    insert into queue_days (queue_id, service_date, last_number_issued)
    select q.id, today(q.branch_id), $2 from queues q where q.id = $1::text::uuid returning queue_id, service_date)
insert into tickets (queue_id, service_date, number, phone, channel, position)
select queue_id, service_date, n, '+1' || $3::int || lpad(n::text, 8, '0'), 'api', n
  from day, generate_series(1, $2) as n
"""


async def measure(url: str) -> dict[str, float]:
    """Measure `join_ratio` and `status_ratio`.

    The first is joins a second of one process against pgbench's, the second the time of a status with 100,000 waiting
    against that with 100.
    """
    pool = await connect(url, size=CLIENTS)
    try:
        queues = [row[0] for row in await pool.fetch(WORLD)]
        await pool.execute("create table bench_queues (n int primary key, id uuid)")
        await pool.executemany("insert into bench_queues values ($1, $2::text::uuid)", list(enumerate(queues[:50], 1)))
        return {"join_ratio": await _join(pool, url, queues[:50]), "status_ratio": await _status(pool, queues[50:52])}
    finally:
        await pool.close()


async def _join(pool: Pool, url: str, queues: list[str]) -> float:
    core, serial, ratios = Core(pool), count(), []
    for turn in range(ROUNDS + 1):
        theirs = await asyncio.to_thread(_pgbench, url)
        ours = await _joins(core, queues, serial)
        if turn:  # the first is for warming up
            ratios.append(ours / theirs)
            print(f"  pgbench {theirs:6.0f} joins/s   core {ours:6.0f} joins/s")
    return median(ratios)


async def _joins(core: Core, queues: list[str], serial: count[int]) -> float:
    until, joined = time.perf_counter() + SECONDS, 0

    async def client() -> None:
        nonlocal joined
        while time.perf_counter() < until:
            n = next(serial)
            act = Act("customer", "api", request=f"bench-{n}")
            await tickets.join(core, act, queues[n % len(queues)], f"+2547{n:08}")
            joined += 1

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return joined / SECONDS


def _pgbench(url: str) -> float:
    parts = urlsplit(url)
    where = parse_qs(parts.query)["host"][0]
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "join.sql"
        script.write_text(
            JOIN_SCRIPT.replace("\n", " ").replace(r"\set", "\n\\set").replace("select join", "\nselect join")
        )
        command = [
            str(BIN / "pgbench"),
            "-n",
            "-M",
            "prepared",
            "-c",
            str(CLIENTS),
            "-j",
            "2",
            "-T",
            str(SECONDS),
        ]
        command += ["-f", str(script), "-h", where, "-U", str(parts.username), parts.path.strip("/")]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
    found = re.search(r"tps = ([0-9.]+)", said)
    if not found:
        raise RuntimeError(f"pgbench said nothing of its speed: {said}")
    return float(found[1])


async def _status(pool: Pool, queues: list[str]) -> float:
    core = Core(pool)
    sizes = (100, 100_000)
    async with pool.acquire() as conn:
        await conn.execute("set statement_timeout = 0")
        for queue, size in zip(queues, sizes, strict=True):
            await conn.execute(LINE, queue, size, size // 1000, timeout=120)
        await conn.execute("vacuum analyze tickets, waiting_blocks", timeout=120)
    times: dict[int, list[float]] = {size: [] for size in sizes}
    for look in range(LOOKS):
        for size in sizes:
            # Spread over the whole line, and always the last quarter of it too: the far end is the hard one.
            number = size - (look * size // LOOKS) // 4
            began = time.perf_counter()
            ticket = await tickets.status(core, f"+1{size // 1000}{number:08}")
            times[size].append(time.perf_counter() - began)
            if ticket is None or ticket.ahead != number - 1:
                raise RuntimeError(f"the line is not what it should be: {ticket}")
    few, many = (median(times[size]) for size in sizes)
    print(f"  status: {few * 1e6:.0f} us with 100 waiting, {many * 1e6:.0f} us with 100,000")
    return many / few
