"""A provider of our own, for answers that no telco gives on purpose."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from email.utils import formatdate
from urllib.parse import parse_qsl, urlsplit

from sms.gateways.africastalking import AfricasTalking
from sms.gateways.twilio import Twilio
from tests.sms.conftest import API_KEY

ACCOUNT, TOKEN = "AC" + "0" * 31 + "1", "twilio_test_token_0123456789abcd"
TWILIO_NUMBER = "+15005550006"
REPORTS = "https://queue.example.org/twilio/status"

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
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                _, _, length = head.lower().partition(b"content-length: ")
                self.requests.append(head + await reader.readexactly(int(length.split(b"\r\n")[0] or 0)))
                answer = self.reply(self.requests[-1])
                if answer is None:
                    break
                writer.write(answer)
        writer.close()

    def reply(self, request: bytes) -> bytes | None:
        return self.answer


class TwilioAccount(Provider):
    """Twilio's dialect: takes every text and lists what it took. An answer may be cut, or never come."""

    def __init__(self, *endings: str) -> None:
        super().__init__(None)
        self.endings = list(endings)
        self.ledger: list[dict[str, str]] = []

    def reply(self, request: bytes) -> bytes | None:
        head, _, form = request.decode().partition("\r\n\r\n")
        method, path, _ = head.split(" ", 2)
        if method == "GET":
            asked = dict(parse_qsl(urlsplit(path).query))
            return http(200, json.dumps({"messages": [m for m in reversed(self.ledger) if m["to"] == asked["To"]]}))
        fields = dict(parse_qsl(form))
        sid = f"SM{len(self.ledger):032}"
        self.ledger.append(message(sid, fields["To"], fields["Body"]) | {"validity": fields["ValidityPeriod"]})
        ending = self.endings.pop(0) if self.endings else "answer"
        return {"answer": http(201, json.dumps(self.ledger[-1])), "hang": b"", "cut": None}[ending]


@contextlib.asynccontextmanager
async def asking(provider: Provider) -> AsyncIterator[AfricasTalking]:
    """A gateway in front of the provider."""
    async with serving(provider) as url:
        gateway = AfricasTalking("zamu", API_KEY, base_url=url, threads=1, timeout=(0.5, 0.5))
        yield gateway
        await gateway.close()


@contextlib.asynccontextmanager
async def asking_twilio(provider: Provider, sender: str = TWILIO_NUMBER) -> AsyncIterator[Twilio]:
    """A gateway in front of a provider that speaks Twilio's dialect."""
    async with serving(provider) as url:
        gateway = Twilio(ACCOUNT, TOKEN, sender=sender, report_url=REPORTS, base_url=url, timeout=(2, 1))
        yield gateway
        await gateway.close()


@contextlib.asynccontextmanager
async def serving(provider: Provider) -> AsyncIterator[str]:
    """The provider's address."""
    server = await asyncio.start_server(provider.serve, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
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
        f"Content-Length: {len(body.encode())}",
        *headers,
        "",
        body,
    ]
    return "\r\n".join(lines).encode()


def message(sid: str, to: str, body: str, **more: str) -> dict[str, str]:
    """A text as Twilio tells it."""
    known = {"sid": sid, "status": "queued", "to": to, "body": body, "num_segments": "1", "date_created": formatdate()}
    return known | more


def refusal(code: int, status: int = 400) -> bytes:
    """Twilio's answer to what it does not take."""
    return http(status, json.dumps({"code": code, "message": "no", "more_info": "https://…", "status": status}))


def told(*recipients: dict[str, object], message: str = "Sent to 1/1 Total Cost: KES 0.8000 Message parts: 1") -> str:
    """The body of an answer to a send."""
    return json.dumps({"SMSMessageData": {"Message": message, "Recipients": list(recipients)}})
