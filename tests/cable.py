"""The network in front of a server, which a test may cut, silence, slow down, or let refuse WebSockets."""

from __future__ import annotations

import asyncio
import contextlib
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

CHUNK = 64 * 1024
NO_SOCKETS = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Cable:
    """Carries what is sent to `url` on to `server`, another address, which may change while connections are open.

    A server is an address with a port, or the path of a socket. Chromium's own offline mode lets open WebSockets go
    on, so a lost network is played here.
    """

    def __init__(self, server: str) -> None:
        self.server = server
        self.sockets = True  # False: as behind a proxy that knows no WebSocket; open ones stay
        self.delay = 0.0  # seconds that each piece is on its way, either way
        self.url = ""
        self._cut = False
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._ends: set[StreamWriter] = set()

    def cut(self) -> None:
        """Every connection breaks, and no new one comes about, until `mend`."""
        self._cut = True
        for end in self._ends:
            end.transport.abort()

    def silence(self) -> None:
        """Nothing arrives any more and nobody is told, until `mend`: then it all does."""
        self._flowing.clear()

    def mend(self) -> None:
        self._cut = False
        self._flowing.set()

    async def carry(self, browser: StreamReader, to_browser: StreamWriter) -> None:
        """One connection of the browser's, to its end."""
        with self._held(to_browser):
            head = await browser.read(CHUNK)
            if not self.sockets and b"upgrade: websocket" in head.lower():
                to_browser.write(NO_SOCKETS)
                await to_browser.drain()
            elif head and not self._cut:
                await self._join(head, browser, to_browser)

    async def _join(self, head: bytes, browser: StreamReader, to_browser: StreamWriter) -> None:
        server, to_server = await self._reach()
        with self._held(to_server):
            await self._carried()
            to_server.write(head)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(browser, to_server))
                both.create_task(self._pump(server, to_browser))

    async def _reach(self) -> tuple[StreamReader, StreamWriter]:
        if self.server.startswith("/"):
            return await asyncio.open_unix_connection(self.server)
        address = urlsplit(self.server)
        return await asyncio.open_connection(address.hostname, address.port)

    async def _carried(self) -> None:
        await asyncio.sleep(self.delay)
        await self._flowing.wait()

    async def _pump(self, source: StreamReader, sink: StreamWriter) -> None:
        while data := await source.read(CHUNK):
            await self._carried()
            sink.write(data)
            await sink.drain()
        sink.close()

    @contextlib.contextmanager
    def _held(self, end: StreamWriter) -> Iterator[None]:
        """An end that `cut` breaks; whatever breaks it ends quietly."""
        self._ends.add(end)
        try:
            with contextlib.suppress(OSError, ExceptionGroup):
                yield
        finally:
            self._ends.discard(end)
            end.close()


@contextlib.asynccontextmanager
async def plugged(server: str) -> AsyncIterator[Cable]:
    """A cable to that address until the block ends."""
    cable = Cable(server)
    listener = await asyncio.start_server(cable.carry, "127.0.0.1", 0)
    cable.url = "http://127.0.0.1:{1}".format(*listener.sockets[0].getsockname())
    try:
        yield cable
    finally:
        cable.cut()
        cable.mend()
        listener.close()
        await listener.wait_closed()
