"""A server on the demo world, and servers behind another one that a test may stop."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from redis.asyncio import Redis

from db import embedded
from db.embedded.postgres import Postgres
from db.embedded.server import Folder, Server
from db.embedded.valkey import Valkey
from db.migrate import migrate
from db.pool import connect
from queue_core import demo
from queue_core.core import Core
from tests.disturbing import PATIENCE
from tests.faults.healing import LONG, healing
from tests.faults.senders import senders
from tests.terminal import Terminal, database, outside, terminal
from tests.world import MIDDAY, phone, seeded, world

__all__ = ["database", "healing", "seeded", "senders", "terminal", "world"]


@dataclass(frozen=True, slots=True)
class Cellar:
    """A database with the demo world, and a Valkey. Tests share them, so each takes new people."""

    postgres: Postgres
    valkey: Valkey
    urls: embedded.Servers
    people: Iterator[int]

    def number(self) -> str:
        """The phone of somebody who was never here."""
        return phone(next(self.people))

    async def stop_postgres(self, number: int) -> None:
        data = self.postgres.folder.path / "postgres"
        os.kill(int((data / "postmaster.pid").read_text().split()[0]), number)
        await _gone(self.postgres)

    async def empty_valkey(self) -> None:
        async with Redis.from_url(self.urls.redis_url) as client:
            await client.flushall()

    async def signal_valkey(self, number: int) -> int:
        """Gives its process, too late if the signal ends it."""
        async with Redis.from_url(self.urls.redis_url) as client:
            process = int((await client.info("server"))["process_id"])
        os.kill(process, number)
        return process

    async def stop_valkey(self, number: int) -> None:
        await self.signal_valkey(number)
        await _gone(self.valkey)

    async def save_valkey(self) -> None:
        """What it knows now is what it will know when it is started again, or what takes its place."""
        async with Redis.from_url(self.urls.redis_url) as client:
            await client.save()

    def forget_save(self) -> None:
        """It begins empty again."""
        (self.valkey.folder.path / "valkey/dump.rdb").unlink(missing_ok=True)

    def start(self, server: Server) -> None:
        """Gives it once it answers."""
        server.begin()
        server.wait()


async def _gone(server: Server) -> None:
    """Until not one process of it lives."""
    async with asyncio.timeout(PATIENCE):
        while server.alive():  # noqa: ASYNC110 - a lock that is given back wakes nobody
            await asyncio.sleep(0.01)


async def furnish(url: str) -> None:
    """The demo world, in the middle of its day, in an empty database."""
    await migrate(url)
    pool = await connect(url, size=1)
    await demo.seed(Core(pool))
    await pool.execute(MIDDAY)
    # These servers never wait for the disk, but a `kill -9` must not lose what was acknowledged.
    await pool.execute("alter database zamu set synchronous_commit = on")
    await pool.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes is for `make faults` and `make attack`."""
    if LONG not in os.environ:
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip("long: `make faults` or `make attack` runs it"))


@contextmanager
def dug(quick_place: Path | None) -> Iterator[Cellar]:
    """A new one, with nobody in line."""
    with (
        tempfile.TemporaryDirectory(dir=quick_place) as place,
        embedded.start(Path(place), durable=False) as urls,
    ):
        asyncio.run(furnish(urls.database_url))
        folder = Folder(Path(place), Path(place, "run"), durable=False)
        yield Cellar(Postgres(folder), Valkey(folder), urls, count(1))


@pytest.fixture(scope="session")
def cellar(quick_place: Path | None) -> Iterator[Cellar]:
    with dug(quick_place) as made:
        yield made


@pytest.fixture
def upstairs(cellar: Cellar, tmp_path: Path) -> Terminal:
    """A terminal in the house above that cellar, where both servers run."""
    cellar.start(cellar.postgres)
    cellar.start(cellar.valkey)
    return Terminal(outside(cellar.urls.database_url, cellar.urls.redis_url), tmp_path)
