"""What breaks between two keys: a Valkey that is killed, one that says nothing, a database link that is cut."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from db.embedded.valkey import BINARY


@contextlib.contextmanager
def valkey(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A Valkey of the test's own: its address, and the process to kill."""
    socket = folder / "valkey.sock"
    options = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)]
    with subprocess.Popen([BINARY, *options], stdout=subprocess.DEVNULL) as process:
        while not socket.exists():
            time.sleep(0.01)
        try:
            yield f"unix://{socket}", process
        finally:
            process.kill()


@contextlib.asynccontextmanager
async def black_hole(folder: Path) -> AsyncIterator[tuple[str, list[int]]]:
    """Something that takes every connection and never says a word; and how many it took."""
    taken: list[int] = []

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append(1)
        while await reader.read(4096):
            pass
        writer.close()

    server = await asyncio.start_unix_server(swallow, folder / "hole.sock")
    async with server:
        yield f"unix://{folder / 'hole.sock'}", taken


class Link:
    """A wire to PostgreSQL that can be cut: at once, or when the answer to a message with `last_words` is due."""

    def __init__(self, database_url: str) -> None:
        self.target = parse_qs(urlsplit(database_url).query)["host"][0] + "/.s.PGSQL.5432"
        self.cut = False
        self.swallow = False
        self.last_words = b""
        self.writers: set[asyncio.StreamWriter] = set()

    def cut_now(self) -> None:
        self.cut = True
        for writer in self.writers:
            writer.close()

    def mend(self) -> None:
        self.cut, self.last_words = False, b""

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.cut:
            writer.close()
            return
        server_reader, server_writer = await asyncio.open_unix_connection(self.target)
        self.writers |= {writer, server_writer}
        await asyncio.gather(self._out(reader, server_writer), self._back(server_reader, writer))
        self.writers -= {writer, server_writer}

    async def _out(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                if self.swallow:
                    continue
                writer.write(data)
                if self.last_words and self.last_words in data:
                    self.cut = True
        writer.close()

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while (data := await reader.read(65536)) and not self.cut:
                writer.write(data)
        writer.close()


@contextlib.asynccontextmanager
async def link(database_url: str, folder: Path) -> AsyncIterator[tuple[str, Link]]:
    """A link to the database, and the address of its near end."""
    wire = Link(database_url)
    server = await asyncio.start_unix_server(wire.connected, folder / ".s.PGSQL.5432")
    parts = urlsplit(database_url)
    async with server:
        yield parts._replace(query=f"host={folder}&port=5432").geturl(), wire
        wire.cut_now()
