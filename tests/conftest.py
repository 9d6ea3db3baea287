"""Real servers for every test: one PostgreSQL and one Valkey a run, one database a test."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import re
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from db import embedded
from db.migrate import migrate
from db.pool import Pool, connect

_numbers = count(1)
# Copying a database makes 300 files: 10 ms in memory, 40 to 200 ms on a disk.
MEMORY = Path("/dev/shm")  # noqa: S108
ENOUGH = 1_000_000_000
LOUD = re.compile(r"[A-Z][A-Z ]+: .*(?=')")  # the reason of a skip, in capitals
PREFIX = "zamu-tests-"
JUST_MADE = 60  # seconds; such a folder's owner may not have locked it yet

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as shells start what runs behind them, and children inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def quick_place() -> Path | None:
    """Where to make database folders: in memory, where there is room."""
    return MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH else None


@pytest.fixture(scope="session")
def servers(quick_place: Path | None) -> Iterator[embedded.Servers]:
    """Both servers, which never wait for the disk. Each worker of a parallel run has its own."""
    _sweep(quick_place or Path(tempfile.gettempdir()))
    with (
        tempfile.TemporaryDirectory(prefix=PREFIX, dir=quick_place) as folder,
        embedded.start(Path(folder), durable=False) as servers,
    ):
        yield servers


@pytest.fixture(scope="session")
def template(servers: embedded.Servers) -> embedded.Servers:
    """The servers with the database `zamu` migrated; nobody writes there, it is copied for each test."""
    asyncio.run(migrate(servers.database_url))
    return servers


@pytest.fixture
async def empty_url(servers: embedded.Servers) -> AsyncIterator[str]:
    """A database without any table, which nobody has migrated."""
    admin = await asyncpg.connect(servers.database_url.replace("/zamu?", "/postgres?"))
    await admin.execute("create database empty strategy file_copy template template0")
    yield servers.database_url.replace("/zamu?", "/empty?")
    await admin.execute("drop database empty with (force)")
    await admin.close()


@pytest.fixture
async def database_url(template: embedded.Servers) -> AsyncIterator[str]:
    """A migrated, empty database of the test's own; a copy takes 10 ms."""
    name = f"test_{next(_numbers)}"
    admin = await asyncpg.connect(template.database_url.replace("/zamu?", "/postgres?"))
    await admin.execute(f"create database {name} template zamu strategy file_copy")
    yield template.database_url.replace("/zamu?", f"/{name}?")
    await admin.execute(f"drop database {name} with (force)")
    await admin.close()


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """Connections to the test's own database, with the limits that the product sets."""
    pool = await connect(database_url)
    yield pool
    async with asyncio.timeout(10):  # or a connection that was never given back would hang the run
        await pool.close()


@pytest.fixture
async def redis(servers: embedded.Servers) -> AsyncIterator[Redis]:
    """A client of the run's Valkey, emptied for this test."""
    async with Redis.from_url(servers.redis_url) as client:
        await client.flushall()
        yield client


@pytest.fixture
def redis_url(redis: Redis, servers: embedded.Servers) -> str:  # noqa: ARG001
    """Where that emptied Valkey is, for what makes its own client."""
    return servers.redis_url


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in the end, where everybody looks, what a run without a browser, nginx or promtool proves nothing of."""
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    for words, tests in Counter(found[0] for reason in skipped if (found := LOUD.search(reason))).items():
        terminalreporter.write_line(f"{tests} {words}", red=True, bold=True)


def _sweep(place: Path) -> None:
    """Stop and remove the servers of runs that were killed: nobody holds their users' lock."""
    for folder in place.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # somebody else's, or gone meanwhile
            if time.time() - folder.stat().st_mtime < JUST_MADE:
                continue
            with (folder / "users.lock").open("a") as users:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with embedded.start(folder, durable=False):
                pass
            shutil.rmtree(folder)
