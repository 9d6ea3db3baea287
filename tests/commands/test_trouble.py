"""Whatever keeps a command from its work is one clear sentence with exit status 1, and never a stack trace."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path

import asyncpg
import pytest

from tests.terminal import Terminal, outside, refused
from tests.world import World, phone


@pytest.fixture
def alone(tmp_path: Path) -> Terminal:
    """A terminal whose servers are not there."""
    return Terminal(outside("postgresql://zamu@127.0.0.1:1/zamu", "redis://127.0.0.1:1"), tmp_path)


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("ZAMU_SECRET_KEY", "", "ZAMU_SECRET_KEY is not set. Nothing was started."),
        ("ZAMU_WEBHOOK_SECRET", "", "ZAMU_WEBHOOK_SECRET is not set. Nothing was started."),
        ("ZAMU_DATABASE_URL", "mysql://zamu@localhost/zamu", "ZAMU_DATABASE_URL is not like postgresql://"),
        ("ZAMU_DATABASE_URL", "postgresql://localhost/zamu?sslmode=perhaps", "The database does not serve us (`ssl"),
        ("ZAMU_DATABASE_URL", "postgresql://no-such-host.invalid/zamu", "The database does not serve us ("),
    ],
)
def test_missing_or_wrong_settings_start_nothing(alone: Terminal, setting: str, value: str, sentence: str) -> None:
    assert refused(alone.zamu("serve", **{setting: value})).startswith(sentence)


@pytest.mark.parametrize("words", ["queue list", "seed", "migrate", "worker"])
def test_without_a_database_nothing_is_changed(alone: Terminal, words: str) -> None:
    said = refused(alone.zamu(*words.split()))
    assert said.startswith("The database does not serve us (")
    assert said.endswith("Nothing was changed. `zamu doctor` says more.")


async def test_a_wrong_name_of_the_database_is_said(terminal: Terminal, database: str) -> None:
    nowhere = database.replace("/world", "/no_such_world")
    assert "does not exist" in refused(terminal.zamu("queue", "list", ZAMU_DATABASE_URL=nowhere))


async def test_a_line_that_is_locked_for_long_is_not_waited_for(
    terminal: Terminal, world: World, database: str
) -> None:
    holder = await asyncpg.connect(database)
    async with holder.transaction():
        await holder.execute("select from queues where id = $1 for update", world.queue_ids["A"])
        done = await asyncio.to_thread(terminal.zamu, "ticket", "join", "4071/A", phone(1))
    await holder.close()
    assert refused(done) == (
        "The database does not serve us (canceling statement due to lock timeout). Nothing was changed."
        " `zamu doctor` says more."
    )
    assert await world.ticket(1) is None


async def test_redis_is_not_needed_to_work_the_line(terminal: Terminal) -> None:
    done = terminal.zamu("ticket", "join", "4071/A", phone(1), "--json", ZAMU_REDIS_URL="redis://127.0.0.1:1")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("words", ["serve", "demo", "queue list"])
def test_a_folder_that_cannot_be_written_is_named(alone: Terminal, tmp_path: Path, words: str) -> None:
    (tmp_path / "file").touch()
    folder = str(tmp_path / "file" / "data")
    embedded = {"ZAMU_DATABASE_URL": "", "ZAMU_REDIS_URL": "", "ZAMU_DATA_DIR": folder}
    with_secrets = refused(alone.zamu(*words.split(), **embedded))
    without = refused(alone.zamu(*words.split(), **embedded, ZAMU_SECRET_KEY=""))
    assert with_secrets.startswith(f"Zamu cannot keep its data in {folder}: Not a directory")
    assert without.startswith(f"{folder}/secrets.json cannot be read or written: Not a directory.")


@pytest.mark.parametrize("words", ["serve --port {port}", "demo --port {port}", "demo --telco-port {port}"])
def test_a_port_that_is_taken_is_named_before_anything_starts(alone: Terminal, tmp_path: Path, words: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = refused(alone.zamu(*words.format(port=port).split(), ZAMU_DATA_DIR=str(tmp_path / "data")))
    assert said.startswith(f"Port {port} at 127.0.0.1 cannot be used: Address already in use. Nothing was started.")
    assert not (tmp_path / "data").exists()


def test_an_address_that_is_not_ours_is_named(alone: Terminal) -> None:
    said = refused(alone.zamu("serve", "--host", "no-such-host.invalid"))
    assert said.startswith("Port 8000 at no-such-host.invalid cannot be used:")


def test_a_phone_without_a_telco_says_how_to_get_one(alone: Terminal) -> None:
    began = time.monotonic()
    said = alone.zamu("phone", "--telco", "http://127.0.0.1:1")
    assert (said.returncode, "No telco answers" in said.stdout + said.stderr) == (1, True)
    assert time.monotonic() - began < 30
