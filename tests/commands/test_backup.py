"""`zamu backup` and `zamu restore`: back to any second, with those erased again who asked for it since."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from db import backup, embedded
from db.pool import Pool, connect
from queue_core import customers
from tests.disturbing import until
from tests.personal import everywhere
from tests.terminal import Terminal, refused
from tests.world import KEY, World, enter, phone

ARCHIVED = "select last_archived_wal >= $1 from pg_stat_archiver"
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class House:
    """A folder with servers that copy their log to another one, and a terminal there."""

    place: Path
    terminal: Terminal
    world: World

    @property
    def backups(self) -> Path:
        return self.place / "back ups, 100%"

    async def zamu(self, *words: str) -> str:
        done = await asyncio.to_thread(self.terminal.zamu, *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    async def clock(self) -> datetime:
        at: datetime = await self.world.pool.fetchval("select clock_timestamp()")
        return at

    async def next_second(self) -> datetime:
        """A whole second that nothing has happened after, and that is over now."""
        at = (await self.clock()).replace(microsecond=0) + SECOND
        while await self.clock() <= at:  # noqa: ASYNC110 - time wakes nobody
            await asyncio.sleep(0.05)
        return at

    async def copy_log(self) -> None:
        """All that has happened is in the archive."""
        await self.world.pool.execute("create table last (word text)")  # so that there is something to copy
        segment = await self.world.pool.fetchval("select pg_walfile_name(pg_switch_wal())")
        await until(self.world.pool, ARCHIVED, segment)


@pytest.fixture
def place(quick_place: Path | None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=quick_place) as name:
        yield Path(name)


@pytest.fixture
async def house(place: Path, tmp_path: Path) -> AsyncIterator[House]:
    live, backups = place / "live", place / "back ups, 100%"
    environ = {"ZAMU_DATA_DIR": str(live), "ZAMU_BACKUP_DIR": str(backups), "ZAMU_SECRET_KEY": KEY.decode()}
    terminal = Terminal(environ, tmp_path)
    with embedded.start(live, durable=False, backups=backups) as servers:
        assert terminal.zamu("seed").returncode == 0
        pool = await connect(servers.database_url)
        yield House(place, terminal, await enter(pool))
        await pool.close()


async def people(pool: Pool) -> list[str]:
    rows = await pool.fetch("select phone from tickets where phone is not null order by number")
    return [row["phone"] for row in rows]


async def test_a_restore_knows_the_ticket_of_the_second_before_and_not_the_one_after(house: House) -> None:
    world = house.world
    await world.line(3)
    assert "is complete and was checked" in await house.zamu("backup", str(house.backups))
    await world.line(1)
    moment = await house.next_second()
    await world.line(2)
    await customers.erase(world.core, world.customer(), phone(3), KEY)
    await house.copy_log()

    new = house.place / "new"
    said = await house.zamu("restore", str(house.backups), "--to", moment.isoformat(), "--into", str(new))
    assert "1 people were erased again" in said
    reached = datetime.fromisoformat(said.split(" is as it was at ")[1].split(";")[0])
    assert moment - timedelta(seconds=30) < reached <= moment
    with embedded.start(new, durable=False) as servers:
        pool = await connect(servers.database_url)
        assert await people(pool) == [phone(1)]
        assert await everywhere(pool, phone(3)) == set()
        assert await everywhere(pool, phone(2)) == set()
        await pool.close()
    assert await people(world.pool) == [phone(1), phone(2)]  # what lives was not touched


async def test_without_a_moment_all_that_there_is_comes_back(house: House) -> None:
    await house.zamu("backup", str(house.backups))
    await house.world.line(1)
    await house.copy_log()
    new = house.place / "new"
    await house.zamu("restore", str(house.backups), "--into", str(new))
    assert (new / "secrets.json").read_text() == (house.place / "live" / "secrets.json").read_text()
    with embedded.start(new, durable=False) as servers:
        pool = await connect(servers.database_url)
        assert await people(pool) == [phone(1)]
        await pool.close()


async def test_what_cannot_be_restored_is_said_and_leaves_nothing_behind(house: House) -> None:
    new = house.place / "new"

    def refusal(*words: str, **changed: str) -> str:
        return refused(house.terminal.zamu("restore", str(house.backups), *words, **changed))

    into = ("--into", str(new))
    assert refusal(*into).startswith("There is no backup in")
    before = await house.clock() - timedelta(minutes=1)
    await house.zamu("backup", str(house.backups))
    assert refusal("--into", str(house.place / "live")).endswith("Name a folder that is not.")
    assert refusal(*into, "--to", before.isoformat()).startswith("The oldest backup in")
    await house.copy_log()
    late = await house.clock() + timedelta(hours=1)
    assert refusal(*into, "--to", late.isoformat()).endswith("Leave --to out for all that there is.")
    assert "The secret key is not the one" in refusal(*into, ZAMU_SECRET_KEY="x" * 32)
    assert not new.exists()


async def test_a_broken_copy_is_no_backup(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(name: str, *options: str, **environ: str) -> None:
        if name == "pg_verifybackup":
            (Path(options[-1]) / "PG_VERSION").write_text("17\n")
        real(name, *options, **environ)

    real = backup._run  # noqa: SLF001 - between the copy and its check there is no other way in
    monkeypatch.setattr(backup, "_run", run)
    url = embedded.database_url(embedded.prepare(house.place / "live"))
    with pytest.raises(backup.BackupError, match="No backup was made"):
        await backup.take(url, house.backups)
    assert backup.bases(house.backups) == []


async def test_a_server_of_ones_own_is_copied_by_its_url(house: House) -> None:
    url = embedded.database_url(embedded.prepare(house.place / "live"))
    there = house.place / "elsewhere"
    said = await asyncio.to_thread(
        house.terminal.zamu, "backup", str(there), ZAMU_DATABASE_URL=url, ZAMU_REDIS_URL="redis://127.0.0.1:1",
        ZAMU_WEBHOOK_SECRET="w" * 16,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    (base,) = backup.bases(there)
    assert (base.path / "backup_manifest").exists()
    assert not (there / "secrets.json").exists()
    own = refused(house.terminal.zamu("restore", str(there), "--into", str(house.place / "new")))
    assert "holds backups of a PostgreSQL of your own" in own


async def test_without_a_log_a_backup_says_so_and_knows_its_own_moment_only(house: House) -> None:
    there = house.place / "elsewhere"
    await house.world.line(1)
    assert "What happens from now on is in no backup" in await house.zamu("backup", str(there))
    new = house.place / "new"
    to = (await house.clock() + timedelta(seconds=2)).isoformat()
    refusal = refused(house.terminal.zamu("restore", str(there), "--into", str(new), "--to", to))
    assert refusal.endswith("Leave --to out.")
    await house.zamu("restore", str(there), "--into", str(new))
    with embedded.start(new, durable=False) as servers:
        pool = await connect(servers.database_url)
        assert await people(pool) == [phone(1)]
        await pool.close()


async def test_old_copies_and_the_log_that_only_they_need_are_thrown_away(house: House) -> None:
    first = await backup.take(embedded.database_url(embedded.prepare(house.place / "live")), house.backups)
    await house.copy_log()
    aged = datetime.now(UTC) - backup.KEPT - timedelta(days=1)
    shutil.move(first.path, first.path.with_name(aged.strftime(backup.NAMED)))
    log = {path.name for path in (house.backups / "wal").iterdir()}
    assert "1 old ones were removed" in await house.zamu("backup", str(house.backups))
    assert len(backup.bases(house.backups)) == 1
    assert not log & {path.name for path in (house.backups / "wal").iterdir()}


def test_a_password_is_on_no_command_line() -> None:
    url = "postgresql://me:p%40ss@one.example.org:5432,[::1]:5433/zamu?sslmode=require"
    assert backup.apart(url) == ("postgresql://me@one.example.org:5432,[::1]:5433/zamu?sslmode=require", "p@ss")
    assert backup.apart("postgresql://zamu@/zamu?host=/run&port=5432") == (
        "postgresql://zamu@/zamu?host=/run&port=5432",
        "",
    )


@pytest.mark.parametrize("moment", ["yesterday", "2026-13-01", "12:00"])
def test_a_moment_is_a_date_and_a_time(tmp_path: Path, moment: str) -> None:
    wrong = Terminal({}, tmp_path).zamu("restore", "x", "--into", "y", "--to", moment)
    assert (wrong.returncode, "is not like '2026-03-21 14:05:09'" in wrong.stderr) == (2, True)
