"""As many requests as an hour of overload brings, at one web process: true answers, or honest ones, and flat memory."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from overload import MOST
from tests.faults.conftest import Cellar
from tests.faults.flood import KINDS, LOST
from tests.faults.healing import hangs_after
from tests.faults.phones import Phone
from tests.monitoring.scraping import scrape
from tests.terminal import Process, Terminal

ROUNDS, REQUESTS = 10, 5000  # at least, in each of them
AT_ONCE = 3 * MOST
AWAY = range(4, 6)  # the rounds without Redis
HANGS = 2.0  # seconds, and as long not
MOST_LOST = 0.01  # of all, on a machine that does many other things
MOST_GROWTH = 0.2  # of what the process holds after the first tenth
LONGEST = 1800.0
SPARE_FILES = 100  # more than connections to PostgreSQL and Redis, which are kept

pytestmark = pytest.mark.long


async def test_an_hour_of_overload_leaves_memory_flat_and_everybody_is_told_the_truth(
    cellar: Cellar, upstairs: Terminal, record_property: Callable[[str, object], None]
) -> None:
    hangs_after(LONGEST)
    held: list[int] = []
    said = Counter[tuple[str, str]]()
    with upstairs.serving() as server:
        files = _files(server)
        hanging = asyncio.create_task(_hang_again_and_again(cellar.urls.database_url))
        for turn in range(ROUNDS):
            if turn == AWAY.start:
                await cellar.stop_valkey(signal.SIGKILL)
            if turn == AWAY.stop:
                await asyncio.to_thread(cellar.start, cellar.valkey)
            said += await _pour(server.url, turn)
            held.append(_resident(server))
        assert not hanging.done(), hanging
        hanging.cancel()
        await asyncio.wait({hanging})
        screen = await Phone(server.url, cellar.number()).dial()
        assert "Choose a line" in screen.text, screen
        await _nothing_is_left(server, files)
        assert f"too much to do: {MOST} requests in hand" in server.said
    record_property("noted", _row(said, held))
    assert {kind for kind, _ in said} == set(KINDS)
    assert said["caller", "200"] > 0 < said["caller", "busy"], said
    assert sum(times for (_, answer), times in said.items() if answer == LOST) < MOST_LOST * said.total(), said
    assert max(held) < (1 + MOST_GROWTH) * held[0], held
    await _every_key_ends(cellar)


async def _hang_again_and_again(database: str) -> None:
    """What fills a process is a database that makes all wait."""
    while True:
        holder = await asyncpg.connect(database)
        try:
            await holder.execute("begin; lock table tickets in access exclusive mode")
            await asyncio.sleep(HANGS)
        finally:
            await holder.close()
        await asyncio.sleep(HANGS)


async def _pour(url: str, turn: int) -> Counter[tuple[str, str]]:
    """One round, of people who were never here."""
    words = map(str, (url, REQUESTS, AT_ONCE, turn * ROUNDS * REQUESTS))
    flood = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.flood", *words, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await flood.communicate()
    assert flood.returncode == 0
    seen = json.loads(told)
    assert seen["wrong"] == []
    return Counter({(kind, answer): times for kind, answer, times in seen["said"]})


async def _nothing_is_left(server: Process, files: int) -> None:
    """No request in hand, no socket, and hardly a file more than before."""
    async with asyncio.timeout(LONGEST):
        while True:
            seen = await asyncio.to_thread(scrape, server.url)
            left = seen.total("zamu_requests_in_hand") + seen.total("zamu_sockets_open")
            if not left and _files(server) - files < SPARE_FILES:
                return
            await asyncio.sleep(1)


async def _every_key_ends(cellar: Cellar) -> None:
    """By itself: nothing stays in Redis."""
    async with Redis.from_url(cellar.urls.redis_url) as client:
        async for key in client.scan_iter(count=1000):
            assert await client.ttl(key) >= 0, key


def _resident(server: Process) -> int:
    return int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]) * 4096


def _files(server: Process) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


def _row(said: Counter[tuple[str, str]], held: list[int]) -> str:
    busy = sum(times for (_, answer), times in said.items() if answer == "busy")
    lost = sum(times for (_, answer), times in said.items() if answer == LOST)
    sizes = ", ".join(f"{size / 1e6:.0f}" for size in held)
    return f"{said.total()} requests, {busy} of them told to come again, {lost} lost; MB after each tenth: {sizes}"
