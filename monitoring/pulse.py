"""What a process says of itself once a second: its memory, its connections, and whether it keeps up."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from db.pool import Pool
from monitoring import metrics

SECONDS = 1.0
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
STATM = Path("/proc/self/statm")  # there is none on a Mac, where nobody runs this for others


@dataclass(frozen=True, slots=True)
class Pulse:
    """`sockets` and `requests` are how many there are now, `most_sockets` how many there can be."""

    pool: Pool
    sockets: Callable[[], int]
    most_sockets: int
    requests: Callable[[], int]

    async def run(self, stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        while not stop.is_set():
            due = loop.time() + SECONDS
            self.beat()
            await asyncio.sleep(due - loop.time())
            metrics.LATE.set(max(0.0, loop.time() - due))

    def beat(self) -> None:
        metrics.PROCESSES.set(1)
        metrics.SOCKETS.set(self.sockets())
        metrics.SOCKETS_ROOM.set(self.most_sockets)
        metrics.IN_HAND.set(self.requests())
        metrics.POOL_USED.set(self.pool.get_size() - self.pool.get_idle_size())
        metrics.POOL_SIZE.set(self.pool.get_max_size())
        metrics.MEMORY.set(_resident())


def _resident() -> int:
    return int(STATM.read_text().split()[1]) * PAGE_BYTES if STATM.exists() else 0
