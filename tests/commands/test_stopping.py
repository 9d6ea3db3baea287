"""SIGTERM and Ctrl-C: what is in hand is finished, nothing new is begun, and all is over within five seconds."""

from __future__ import annotations

import asyncio
import signal

import pytest

from telco_sim.exchange import send
from telco_sim.faults import SmsFault
from telco_sim.testing import RunningTelco
from tests.disturbing import WAITS_FOR_LOCK, line_held, until
from tests.terminal import SECRET, Terminal
from tests.world import World, phone

LONG = 12  # seconds: five are promised, and this machine may be busy
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: zamu\r\n\r\n"
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: zamu\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
STATUS = "select status from notifications where phone = $1 and status <> 'queued'"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_request_in_hand_is_answered(
    terminal: Terminal, world: World, database: str, telco: RunningTelco, number: int
) -> None:
    with terminal.serving() as server:
        telco.connect(ussd_url=f"{server.url}/hooks/africastalking/ussd/{SECRET}")
        caller = telco.phone(phone(1))
        await caller.dial("*384*40*4071#")
        await caller.press("1")
        async with line_held(database, world.queue_ids["A"]):
            joining = asyncio.create_task(caller.press("1"))
            await until(world.pool, WAITS_FOR_LOCK)
            stopping = asyncio.create_task(asyncio.to_thread(server.stop, number))
            await asyncio.to_thread(server.wait_for, "Shutting down")
        assert "Your number is A001" in (await joining).text
        status, seconds = await stopping
    assert status == 0
    assert seconds < LONG
    assert "Traceback" not in server.said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_text_in_hand_is_marked(
    terminal: Terminal, world: World, telco: RunningTelco, sender: dict[str, str], number: int
) -> None:
    telco.faults.sms.append(SmsFault(delay=1))
    await world.join(1)
    with terminal.running("worker", **sender) as worker:
        await until(world.pool, STATUS, phone(1))
        status, seconds = await asyncio.to_thread(worker.stop, number)
    assert await world.pool.fetchval(STATUS, phone(1)) == "sent"
    assert status == 0
    assert seconds < LONG
    assert "Traceback" not in worker.said


@pytest.mark.parametrize("asked", [False, True])
async def test_who_asks_by_a_connection_that_was_idle_at_the_stop_is_answered(
    terminal: Terminal, *, asked: bool
) -> None:
    """As a proxy does, which has just made it for him, or kept it from a request before."""
    with terminal.serving() as server:
        host, port = server.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        if asked:
            writer.write(HEALTH)
            assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200 OK")
        assert (await send("GET", f"{server.url}/healthz", b"", {})).status == 200  # so the one before was accepted
        stopping = asyncio.create_task(asyncio.to_thread(server.stop))
        await asyncio.to_thread(server.wait_for, "Shutting down")
        writer.write(HEALTH)
        answer = await reader.read()  # and the end: nobody should ask by it again
        writer.close()
        status, seconds = await stopping
    assert answer.startswith(b"HTTP/1.1 200 OK"), answer
    assert b"connection: close" in answer
    assert status == 0
    assert seconds < LONG


async def test_a_socket_that_comes_at_the_stop_holds_nothing_up(terminal: Terminal) -> None:
    with terminal.serving() as server:
        host, port = server.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        assert (await send("GET", f"{server.url}/healthz", b"", {})).status == 200
        stopping = asyncio.create_task(asyncio.to_thread(server.stop))
        await asyncio.to_thread(server.wait_for, "Shutting down")
        writer.write(UPGRADE)
        assert await reader.read() == b""
        writer.close()
        assert (await stopping)[0] == 0
        assert "exceeded" not in server.said
