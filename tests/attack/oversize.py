"""More than is read: bodies, fields, headers, frames; refused in words, and the memory stays flat."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterator

from websockets.exceptions import ConnectionClosed

from tests.attack.floods import flat
from tests.attack.house import AT_SMS, AT_USSD, HOST, House
from tests.attack.webhooks import TWILIO
from tests.staff_web.conftest import HOME
from tests.staff_web.sockets import opened
from tests.terminal import SECRET

MB = 1_000_000
ENDLESS = 64 * MB  # what is offered where there is no end
PATHS = (AT_USSD, AT_SMS, TWILIO, "/ussd/inbound", "/staff/login", f"/hooks/africastalking/delivery/{SECRET}")
FORM = "application/x-www-form-urlencoded"
KEY = {"X_Webhook_Secret": SECRET}


def bodies() -> Iterator[tuple[bytes, str]]:
    """A body, and what it says it is."""
    yield b"a" * MB, FORM
    yield b"text=" + b"a" * 18 * MB, FORM
    yield b"a=&" * 200_000, FORM
    yield b"a=&" * 9_000, FORM
    yield "&".join(f"f{number}={'x' * 200_000}" for number in range(90)).encode(), FORM
    yield b"%" * 30_000, FORM
    yield b"[" * 30_000 + b"]" * 2_000, "application/json"
    yield b'{"a":' * 6_000 + b"1" + b"}" * 100, "application/json"
    yield json.dumps({"session_id": "1", "phone": "9" * 20_000, "selection": ""}).encode(), "application/json"
    yield b'{"session_id":' + b"9" * 30_000 + b',"phone":"+254711000001","selection":""}', "application/json"
    yield gzip.compress(b"a" * 50 * MB), FORM
    yield (
        b"--x\r\n" + b'Content-Disposition: form-data; name="a"\r\n\r\n1\r\n--x\r\n' * 400,
        "multipart/form-data; boundary=x",
    )


def heads() -> Iterator[bytes]:
    """A head that is too large, in one way or another."""
    start = f"GET /staff/login HTTP/1.1\r\nHost: {HOST}\r\n".encode()
    yield start + b"X-Large: " + b"a" * 100_000 + b"\r\n\r\n"
    yield start + b"Cookie: __Host-zamu=" + b"a" * 64_000 + b"\r\n\r\n"
    yield start + b"Cookie: " + b"a=b; " * 20_000 + b"\r\n\r\n"
    yield start + b"".join(b"X-%d: 1\r\n" % number for number in range(10_000)) + b"\r\n"
    yield start + b"a" * 100_000 + b": 1\r\n\r\n"
    yield b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"
    yield b"GET /display/4071?" + b"a=1&" * 25_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"
    yield b"A" * 100_000


async def requests(house: House) -> int:
    """Bodies and heads."""
    tries = 0
    async with house.unmoved(), flat(house, "memory"):
        for _ in range(house.times(3, 1)):
            for path in PATHS if house.many else PATHS[::3]:
                for body, kind in bodies():
                    for encoding in ("identity", "gzip") if house.many else ("gzip",):
                        status = await _status(house, path, body, Content_Type=kind, Content_Encoding=encoding)
                        assert status in (0, 200, 303, 400, 403, 413, 422), (path, kind, len(body), status)
                        tries += 1
            for head in heads():
                answer = await house.wire(head)
                assert answer == b"" or answer.startswith(b"HTTP/1.1 400"), (head[:40], answer[:200])
                tries += 1
    return tries


async def _status(house: House, path: str, body: bytes, **headers: str) -> int:
    """0: hung up in the middle, as one may who is sent what he refused."""
    try:
        return (await house.ask("POST", path, body, **headers, **KEY)).status
    except OSError:
        return 0


async def endless(house: House) -> int:
    """What has no end: chunks, the size of a chunk, trailers, one header, one line."""
    post = f"POST {AT_USSD} HTTP/1.1\r\nHost: {HOST}\r\n".encode()
    chunked = post + b"Transfer-Encoding: chunked\r\n\r\n"
    ways = (
        (chunked, b"400\r\n" + b"a" * 1024 + b"\r\n"),
        (chunked, b"1\r\na\r\n"),
        (chunked + b"1;", b"a" * 1024),
        (chunked + b"1\r\na\r\n0\r\nX-Last: ", b"a" * 1024),
        (chunked + b"1\r\na\r\n0\r\n", b"X-Last: a\r\n" * 100),
        (post + b"X-Large: ", b"a" * 1024),
        (post, b"X-Many: a\r\n" * 100),
        (b"GET /", b"a" * 1024),
        (post + b"Content-Length: 999999999999\r\n\r\n", b"a" * 1024),
        (b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: \r\n"),
    )
    tries = 0
    async with house.unmoved(), flat(house, "memory"):
        for start, again in ways:
            for _ in range(house.times(5, 1)):
                assert await _poured(house, start, again), (start[-40:], again[:20])
                tries += 1
    return tries


async def _poured(house: House, start: bytes, again: bytes) -> bool:
    """Whether the server stopped it before all was sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    reading = asyncio.create_task(reader.read())
    try:
        writer.write(start)
        piece = again * (MB // len(again))
        for _ in range(ENDLESS // len(piece)):
            writer.write(piece)
            async with asyncio.timeout(30):
                await writer.drain()
            if reading.done():
                return True
    except OSError:
        return True
    finally:
        writer.close()
        await asyncio.gather(reading, return_exceptions=True)
    return False


async def frames(house: House) -> int:
    """Sockets: frames of over 4 KB, messages in pieces without end, numbers and words that are none."""
    tries = 0
    words = (
        '{"type": "pong", "x": "' + "a" * 5000 + '"}',
        "[" * 4000,
        '"' + "\\ud800" * 500 + '"',
        "9" * 4000,
        "",
        "{}",
    )
    asks = [json.dumps({"type": "subscribe", "to": to}) for to in ("branch:" + "4" * 3000, "ticket:" + "0" * 36, "x")]
    async with house.unmoved(), flat(house, "memory"):
        for _ in range(house.times(20, 1)):
            for said in (*words, b"\0" * 3000, ["a" * 100] * 1000, [b""] * 3000):
                async with opened(house.server.url, origin=HOME) as socket:
                    try:
                        await socket.connection.send(said)
                        code, _ = await socket.ended()
                    except ConnectionClosed as closed:
                        code = closed.rcvd.code if closed.rcvd else 0
                    assert code in (0, 1006, 1008, 1009), (len(said), code)  # or cut off while he sends
                    tries += 1
            async with opened(house.server.url, origin=HOME) as socket:
                for ask in asks * 100:
                    try:
                        await socket.connection.send(ask)
                    except ConnectionClosed:
                        break
                assert (await socket.ended())[0] == 1008
                tries += 1
    return tries
