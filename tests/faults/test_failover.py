"""PostgreSQL dies and its replica takes over: with synchronous replication no join that was acknowledged is lost."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from db import embedded
from db.embedded.postgres import BIN, Postgres
from db.embedded.server import Folder, Server, environment
from db.embedded.valkey import Valkey
from tests.faults.conftest import furnish
from tests.faults.crowd import crowd, join_all
from tests.faults.healing import Healing
from tests.faults.traces import all_is_well
from tests.terminal import Terminal, outside
from tests.world import phone

NAME = "replica"
CAUGHT_UP = "select exists (select from pg_stat_replication where sync_state = 'sync' and state = 'streaming')"
CROWD = 24


@dataclass(frozen=True, slots=True)
class Pair:
    """A primary whose commits wait for its replica. `url` names both, and leads to whichever can be written to."""

    primary: Postgres
    replica: Postgres
    url: str
    redis_url: str

    async def fail_over(self) -> None:
        """The primary is gone at once and for good, and somebody promotes the replica."""
        data = self.primary.folder.path / "postgres"
        os.kill(int((data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        connection = await asyncpg.connect(embedded.database_url(self.replica.folder))
        await connection.execute("alter system set synchronous_standby_names = ''")  # there is no third
        await connection.execute("select pg_promote(), pg_reload_conf()")
        await connection.close()


@pytest.fixture
def pair(quick_place: Path | None) -> Iterator[Pair]:
    with (
        tempfile.TemporaryDirectory(dir=quick_place) as one,
        tempfile.TemporaryDirectory(dir=quick_place) as two,
    ):
        folders = [embedded.prepare(Path(place)) for place in (one, two)]
        primary, replica = (Postgres(folder, {"max_wal_senders": "4"}) for folder in folders)
        started: list[Server] = []
        try:
            _start(primary, started)
            asyncio.run(furnish(embedded.database_url(folders[0])))
            _copy(folders[0], folders[1])
            _start(replica, started)
            asyncio.run(_wait_for_replica(embedded.database_url(folders[0])))
            _start(valkey := Valkey(folders[0]), started)
            hosts = ",".join(str(folder.run) for folder in folders)
            url = f"postgresql://zamu@/zamu?host={hosts}&port=5432,5432&target_session_attrs=read-write"
            yield Pair(primary, replica, url, f"unix://{valkey.folder.run}/valkey.sock?db=0")
        finally:
            for server in reversed(started):
                server.ask_to_stop()
                server.wait_stopped()


def _start(server: Server, started: list[Server]) -> None:
    started.append(server)
    server.begin()
    server.wait()


def _copy(source: Folder, target: Folder) -> None:
    """A base backup that follows its primary from then on."""
    data = target.path / "postgres"
    url = f"host={source.run} port=5432 user=zamu application_name={NAME}"
    command = [
        str(BIN / "pg_basebackup"),
        f"--dbname={url}",
        f"--pgdata={data}",
        "--checkpoint=fast",
        "-R",
        "--no-sync",
    ]
    subprocess.run(command, env=environment(), capture_output=True, check=True)
    data.chmod(0o700)
    if account := target.account:
        for path in (data, *data.rglob("*")):
            shutil.chown(path, account.pw_uid, account.pw_gid)


async def _wait_for_replica(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(f"alter system set synchronous_standby_names = '{NAME}'")
    await connection.execute("select pg_reload_conf()")
    async with asyncio.timeout(30):
        while not await connection.fetchval(CAUGHT_UP):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.05)
    await connection.close()


async def test_no_join_that_was_acknowledged_is_lost_when_the_replica_takes_over(
    pair: Pair, tmp_path: Path, healing: Healing
) -> None:
    with Terminal(outside(pair.url, pair.redis_url), tmp_path).serving() as server:
        before = crowd(server.url, map(phone, range(1, CROWD + 1)))
        heard = await join_all(before)
        during = crowd(server.url, map(phone, range(101, 101 + CROWD)))
        joining = asyncio.create_task(join_all(during))
        await asyncio.sleep(0.2)
        await pair.fail_over()
        healing.begin()
        heard += await joining
        healing.done()
    await all_is_well(embedded.database_url(pair.replica.folder), before + during, heard)


@pytest.mark.long
async def test_without_the_replica_a_join_is_not_acknowledged_until_it_is_back(
    pair: Pair, tmp_path: Path, healing: Healing
) -> None:
    """What makes the promise good: a commit that only one machine has is nobody's answer."""
    with Terminal(outside(pair.url, pair.redis_url), tmp_path).serving() as server:
        (caller,) = crowd(server.url, [phone(1)])
        await caller.dial()
        await caller.press("1")
        pair.replica.ask_to_stop()
        await asyncio.to_thread(pair.replica.wait_stopped)
        assert (await caller.press("1")).over
        assert caller.screen.label is None
        await asyncio.to_thread(_start, pair.replica, [])
        healing.begin()
        answers = await join_all([caller])
        healing.done()
    await all_is_well(embedded.database_url(pair.primary.folder), [caller], answers)
