"""A client that sends exactly the bytes that it is told to send, and reads one answer."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

SECONDS = 5.0  # whoever waits for longer takes it for dead
NO_BODY = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}
Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. `path` is as it travels, and so is the query."""

    method: str
    path: bytes
    query: bytes = b""
    headers: Headers = ()
    body: bytes = b""

    def header(self, name: bytes) -> bytes:
        return next((value for key, value in self.headers if key.lower() == name), b"")

    def with_header(self, name: bytes, value: bytes) -> Headers:
        return (*(pair for pair in self.headers if pair[0].lower() != name), (name, value))

    def raw(self) -> bytes:
        """On a connection of its own, with the true length of its body."""
        target = self.path + (b"?" + self.query if self.query else b"")
        lines = [b"%s %s HTTP/1.1" % (self.method.encode(), target), *(b"%s: %s" % pair for pair in self.headers)]
        if not self.header(b"connection"):
            lines.append(b"connection: close")
        if self.body:
            lines.append(b"content-length: %d" % len(self.body))
        return b"\r\n".join([*lines, b"", self.body])


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. The names of headers are in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    @property
    def text(self) -> str:
        """The body, which is UTF-8 in all that we say."""
        is_packed = self.header("content-encoding") == "gzip"
        return (gzip.decompress(self.body) if is_packed else self.body).decode()


async def ask(url: str, asked: Asked) -> Answer:
    """The answer. Raises TimeoutError where there is none in time."""
    raw = await exchange(url, asked.raw())
    return read(raw, has_body=asked.method != "HEAD")


async def exchange(url: str, raw: bytes, *, then_silent: bool = False) -> bytes:
    """All that a server says to these bytes until it hangs up; `then_silent`: we say that there is no more to come."""
    async with asyncio.timeout(SECONDS), opened(url) as (reader, writer):
        try:
            writer.write(raw)
            if then_silent:
                writer.write_eof()
            return await reader.read()
        except ConnectionError:  # it hung up before we had said all
            return b""


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a server, with nothing said on it yet."""
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        yield reader, writer
    finally:
        writer.close()


def read(raw: bytes, *, has_body: bool = True) -> Answer:
    """Of the bytes of one answer, which has the length that it says."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = tuple((name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines))
    answer = Answer(int(first.split()[1]), pairs, body)
    if has_body and answer.status not in NO_BODY:
        assert int(answer.header("content-length")) == len(body), (answer.status, pairs, body)
    return answer
