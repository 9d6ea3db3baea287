"""`make bench`: every figure against a baseline of the same minute; the last line is JSON."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import tempfile
import time
from pathlib import Path

from bench import database, http
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
    "worker_rss_mb": ("under 120", "resident memory of a worker after the run, MB"),
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
    print()
    for name, (goal, words) in GOALS.items():
        print(f"{name:16} {figures[name]:7.2f}   goal {goal:13} {words}")
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
            with http.process(bare, {"BENCH_REDIS_URL": where.redis_url}, f"http://127.0.0.1:{bare_port}/"):
                figures |= http.ratios(port, secret, bare_port)
        figures["worker_rss_mb"] = http.resident_mb(server.pid)
    return figures


if __name__ == "__main__":
    main()
