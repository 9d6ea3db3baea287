"""Live updates: how soon a call is on every open socket, and what a socket costs."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import secrets
import time
from pathlib import Path
from statistics import quantiles
from typing import cast

import redis.asyncio
import uvloop

from announcer import Announcer
from bench import http
from db import embedded
from db.pool import connect
from queue_core import calling, queues, tickets
from queue_core.core import Act, Core

SOCKETS = 2000
AT_ONCE = 100  # that connect at the same time
CALLS = 40
PAUSE = 0.25  # seconds between calls, so that each meets a quiet server
PATIENCE = 30.0


def _frame(message: dict[str, str]) -> bytes:
    """A client's text frame; its mask is all zeros, which hides nothing and is allowed."""
    body = json.dumps(message).encode()
    return bytes((0x81, 0x80 | len(body))) + bytes(4) + body


SUBSCRIBE = _frame({"type": "subscribe", "to": "branch:4071"})
PONG = _frame({"type": "pong"})


class Audience:
    """All the sockets. `reached` is set when the last of them has heard what is waited for."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self._missing = 0

    def expect(self, sockets: int) -> None:
        self.reached.clear()
        self._missing = sockets

    def heard(self, times: int) -> None:
        self._missing -= times
        if self._missing == 0:
            self.reached.set()


class Onlooker(asyncio.Protocol):
    """One socket, as cheap as it can be: the machine is the server's too."""

    def __init__(self, audience: Audience, port: int) -> None:
        self._audience = audience
        self._port = port
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        where, key = f"127.0.0.1:{self._port}", base64.b64encode(os.urandom(16)).decode()
        address = f"192.0.2.{os.urandom(1)[0]}"  # of one alone not so many are taken in
        self._transport.write(
            f"GET /ws HTTP/1.1\r\nHost: {where}\r\nOrigin: http://{where}\r\nX-Forwarded-For: {address}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        if self._transport is None:
            return
        if b" 101 " in data:
            self._transport.write(SUBSCRIBE)
        if b'"ping"' in data:
            self._transport.write(PONG)
        if times := data.count(b'"subscribed"') + data.count(b'"ticket_called"'):
            self._audience.heard(times)


def measure(data: Path) -> dict[str, float]:
    """A real server with one process; the sockets are of this one."""
    port, secret = http.free_port(), secrets.token_urlsafe(32)
    with http.process(*http.zamu(data, port, secret)) as server, embedded.start(data) as where:
        http.seed(data)
        return uvloop.run(_measure(where, port, server.pid))


async def _measure(where: embedded.Servers, port: int, server: int) -> dict[str, float]:
    pool, client = await connect(where.database_url, size=2), redis.asyncio.from_url(where.redis_url)
    announcer = Announcer(client)
    core = Core(pool, announcer)
    telling = asyncio.create_task(announcer.run())
    queue = (await queues.find(core, Act("system", "system"), "4071/A"))["id"]
    for number in range(CALLS):
        await tickets.join(core, Act("customer", "api"), queue, f"+2546{number:08}")
    await asyncio.sleep(1)  # the texts of that are sent meanwhile
    before = http.resident_mb(server)
    audience = Audience()
    sockets = await _fill(audience, port)
    await asyncio.sleep(1)
    grown = (http.resident_mb(server) - before) * 1024 / SOCKETS
    waits = [await _call(core, audience, queue) for _ in range(CALLS)]
    for socket in sockets:
        socket.close()
    telling.cancel()
    await client.aclose()
    await pool.close()
    found = quantiles(waits, n=100, method="inclusive")
    print(f"  a call on {SOCKETS} sockets: p50 {found[49]:.0f} ms, p99 {found[98]:.0f} ms; a socket {grown:.1f} KB")
    return {"fanout_2000_p99_ms": found[98], "socket_kb": grown}


async def _fill(audience: Audience, port: int) -> list[asyncio.BaseTransport]:
    loop = asyncio.get_running_loop()
    sockets: list[asyncio.BaseTransport] = []
    while len(sockets) < SOCKETS:
        audience.expect(AT_ONCE)
        made = [loop.create_connection(lambda: Onlooker(audience, port), "127.0.0.1", port) for _ in range(AT_ONCE)]
        sockets += [transport for transport, _ in await asyncio.gather(*made)]
        await _all(audience)
    return sockets


async def _call(core: Core, audience: Audience, queue: str) -> float:
    """Milliseconds from the press of call next until the last socket has it."""
    await asyncio.sleep(PAUSE)
    audience.expect(SOCKETS)
    began = time.perf_counter()
    await calling.call_next(core, Act("system", "system"), queue, "Room 1", "complete")
    await _all(audience)
    return (time.perf_counter() - began) * 1000


async def _all(audience: Audience) -> None:
    async with asyncio.timeout(PATIENCE):
        await audience.reached.wait()
