"""The embedded servers: kept, shared, adopted, stopped, and clear about why they cannot run."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from db import embedded
from db.embedded.postgres import BIN

NOBODY = 65534
ROOT = os.geteuid() == 0
USER = """
    import os, sys
    from pathlib import Path
    from db import embedded

    if len(sys.argv) > 2:
        os.setgroups([])
        os.setgid(int(sys.argv[2]))
        os.setuid(int(sys.argv[2]))
    try:
        with embedded.start(Path(sys.argv[1]), durable=False):
            print("ready", flush=True)
            sys.stdin.read()
    except embedded.EmbeddedError as error:
        print(error, flush=True)
"""


@pytest.fixture
def folder(quick_place: Path | None) -> Iterator[Path]:
    """A data folder with a short path, inside one that only its owner may enter."""
    with tempfile.TemporaryDirectory(dir=quick_place) as place:
        yield Path(place) / "data"


@pytest.fixture
def users() -> Iterator[list[subprocess.Popen[str]]]:
    """Processes to end, whatever a test did with them."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.communicate()


def use(users: list[subprocess.Popen[str]], folder: Path, *uid: int) -> str:
    """Another process that uses the servers until its input ends; returns what it said first."""
    command = [sys.executable, "-c", textwrap.dedent(USER), str(folder), *map(str, uid)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    users.append(process)
    assert process.stdout is not None
    return process.stdout.readline().strip()


def running(folder: Path) -> set[str]:
    """The servers that live, by the locks that they hold."""
    alive = set()
    for path in folder.glob("*.lock"):
        with path.open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                alive.add(path.stem)
    return alive & {"postgresql", "valkey"}


def postmaster(folder: Path) -> int:
    return int((folder / "postgres" / "postmaster.pid").read_text().split()[0])


async def remember(servers: embedded.Servers, word: str) -> None:
    connection = await asyncpg.connect(servers.database_url)
    await connection.execute("create table if not exists words (word text)")
    await connection.execute("insert into words values ($1)", word)
    await connection.close()
    async with Redis.from_url(servers.redis_url) as redis:
        await redis.rpush("words", word)


async def remembered(servers: embedded.Servers) -> list[str]:
    connection = await asyncpg.connect(servers.database_url)
    words = [row["word"] for row in await connection.fetch("select word from words")]
    await connection.close()
    async with Redis.from_url(servers.redis_url, decode_responses=True) as redis:
        assert await redis.lrange("words", 0, -1) == words
    return words


async def test_what_was_written_is_there_after_a_restart(folder: Path) -> None:
    with embedded.start(folder) as servers:
        await remember(servers, "first")
    with embedded.start(folder) as servers:
        await remember(servers, "second")
        assert await remembered(servers) == ["first", "second"]


async def test_nothing_listens_on_the_network(folder: Path) -> None:
    with embedded.start(folder, durable=False) as servers:
        connection = await asyncpg.connect(servers.database_url)
        assert await connection.fetchval("show listen_addresses") == ""
        await connection.close()
        async with Redis.from_url(servers.redis_url) as redis:
            assert (await redis.config_get("port"))["port"] == "0"


def test_the_last_of_two_processes_stops_the_servers(folder: Path, users: list[subprocess.Popen[str]]) -> None:
    assert use(users, folder) == "ready"
    server = postmaster(folder)
    assert use(users, folder) == "ready"
    assert postmaster(folder) == server
    users[0].communicate()
    assert running(folder) == {"postgresql", "valkey"}
    users[1].communicate()
    assert running(folder) == set()


def test_many_processes_at_once_start_one_pair_of_servers(folder: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(USER), str(folder)]
    pipe = subprocess.PIPE
    processes = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(4)]
    assert [process.communicate()[0] for process in processes] == ["ready\n"] * 4
    assert running(folder) == set()


async def test_servers_of_a_killed_process_are_adopted(folder: Path, users: list[subprocess.Popen[str]]) -> None:
    assert use(users, folder) == "ready"
    server = postmaster(folder)
    users[0].kill()
    users[0].communicate()
    assert running(folder) == {"postgresql", "valkey"}
    with embedded.start(folder, durable=False) as servers:
        assert postmaster(folder) == server
        await remember(servers, "adopted")
    assert running(folder) == set()


async def test_a_killed_server_is_started_again_by_the_next_process(folder: Path) -> None:
    with embedded.start(folder) as servers:
        await remember(servers, "kept")
        async with Redis.from_url(servers.redis_url) as redis:
            valkey = (await redis.info("server"))["process_id"]
        os.kill(postmaster(folder), signal.SIGKILL)
        os.kill(valkey, signal.SIGKILL)
        with embedded.start(folder) as again:
            assert await remembered(again) == ["kept"]


async def test_a_stale_pid_file_that_names_a_living_stranger_is_no_obstacle(folder: Path) -> None:
    with embedded.start(folder, durable=False) as servers:
        await remember(servers, "kept")
        left_behind = (folder / "postgres" / "postmaster.pid").read_text().split("\n", 1)[1]
    stranger = f"{os.getppid()}\n"
    (folder / "postgres" / "postmaster.pid").write_text(stranger + left_behind)
    (folder / "run" / ".s.PGSQL.5432.lock").write_text(stranger + left_behind)
    (folder / "run" / ".s.PGSQL.5432").touch()
    with embedded.start(folder, durable=False) as servers:
        connection = await asyncpg.connect(servers.database_url)
        assert await connection.fetchval("select word from words") == "kept"
        await connection.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_stops_the_servers(folder: Path, users: list[subprocess.Popen[str]], number: signal.Signals) -> None:
    assert use(users, folder) == "ready"
    assert os.getsid(postmaster(folder)) == postmaster(folder)  # Ctrl-C in the terminal is not for it
    users[0].send_signal(number)
    users[0].wait()
    assert running(folder) == set()


def test_a_folder_that_cannot_be_written_is_named(folder: Path) -> None:
    folder.touch()
    with pytest.raises(embedded.EmbeddedError, match=r"ZAMU_DATA_DIR") as error, embedded.start(folder):
        pass
    assert str(folder) in str(error.value)


def test_data_of_another_postgresql_is_left_alone(folder: Path) -> None:
    (folder / "postgres").mkdir(parents=True)
    (folder / "postgres" / "PG_VERSION").write_text("17\n")
    with (
        pytest.raises(embedded.EmbeddedError, match=r"made by PostgreSQL 17, and this Zamu brings 18"),
        embedded.start(folder),
    ):
        pass
    assert running(folder) == set()
    assert [path.name for path in (folder / "postgres").iterdir()] == ["PG_VERSION"]


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    with embedded.start(folder, durable=False):
        pass
    (folder / "postgres" / "global" / "pg_control").unlink()
    with pytest.raises(embedded.EmbeddedError, match=r"did not start.*pg_control"), embedded.start(folder):
        pass
    assert running(folder) == set()


def test_half_a_database_is_made_anew(folder: Path) -> None:
    (folder / "postgres.new" / "base").mkdir(parents=True)
    with embedded.start(folder, durable=False):
        assert not (folder / "postgres.new").exists()


@pytest.mark.parametrize("name", ["long" * 30, 'it\'s, "odd": a name'])
async def test_any_name_of_a_folder_will_do(folder: Path, name: str) -> None:
    for word in ("first", "second"):
        with embedded.start(folder / name) as servers:
            await remember(servers, word)
            assert word in await remembered(servers)


@pytest.mark.skipif(not ROOT, reason="only root can be somebody else")
class TestAsRoot:
    async def test_the_database_runs_as_nobody_under_a_home_that_only_root_enters(self, folder: Path) -> None:
        with embedded.start(folder, durable=False) as servers:
            await remember(servers, "kept")
            assert Path(f"/proc/{postmaster(folder)}").stat().st_uid == NOBODY
            assert (folder / "postgres").stat().st_uid == NOBODY
            assert folder.stat().st_uid == 0
        assert folder.parent.stat().st_mode & 0o777 == 0o700

    @pytest.mark.skipif(
        any(not path.stat().st_mode & 0o001 for path in BIN.resolve().parents),
        reason="the binaries lie where only root can go",
    )
    def test_a_folder_is_shared_between_root_and_its_owner(
        self, folder: Path, users: list[subprocess.Popen[str]]
    ) -> None:
        folder.parent.chmod(0o755)
        folder.mkdir()
        os.chown(folder, NOBODY, NOBODY)
        assert use(users, folder) == "ready"
        users[0].communicate()
        assert use(users, folder, NOBODY) == "ready"
        assert use(users, folder) == "ready"
        users[1].communicate()
        assert running(folder) == {"postgresql", "valkey"}
        users[2].communicate()
        assert running(folder) == set()

    def test_a_folder_of_root_is_refused_to_others(self, folder: Path, users: list[subprocess.Popen[str]]) -> None:
        folder.parent.chmod(0o755)
        folder.mkdir(0o700)
        assert "Permission denied" in use(users, folder, NOBODY)
