"""A crowd of callers over keep-alive connections: light enough to be no bottleneck of what it measures."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import cast

# What one caller sends, body after body; the next one leaves when the answer to the last is complete.
Conversation = Iterator[bytes]


class _Caller(asyncio.Protocol):
    """One connection, one request at a time; answers carry Content-Length."""

    def __init__(self, head: bytes, bodies: Conversation, ended: asyncio.Future[None]) -> None:
        self._head, self._bodies, self._ended = head, bodies, ended
        self._received = b""
        self.answers = 0
        self.refused = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        if len(body) >= length:
            self._received = b""
            self.answers += 1
            self.refused += not head.startswith(b"HTTP/1.1 200")
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._ended.done():
            self._ended.set_exception(exc or ConnectionError("the server hung up"))

    def _send(self) -> None:
        body = next(self._bodies, None)
        if body is None:
            if not self._ended.done():
                self._ended.set_result(None)
            self._transport.close()
        else:
            self._transport.write(self._head + b"content-length: %d\r\n\r\n" % len(body) + body)


async def call(
    port: int,
    path: str,
    callers: int,
    conversation: Callable[[int], Conversation],
    method: str = "POST",
    headers: str = "content-type: application/x-www-form-urlencoded\r\n",
) -> float:
    """Answers per second while `callers` hold their conversations at once. Raises when an answer is not 200."""
    loop = asyncio.get_running_loop()
    head = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{headers}".encode()
    ends = [loop.create_future() for _ in range(callers)]
    began = time.perf_counter()
    connections = [
        await loop.create_connection(partial(_Caller, head, conversation(caller), end), "127.0.0.1", port)
        for caller, end in enumerate(ends)
    ]
    await asyncio.gather(*ends)
    seconds = time.perf_counter() - began
    protocols = [protocol for _, protocol in connections]
    if refused := sum(protocol.refused for protocol in protocols):
        raise RuntimeError(f"{refused} answers were not 200, so nothing was measured")
    return sum(protocol.answers for protocol in protocols) / seconds
