"""The demo world on servers embedded in a folder, which all commands there share."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from db import embedded
from db.pool import Pool, connect
from telco_sim.faults import SmsFault
from telco_sim.testing import Handset, RunningTelco
from tests.disturbing import PATIENCE, until
from tests.terminal import Process, Terminal
from tests.world import phone

TOO_LONG = (
    7  # seconds to stop: five are promised, and almost all of it is waiting; one after the other it would be eight
)
HANDED_OVER = "select exists (select from notifications where phone = $1 and status = 'sending')"


@pytest.fixture(scope="module")
def folder(quick_place: Path | None) -> Iterator[Path]:
    """Servers run here before and after each command, so that none waits for them to start."""
    with tempfile.TemporaryDirectory(dir=quick_place) as name, embedded.start(Path(name), durable=False):
        assert Terminal({"ZAMU_DATA_DIR": name}, Path(name)).zamu("seed").returncode == 0
        yield Path(name)


@pytest.fixture
def here(folder: Path, tmp_path: Path, sender: dict[str, str]) -> Terminal:
    return Terminal({"ZAMU_DATA_DIR": str(folder), **sender}, tmp_path)


@pytest.fixture
async def pool(folder: Path) -> AsyncIterator[Pool]:
    pool = await connect(f"postgresql://zamu@/zamu?host={folder}/run&port=5432", size=2)
    yield pool
    await pool.close()


def secret(folder: Path) -> str:
    return str(json.loads((folder / "secrets.json").read_text())["webhook_secret"])


def call(telco: RunningTelco, server: Process, folder: Path) -> None:
    """From now on the telco calls this server."""
    hooks, last = f"{server.url}/hooks/africastalking", secret(folder)
    telco.connect(ussd_url=f"{hooks}/ussd/{last}", delivery_url=f"{hooks}/delivery/{last}")


async def join(caller: Handset, *keys: str) -> str:
    """The number on the last screen."""
    await caller.dial("*384*40*4071#")
    for key in keys:
        await caller.press(key)
    return caller.screen.text.split("Your number is ")[1].split()[0].rstrip(".")


def children(process: Process) -> set[int]:
    listed = subprocess.run(["pgrep", "-P", str(process.process.pid)], capture_output=True, text=True, check=False)
    return set(map(int, listed.stdout.split()))


async def test_a_command_wakes_the_server_beside_it(here: Terminal, folder: Path, telco: RunningTelco) -> None:
    with here.serving() as server:
        call(telco, server, folder)
        caller = telco.phone(phone(1))
        label = await join(caller, "1", "1")
        await caller.wait_for_text(f"your number is {label}")
        called = await asyncio.to_thread(here.ask, "queue", "call-next", "4071/A")
        assert called["ticket"] == label
        await caller.wait_for_text("IT IS YOUR TURN")


async def test_several_web_processes_answer_and_one_beside_them_sends(
    here: Terminal, folder: Path, telco: RunningTelco
) -> None:
    with here.serving("--workers", "2") as server:
        call(telco, server, folder)
        await asyncio.to_thread(server.wait_for, "Sending texts.")
        first, second = telco.phone(phone(2)), telco.phone(phone(3))
        await first.wait_for_text(f"your number is {await join(first, '2', '1')}")

        web = {int(line["message"].split("[")[1][:-1]) for line in server.logged if "server process" in line["message"]}
        (worker,) = [pid for pid in children(server) - web if "worker" in Path(f"/proc/{pid}/cmdline").read_text()]
        os.kill(worker, signal.SIGKILL)
        await second.wait_for_text(f"your number is {await join(second, '2', '1')}", within=60)

        everybody = children(server)
        status, seconds = await asyncio.to_thread(server.stop)
    assert status == 0
    assert seconds < TOO_LONG
    async with asyncio.timeout(PATIENCE):  # multiprocessing has a process that ends just after its parent
        while any(Path(f"/proc/{pid}").exists() for pid in everybody):  # noqa: ASYNC110 - strangers wake nobody
            await asyncio.sleep(0.01)
    assert "Traceback" not in server.said


async def test_nothing_that_hangs_holds_up_the_end(
    here: Terminal, folder: Path, telco: RunningTelco, pool: Pool
) -> None:
    """A caller who never finishes his request, and a provider that never answers, whom the SDK gives ten seconds."""
    telco.faults.sms.append(SmsFault(ending="hang"))
    with here.serving() as server:
        call(telco, server, folder)
        await join(telco.phone(phone(4)), "3", "1")
        await until(pool, HANDED_OVER, phone(4))
        host, port = server.url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        head = (
            f"POST /ussd/inbound HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nX-Webhook-Secret: {secret(folder)}\r\n\r\n"
        )
        writer.write(head.encode())
        await writer.drain()
        async with httpx.AsyncClient() as client:
            await client.get(f"{server.url}/healthz")  # what came before it was taken up
        status, seconds = await asyncio.to_thread(server.stop)
        writer.close()
    assert status == 0
    assert seconds < TOO_LONG
    assert "texts were handed over and not answered: they become unknown" in server.said
    assert await pool.fetchval(HANDED_OVER, phone(4))


def test_a_first_start_makes_all_it_needs_and_leaves_nothing_running(quick_place: Path | None, tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(dir=quick_place) as place:
        folder = Path(place, "data")
        terminal = Terminal({"ZAMU_DATA_DIR": str(folder)}, tmp_path)
        with terminal.serving() as server:
            kept = folder / "secrets.json"
            assert stat.S_IMODE(kept.stat().st_mode) == 0o600
            assert json.loads(kept.read_text())["webhook_secret"] not in server.said
            assert httpx.get(f"{server.url}/readyz").json() == {"status": "ok", "database": "ok", "redis": "ok"}
            assert server.stop()[0] == 0
        assert not (folder / "postgres" / "postmaster.pid").exists()
        assert not any((folder / "run").iterdir())
