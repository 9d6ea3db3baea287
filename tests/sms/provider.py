"""A provider of our own, for answers that no telco gives on purpose."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

from sms.gateways.africastalking import AfricasTalking
from tests.sms.conftest import API_KEY

ACCEPTED = {"status": "Success", "statusCode": 101, "messageId": "ATXid_1", "cost": "KES 0.8000"}


class Provider:
    """Answers these bytes, whatever it is asked; None hangs up."""

    def __init__(self, answer: bytes | None) -> None:
        self.answer = answer
        self.requests: list[bytes] = []
        self.connections: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while self.answer is not None or not self.requests:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                self.requests.append(head + await reader.readexactly(length))
                writer.write(self.answer or b"")
        writer.close()


@contextlib.asynccontextmanager
async def asking(provider: Provider) -> AsyncIterator[AfricasTalking]:
    """A gateway in front of the provider."""
    server = await asyncio.start_server(provider.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    gateway = AfricasTalking("zamu", API_KEY, base_url=url, threads=1, timeout=(0.5, 0.5))
    yield gateway
    await gateway.close()
    server.close()
    for connection in provider.connections:
        connection.close()
        with contextlib.suppress(ConnectionError):
            await connection.wait_closed()


def http(status: int, body: str = "", kind: str = "application/json", *headers: str) -> bytes:
    """A whole HTTP answer."""
    lines = [
        f"HTTP/1.1 {status} X",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        *headers,
        "",
        body,
    ]
    return "\r\n".join(lines).encode()


def told(*recipients: dict[str, object], message: str = "Sent to 1/1 Total Cost: KES 0.8000 Message parts: 1") -> str:
    """The body of an answer to a send."""
    return json.dumps({"SMSMessageData": {"Message": message, "Recipients": list(recipients)}})
