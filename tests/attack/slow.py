"""Whoever takes his time: with his headers, with his body, with the answer, or with saying anything at all."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable

from commands.patience import HEAD_SECONDS, READ_SECONDS
from staff_web import assets
from tests.attack.house import AT_USSD, HOST, House
from tests.disturbing import PATIENCE
from tests.monitoring.scraping import scrape
from tests.world import phone

HEAD = f"POST {AT_USSD} HTTP/1.1\r\nHost: {HOST}\r\n"
DROPS = 0.5  # seconds between two drops
PAGE = f"GET {assets.url('panel.js')} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
PIECES_UNREAD, PAGES_UNREAD = 6, 200  # of 10 KB: together more than both sides of a connection keep
SLACK = 15.0
Way = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _heads(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _drip(writer, HEAD.encode() + b"X-Slow: " + b"a" * 1000)


async def _bodies(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD.encode() + b"Content-Length: 1000\r\n\r\n")
    await _drip(writer, b"sessionId=" + b"a" * 1000)


async def _forms(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(f"POST /staff/login HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 1000\r\n\r\n".encode())
    await _drip(writer, b"login=" + b"a" * 1000)


async def _trailers(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD.encode() + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Last: ")
    await _drip(writer, b"a" * 1000)


async def _after_the_answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD.encode() + b"Content-Length: 999999\r\n\r\n")
    await _drip(writer, b"a" * 1000)


async def _silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read(1)


async def _half_open(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD[:40].encode())
    writer.write_eof()
    await reader.read(1)


async def _unread(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for _ in range(PIECES_UNREAD):
        writer.write(PAGE * PAGES_UNREAD)
        await asyncio.sleep(DROPS)
    await asyncio.sleep(READ_SECONDS + HEAD_SECONDS + SLACK)
    writer.write(b"\r\n")
    await writer.drain()
    await asyncio.sleep(DROPS)
    writer.write(b"\r\n")
    await writer.drain()


WAYS: dict[str, Way] = {
    "headers in drops": _heads,
    "bodies in drops": _bodies,
    "forms in drops": _forms,
    "trailers in drops": _trailers,
    "bodies after the answer": _after_the_answer,
    "silence": _silent,
    "half a line, then half closed": _half_open,
    "answers that nobody reads": _unread,
}


async def _drip(writer: asyncio.StreamWriter, data: bytes) -> None:
    for at in range(len(data)):
        writer.write(data[at : at + 1])
        await writer.drain()
        await asyncio.sleep(DROPS)


async def alone(house: House) -> int:
    """Against the product without a proxy: others are served meanwhile, and each slow one is sent away in time."""
    each = house.times(60, 2)
    slow = [asyncio.create_task(_until_sent_away(house, way)) for way in WAYS.values() for _ in range(each)]
    asked, served = house.times(40, 5), 0
    try:
        for number in range(asked):
            async with asyncio.timeout(PATIENCE):
                served += (await house.dial(phone(40 + number), "4071")).startswith("CON ")
                assert (await house.ask("GET", "/display/4071")).status == 200
            await asyncio.sleep(house.times(1, 0))
        if house.many:
            async with asyncio.timeout(READ_SECONDS + 2 * HEAD_SECONDS + 8 * SLACK):
                assert all(await asyncio.gather(*slow))
            seen = await asyncio.to_thread(scrape, house.server.url)
            assert seen.total("zamu_requests_in_hand") == 0
    finally:
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
    house.noted.append(f"{served} of {asked} others were served meanwhile")
    assert served > 0
    return len(slow)


async def _until_sent_away(house: House, way: Way) -> bool:
    connection = socket.socket()
    if way is _unread:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(0)
    await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", house.port))
    reader, writer = await asyncio.open_connection(sock=connection, limit=1024)
    try:
        with contextlib.suppress(OSError):
            await way(reader, writer)
            return reader.at_eof()
        return True
    finally:
        writer.close()
