"""The application as `zamu serve` runs it, and sockets that are open to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

import settings as settings_module
from app import create_app
from commands import web
from telco_sim.server import Server, bind, url_of
from tests.disturbing import PATIENCE
from tests.staff_web.conftest import HOME
from tests.terminal import outside


@asynccontextmanager
async def serving(app: Starlette, trusted_proxies: str | None = None) -> AsyncIterator[str]:
    """The address of an application in this process, with the limits of `zamu serve`."""
    listener = bind("127.0.0.1", 0)
    server = Server(app, lambda: None)
    server.config = web.config(app, 1, trusted_proxies)
    serve = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield url_of(listener)
    finally:
        server.stop()
        await serve


class Socket:
    """One open socket. Pings are answered, and kept apart."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.pings = 0

    async def say(self, **message: str) -> None:
        await self.connection.send(json.dumps(message))

    async def next(self) -> dict[str, Any]:
        """The next event; raises ConnectionClosed at the end."""
        async with asyncio.timeout(PATIENCE):
            while True:
                message: dict[str, Any] = json.loads(await self.connection.recv())
                if message["type"] != "ping":
                    return message
                self.pings += 1
                await self.say(type="pong")

    async def until(self, type_: str, **facts: object) -> list[dict[str, Any]]:
        """All events up to the first with these facts."""
        heard = []
        while True:
            heard.append(await self.next())
            if {"type": type_, **facts}.items() <= heard[-1].items():
                return heard

    async def follow(self, thing: str) -> dict[str, Any]:
        """Subscribe; gives the answer."""
        await self.say(type="subscribe", to=thing)
        return (await self.until("subscribed", to=thing))[-1]

    async def ended(self) -> tuple[int, str]:
        """How the server ended it; what it said before is read, or its last word would wait behind that."""
        async with asyncio.timeout(PATIENCE):
            with suppress(ConnectionClosed):
                while True:
                    await self.connection.recv()
        return self.connection.close_code or 0, self.connection.close_reason or ""


@asynccontextmanager
async def opened(
    url: str, path: str = "/ws", *, origin: str | None = None, cookie: str = "", address: str = ""
) -> AsyncIterator[Socket]:
    """A socket from a page of that origin; `address` is whose it is, as a proxy on this machine says."""
    headers = {name: value for name, value in (("Cookie", cookie), ("X-Forwarded-For", address)) if value}
    async with connect(
        url.replace("http", "ws", 1) + path,
        origin=url if origin is None else origin,  # type: ignore[arg-type] # any text, to see it refused
        additional_headers=headers,
        ping_interval=None,
    ) as connection:
        yield Socket(connection)


@pytest.fixture
def environ(database: str, redis_url: str, tmp_path: Path) -> dict[str, str]:
    return outside(database, redis_url) | {"ZAMU_DATA_DIR": str(tmp_path), "ZAMU_PUBLIC_URL": HOME}


@pytest.fixture
async def url(environ: dict[str, str]) -> AsyncIterator[str]:
    """The address of a running application."""
    async with serving(create_app(settings_module.load(environ))) as url:
        yield url
