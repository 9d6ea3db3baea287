"""A real PostgreSQL and a real Valkey inside one folder, for whoever has no servers of their own."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
from pathlib import Path
from types import FrameType
from typing import IO
from urllib.parse import quote

from db.embedded.archive import archiving
from db.embedded.postgres import Postgres
from db.embedded.server import EmbeddedError, Folder, Server
from db.embedded.valkey import Valkey

__all__ = ["EmbeddedError", "Servers", "database_url", "prepare", "start"]

# A socket's address holds 103 bytes on macOS and 107 on Linux; ".s.PGSQL.5432" takes fourteen of them.
LONGEST_SOCKET_FOLDER = 86
# PostgreSQL and asyncpg take several folders or hosts in one word, parted by these.
SEPARATORS = set(",:\"'")
# Another process may be making the database, or stopping it: both are done in seconds.
TURN_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the running servers are reached: over sockets in the file system, never over the network."""

    database_url: str
    redis_url: str


@contextmanager
def start(data_dir: Path, *, durable: bool = True, backups: Path | None = None) -> Iterator[Servers]:
    """Run both servers in `data_dir` until the last process that uses them leaves this context.

    Every user holds a shared lock that dies with it, even by `kill -9`; servers left behind that way are
    adopted by the next. SIGTERM and SIGHUP leave the context too. `durable=False` never waits for the
    disk, for tests. `backups` is a folder to which PostgreSQL copies its log. Raises EmbeddedError with one
    sentence for people.
    """
    with _plain_words(data_dir):
        folder = prepare(data_dir.absolute(), durable=durable)
        log = archiving(backups) if backups else {}
    servers = [Valkey(folder), Postgres(folder, log)]
    with _leaving_on_signals(), (folder.path / "users.lock").open("a") as users:
        with _turn(folder):
            flock(users, LOCK_SH)
            try:
                with _plain_words(data_dir):
                    _start(servers)
            except BaseException:
                _stop_if_last(users, servers)
                raise
        try:
            yield Servers(database_url(folder), f"unix://{quote(str(folder.run / 'valkey.sock'))}?db=0")
        finally:
            with _turn(folder):
                _stop_if_last(users, servers)


def _start(servers: list[Server]) -> None:
    for server in servers:
        server.begin()
    for server in servers:
        server.wait()


def _stop_if_last(users: IO[str], servers: list[Server]) -> None:
    try:
        flock(users, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        return
    for server in servers:
        server.ask_to_stop()
    for server in servers:
        server.wait_stopped()


@contextmanager
def _turn(folder: Folder) -> Iterator[None]:
    """Starting and stopping is for one process at a time."""
    deadline = time.monotonic() + TURN_SECONDS
    with (folder.path / "turn.lock").open("a") as lock:
        while True:
            try:
                flock(lock, LOCK_EX | LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise EmbeddedError(
                        f"Another process has been starting or stopping the servers in {folder.path} for"
                        f" {TURN_SECONDS} seconds. Nothing was changed. End that process, then try again."
                    ) from None
                time.sleep(0.01)
        yield


@contextmanager
def _leaving_on_signals() -> Iterator[None]:
    """By default these two signals end Python without leaving any context, and the servers would stay."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours = [n for n in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) is signal.SIG_DFL]
    for number in ours:
        signal.signal(number, _leave)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


@contextmanager
def _plain_words(data_dir: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EmbeddedError(
            f"Zamu cannot keep its data in {data_dir}: {error.strerror}, at {error.filename or data_dir}."
            " Nothing was started. Make that folder writable for you, or set ZAMU_DATA_DIR to one that is."
        ) from None


def prepare(data_dir: Path, *, durable: bool = True) -> Folder:
    """The folder that servers may run in, made if it is not there."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = Folder(data_dir, _socket_folder(data_dir), durable)
    for name in ("users.lock", "turn.lock"):
        (data_dir / name).touch(mode=0o600)
    for made in (data_dir / "users.lock", data_dir / "turn.lock", folder.run):
        folder.give(made)
    return folder


def _socket_folder(data_dir: Path) -> Path:
    """`run` inside the data folder; where no socket's address can hold its path, a link to a short folder."""
    run = data_dir / "run"
    if len(os.fsencode(run)) <= LONGEST_SOCKET_FOLDER and not set(str(run)) & SEPARATORS:
        run.mkdir(mode=0o700, exist_ok=True)
        return run
    if not run.is_dir():
        run.unlink(missing_ok=True)  # the system's temporary folder was emptied
        run.symlink_to(tempfile.mkdtemp(prefix="zamu-"))
    return run.readlink()


def database_url(folder: Folder) -> str:
    # The port names the socket. It is said here so that a PGPORT in the environment does not count.
    return f"postgresql://zamu@/zamu?host={quote(str(folder.run))}&port=5432"
