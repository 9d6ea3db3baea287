"""What only the stores know, asked on a scrape: one statement, one INFO, one look at a folder, and not too often."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from redis.asyncio import Redis
from redis.exceptions import RedisError

from db.pool import FAILED, Pool
from db.queries import load
from monitoring.held import Held

SQL = load("monitoring")

FRESH_SECONDS = 5.0  # several who scrape, or one who scrapes wildly, ask no more often
SECONDS = 2.0  # a store that is slower than this is away
MOST_LINES = 200  # each is a series

FAMILIES = {
    "zamu_build_info": "Always 1; the version is a label",
    "zamu_waiting": "People who wait in a line; the longest lines only",
    "zamu_waiting_all": "People who wait, everywhere",
    "zamu_tickets_today": "Tickets of the service days that are not over, by the channel of the join",
    "zamu_called_today": "How many of them were called",
    "zamu_ended_today": "How many of them ended, and how",
    "zamu_waited_seconds_today": "Seconds that those who were called waited, together",
    "zamu_texts_queued": "Texts that are due and not handed over",
    "zamu_texts_queued_oldest_seconds": "How long the oldest of them is due",
    "zamu_texts_in_doubt": "Texts of a day that failed three times (dead), or whose answer was lost (unknown)",
    "zamu_texts_unhandled": "Texts from people that are stored and not handled",
    "zamu_texts_unhandled_oldest_seconds": "How long ago the oldest of them came",
    "zamu_sweeper_silent_seconds": "Since somebody last looked for calls that expire",
    "zamu_database_up": "1 where the database answered this scrape",
    "zamu_database_writable": "1 where it takes changes",
    "zamu_database_answer_seconds": "How long it took",
    "zamu_database_connections": "Connections of everybody to it",
    "zamu_database_connections_most": "How many it allows",
    "zamu_archive_fails": "1 where the last try to archive its log failed",
    "zamu_redis_up": "1 where Redis answered this scrape",
    "zamu_redis_answer_seconds": "How long it took",
    "zamu_redis_memory_bytes": "What it holds",
    "zamu_redis_memory_most_bytes": "What it may hold; 0 is no bound",
    "zamu_redis_evicted": "What it dropped because it was full, since it started",
    "zamu_spool_texts": "Texts on this disk that wait for the database",
    "zamu_spool_oldest_seconds": "How long the oldest of them waits",
    "zamu_spool_broken": "Texts on this disk that cannot be read, and wait for a human",
}

Labels = dict[str, str]


@dataclass(eq=False, slots=True)
class Samples(Collector):
    """What was found, by the names of `FAMILIES`."""

    found: dict[str, list[tuple[Labels, float]]] = field(default_factory=dict)

    def add(self, name: str, value: float, labels: Labels | None = None) -> None:
        self.found.setdefault(name, []).append((labels or {}, value))

    def collect(self) -> Iterator[Metric]:
        for name, samples in self.found.items():
            family = GaugeMetricFamily(name, FAMILIES[name], labels=list(samples[0][0]))
            for labels, value in samples:
                family.add_metric(list(labels.values()), value)
            yield family


class Stores:
    """The stores of this process. `held` tells what is in the spool, and may take its time."""

    def __init__(self, pool: Pool, redis: Redis, held: Callable[[], Held], version: str) -> None:
        self._pool = pool
        self._redis = redis
        self._held = held
        self._version = version
        self._samples = Samples()
        self._looked_at = float("-inf")
        self._looking = asyncio.Lock()

    async def look(self) -> Samples:
        """The samples of this moment, or of some seconds ago. A store that is away is told of, and raises nothing."""
        async with self._looking:
            if time.monotonic() - self._looked_at >= FRESH_SECONDS:
                samples = Samples()
                samples.add("zamu_build_info", 1, {"version": self._version})
                await asyncio.gather(self._ask_database(samples), self._ask_redis(samples), self._ask_spool(samples))
                self._samples, self._looked_at = samples, time.monotonic()
        return self._samples

    async def _ask_database(self, samples: Samples) -> None:
        began = time.perf_counter()
        try:
            async with asyncio.timeout(SECONDS):
                rows = await self._pool.fetch(SQL.samples, MOST_LINES)
        except FAILED:
            samples.add("zamu_database_up", 0)
            return
        samples.add("zamu_database_up", 1)
        samples.add("zamu_database_answer_seconds", time.perf_counter() - began)
        for row in rows:
            samples.add(row["name"], row["value"], row["labels"])

    async def _ask_redis(self, samples: Samples) -> None:
        began = time.perf_counter()
        try:
            async with asyncio.timeout(SECONDS):
                info: dict[str, Any] = await self._redis.info()
        except (RedisError, OSError):
            samples.add("zamu_redis_up", 0)
            return
        samples.add("zamu_redis_up", 1)
        samples.add("zamu_redis_answer_seconds", time.perf_counter() - began)
        samples.add("zamu_redis_memory_bytes", info["used_memory"])
        samples.add("zamu_redis_memory_most_bytes", info.get("maxmemory", 0))
        samples.add("zamu_redis_evicted", info["evicted_keys"])

    async def _ask_spool(self, samples: Samples) -> None:
        held = await asyncio.to_thread(self._held)
        samples.add("zamu_spool_texts", held.texts)
        samples.add("zamu_spool_oldest_seconds", held.oldest_seconds)
        samples.add("zamu_spool_broken", held.broken)
