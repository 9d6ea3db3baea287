"""`make bench`: every figure against a baseline of the same minute; the last line is JSON."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import tempfile
import time
from pathlib import Path

from bench import database, http, live, panel, texts
from db import embedded
from db.migrate import migrate

GOALS = {
    "ussd_menu_ratio": (
        "at least 0.6",
        "menu hops a second against a bare handler with one Redis GET and SET",
    ),
    "ussd_join_ratio": ("no goal", "hops a second of whole two-key joins against the same"),
    "join_ratio": (
        "at least 0.8",
        "joins over 50 queues against pgbench with the same SQL and as many clients",
    ),
    "status_ratio": ("at most 1.5", "time of a status with 100,000 waiting against 100"),
    "sms_in_ratio": ("no goal", "texts that are answered a second against a bare handler with one PostgreSQL insert"),
    "sms_out_per_s": ("no goal", "texts a second through one worker to a provider that takes 200 ms"),
    "call_to_attempt_p50_ms": ("under 50", "from a call to the attempt to tell the person, at 20 calls a second"),
    "call_to_attempt_p99_ms": ("under 1000", "the same for the slowest in a hundred"),
    "panel_ratio": ("no goal", "desk pages with 20 people a second against a bare handler with a Jinja2 page"),
    "worker_rss_mb": ("under 120", "resident memory of a worker after the run, MB"),
    "fanout_2000_p99_ms": (
        "under 250",
        "from call next until the last of 2,000 open sockets has it, slowest in a hundred",
    ),
    "socket_kb": ("no goal", "memory of one open socket, KB"),
    "cold_start_s": ("under 3", "from nothing to the first answer of `zamu serve` with embedded servers, s"),
}


def main() -> None:
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="zamu-bench-") as folder:
        print("The core and its database:")
        with embedded.start(Path(folder) / "core") as where:
            asyncio.run(migrate(where.database_url))
            figures |= asyncio.run(database.measure(where.database_url))
        print("One web worker:")
        figures |= _web(Path(folder) / "web")
        print("Texts to a provider that takes 200 ms:")
        figures |= texts.outbound(Path(folder) / "texts")
        print("Open sockets:")
        figures |= live.measure(Path(folder) / "live")
    print()
    for name, (goal, words) in GOALS.items():
        print(f"{name:22} {figures[name]:7.2f}   goal {goal:13} {words}")
    print(json.dumps({name: round(figures[name], 3) for name in GOALS}))


def _web(data: Path) -> dict[str, float]:
    port, bare_port, secret = http.free_port(), http.free_port(), secrets.token_urlsafe(32)
    began = time.perf_counter()
    with http.process(*http.zamu(data, port, secret)) as server:
        figures = {"cold_start_s": time.perf_counter() - began}
        http.seed(data)
        with embedded.start(data) as where:
            bare = [
                sys.executable,
                "-m",
                "uvicorn",
                "bench.bare:app",
                "--port",
                str(bare_port),
                "--no-access-log",
            ]
            stores = {"BENCH_REDIS_URL": where.redis_url, "BENCH_DATABASE_URL": where.database_url}
            with http.process(bare, stores, f"http://127.0.0.1:{bare_port}/"):
                figures |= http.ratios(port, secret, bare_port)
                figures |= texts.inbound(port, secret, bare_port)
                figures |= panel.ratio(port, bare_port, where.database_url)
        figures["worker_rss_mb"] = http.resident_mb(server.pid)
    return figures


if __name__ == "__main__":
    main()
