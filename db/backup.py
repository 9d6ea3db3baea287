"""Backups: copies of a running PostgreSQL, checked, thrown away when old; and a new data folder made of one."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

import asyncpg

from db import embedded
from db.embedded.archive import LOG, recovering
from db.embedded.postgres import BIN, Postgres
from db.embedded.server import Folder, environment

KEPT = timedelta(days=35)
NAMED = "%Y%m%dT%H%M%SZ"
START = re.compile(r"^START WAL LOCATION: .* \(file ([0-9A-F]{24})\)$", re.MULTILINE)
TOO_SHORT = "recovery ended before configured recovery target was reached"


class BackupError(Exception):
    """No backup was made, or nothing restored; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Base:
    """A copy of a whole server, as it was when the copy was complete."""

    path: Path
    at: datetime


class Recovering(Postgres):
    """Goes through the log first, however long that takes."""

    ready_seconds = 24 * 3600


async def take(url: str, backups: Path) -> Base:
    """Copy the running server to `backups`, read the copy again to be sure of it. Raises BackupError."""
    try:
        (backups / "base").mkdir(mode=0o700, parents=True, exist_ok=True)
        with (backups / "backup.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return await _take(url, backups / "base")
    except BlockingIOError:
        raise BackupError(f"Another backup to {backups} is being made. Nothing was done. Wait for it.") from None
    except OSError as error:
        raise BackupError(f"{backups} cannot be written: {error.strerror}. No backup was made.") from None


async def _take(url: str, bases: Path) -> Base:
    part = bases / "part"
    if part.exists():
        shutil.rmtree(part)  # of a backup that was killed
    where, password = apart(url)
    _run(
        "pg_basebackup",
        f"--dbname={where}",
        f"--pgdata={part}",
        "--checkpoint=fast",
        "--wal-method=stream",
        "--no-password",
        PGPASSWORD=password,
    )
    _run("pg_verifybackup", "--quiet", str(part))
    connection = await asyncpg.connect(url)
    try:
        at: datetime = await connection.fetchval("select clock_timestamp()")  # the log tells time by this clock
    finally:
        await connection.close()
    # In whole seconds, and never earlier than the copy was complete.
    at = at.replace(microsecond=0) + timedelta(seconds=1)
    return Base(part.rename(bases / at.strftime(NAMED)), at)


def apart(url: str) -> tuple[str, str]:
    """The address without its password, and the password: a command line can be read by everybody on the machine."""
    parts = urlsplit(url)
    login, at, hosts = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    return urlunsplit(parts._replace(netloc=f"{user}{at}{hosts}")), unquote(password)


def _run(name: str, *options: str, **environ: str) -> None:
    command = [str(BIN / name), *options]
    try:
        subprocess.run(command, env=environment() | environ, capture_output=True, check=True, text=True)  # noqa: S603
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip().splitlines()
        raise BackupError(f"No backup was made: {said[-1] if said else f'{name} failed'}.") from None


def bases(backups: Path) -> list[Base]:
    """The complete copies, the oldest first."""
    paths = sorted((backups / "base").glob("*Z"))
    return [Base(path, datetime.strptime(path.name, NAMED).replace(tzinfo=UTC)) for path in paths]


def prune(backups: Path) -> int:
    """Throw away copies older than KEPT, but never the last one, and the log that only they need; how many copies."""
    old = [base for base in bases(backups)[:-1] if base.at < datetime.now(UTC) - KEPT]
    for base in old:
        shutil.rmtree(base.path)
    label = (bases(backups)[0].path / "backup_label").read_text()
    if (backups / LOG).is_dir() and (first := START.search(label)):
        _run("pg_archivecleanup", "--clean-backup-history", "-x", ".gz", str(backups / LOG), first[1])
    return len(old)


@contextmanager
def recovered(backups: Path, data_dir: Path, to: datetime | None) -> Iterator[str]:
    """A server in a new data folder, as it was at a moment or at the end of its log; gives where it is reached.

    Stopped at the end; the folder is then like any other. Raises BackupError, EmbeddedError.
    """
    base = _before(backups, to)
    folder = embedded.prepare(data_dir.absolute())
    moment = to.astimezone(UTC).isoformat(sep=" ") if to else None
    postgres = Recovering(folder, recovering(backups, moment))
    _copy(base, folder)
    try:
        postgres.begin()
        try:
            postgres.wait()
        except embedded.EmbeddedError:
            if TOO_SHORT not in postgres.log_file.read_text(errors="replace"):
                raise
            raise BackupError(
                f"The log in {backups} ends before {to}. Nothing was restored. Leave --to out for all that there is."
            ) from None
        yield embedded.database_url(folder)
    finally:
        postgres.ask_to_stop()
        postgres.wait_stopped()


def _before(backups: Path, to: datetime | None) -> Base:
    complete = bases(backups)
    fit = [base for base in complete if to is None or base.at <= to]
    if not complete:
        raise BackupError(f"There is no backup in {backups}. Nothing was restored.")
    if not fit:
        raise BackupError(f"The oldest backup in {backups} is of {complete[0].at}. Nothing was restored.")
    if to and not (backups / LOG).is_dir():
        raise BackupError(
            f"{backups} has no log, so it knows only the moment of each backup. Nothing was restored. Leave --to out."
        )
    return fit[-1]


def _copy(base: Base, folder: Folder) -> None:
    data = folder.path / "postgres"
    shutil.copytree(base.path, data, symlinks=True)
    (data / "recovery.signal").touch()
    data.chmod(0o700)
    if account := folder.account:
        for path in (data, *data.rglob("*")):
            os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
