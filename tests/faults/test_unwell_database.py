"""A database that may not write, has no room, or is started anew under a crowd: words, no half joins, and it heals."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from db import embedded
from db.embedded.postgres import Postgres
from db.embedded.server import Folder
from db.pool import connect
from tests.faults.conftest import Cellar, furnish
from tests.faults.crowd import crowd, insist, join_all
from tests.faults.healing import Healing
from tests.faults.test_killed import OTHERS
from tests.faults.traces import ALL, NOTHING, all_is_well, traces
from tests.terminal import Terminal, outside

READ_ONLY = "alter database zamu set default_transaction_read_only = {}"
TERMINATE = f"select count(pg_terminate_backend(pid)) {OTHERS}"
ROOM = 160  # megabytes: the database with its log, both servers' files and the spool
CROWD = 16


async def test_while_the_database_may_only_be_read_callers_get_words_and_join_when_it_may_be_written(
    cellar: Cellar, upstairs: Terminal, healing: Healing
) -> None:
    """As when the pool holds connections to a server that is the primary no more."""
    admin = await asyncpg.connect(cellar.urls.database_url)
    with upstairs.serving() as server:
        callers = crowd(server.url, (cellar.number() for _ in range(6)))
        await admin.execute(READ_ONLY.format("on"))
        await admin.fetchval(TERMINATE)
        try:
            await asyncio.gather(*(caller.dial() for caller in callers))
            pressed = [caller for caller in callers if not caller.screen.over]
            await asyncio.gather(*(caller.press("1") for caller in pressed))
            assert not [caller.screen.label for caller in callers if caller.screen.label]
            async with await connect(cellar.urls.database_url, size=1) as pool:
                assert await traces(pool, callers) == [NOTHING] * len(callers)
        finally:
            await admin.execute("set default_transaction_read_only = off")
            await admin.execute(READ_ONLY.format("off"))
        healing.begin()
        answers = await join_all(callers)
        healing.done()
    await admin.close()
    await all_is_well(cellar.urls.database_url, callers, answers)


async def test_backends_killed_again_and_again_cost_a_crowd_nothing(
    cellar: Cellar, upstairs: Terminal, healing: Healing
) -> None:
    admin = await asyncpg.connect(cellar.urls.database_url)
    with upstairs.serving() as server:
        callers = crowd(server.url, (cellar.number() for _ in range(CROWD)))
        joining = asyncio.create_task(join_all(callers))
        killed = 0
        for _ in range(12):
            await asyncio.sleep(0.05)
            killed += await admin.fetchval(TERMINATE)
        healing.begin()
        answers = await joining
        healing.done()
        healing.times(killed)
    await admin.close()
    await all_is_well(cellar.urls.database_url, callers, answers)


@pytest.mark.parametrize("number", [signal.SIGKILL, pytest.param(signal.SIGINT, marks=pytest.mark.long)])
async def test_a_database_started_anew_under_a_crowd_costs_nobody_his_place(
    cellar: Cellar, upstairs: Terminal, healing: Healing, number: int
) -> None:
    with upstairs.serving() as server:
        callers = crowd(server.url, (cellar.number() for _ in range(CROWD)))
        joining = asyncio.create_task(join_all(callers))
        await asyncio.sleep(0.2)
        await cellar.stop_postgres(number)
        await asyncio.to_thread(cellar.start, cellar.postgres)
        healing.begin()
        answers = await joining
        healing.done()
    await all_is_well(cellar.urls.database_url, callers, answers)


@pytest.fixture
def tiny() -> Iterator[Path]:
    """A disk of its own, that a test may fill."""
    with tempfile.TemporaryDirectory() as place:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}m,mode=755", "zamu-tiny", place]
        if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("only root can mount a disk that a test may fill")
        try:
            yield Path(place)
        finally:
            subprocess.run(["umount", "--lazy", place], check=True)


async def test_a_full_disk_gives_nobody_half_a_place_and_with_room_again_everybody_has_one(
    tiny: Path, tmp_path: Path, healing: Healing
) -> None:
    """PostgreSQL, its log, Valkey, the spool and our own log are all on it."""
    with embedded.start(tiny, durable=False) as urls:
        await furnish(urls.database_url)
        terminal = Terminal(outside(urls.database_url, urls.redis_url) | {"ZAMU_DATA_DIR": str(tiny / "own")}, tmp_path)
        with terminal.serving() as server:
            before = crowd(server.url, ("+254711200" + str(100 + n) for n in range(CROWD)))
            answers = await join_all(before)
            fill(tiny / "rubbish")
            callers = crowd(server.url, ("+254711300" + str(100 + n) for n in range(CROWD)))
            for caller in callers:
                await caller.dial()
                for _ in range(2):
                    if not caller.screen.over:
                        await caller.press("1")
            told = [caller for caller in callers if caller.screen.label]
            assert len(told) < len(callers)  # so there was no room
            (tiny / "rubbish").unlink()
            healing.begin()
            await asyncio.to_thread(_revive, Postgres(Folder(tiny, tiny / "run", durable=False)))
            async with await connect(urls.database_url, size=1) as pool:
                assert await traces(pool, told) == [ALL] * len(told)
            answers += await join_all(callers)
            healing.done()
            await insist(before[0], before[0].again)
        await all_is_well(urls.database_url, before + callers, answers)


def fill(path: Path) -> None:
    """To the last byte."""
    with path.open("wb", buffering=0) as rubbish:
        size = 1 << 20
        while size:
            try:
                rubbish.write(bytes(size))
            except OSError:
                size //= 2


def _revive(postgres: Postgres) -> None:
    """As whatever supervises it does; it may have given up, or be recovering."""
    postgres.begin()
    postgres.wait()
