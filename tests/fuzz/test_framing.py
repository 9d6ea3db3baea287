"""What is no HTTP, or half of it, or two things at once: told off or cut off, and the server goes on."""

from __future__ import annotations

import re

import pytest

from tests.fuzz.kept import changes
from tests.fuzz.place import Place
from tests.fuzz.wire import Asked, ask, exchange
from tests.webhooks.conftest import SECRET

STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
HOOK = b"POST /hooks/africastalking/sms/%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" % SECRET.encode()
LOG_IN = b"POST /staff/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
PAGE = b"GET /staff/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
BODY = b"id=1&from=%2B254711000004&to=1&text=LEAVE"
CHUNKED = HOOK + b"Transfer-Encoding: chunked\r\n"

# None of these is a request that we may act upon.
BROKEN = {
    "two lengths": HOOK + b"Content-Length: 41\r\nContent-Length: 5\r\n\r\n" + BODY,
    "one length twice": HOOK + b"Content-Length: 41\r\nContent-Length: 41\r\n\r\n" + BODY,
    "two lengths in one": HOOK + b"Content-Length: 41, 41\r\n\r\n" + BODY,
    "a length and chunks": CHUNKED + b"Content-Length: 5\r\n\r\n29\r\n" + BODY + b"\r\n0\r\n\r\n",
    "chunks and another coding": HOOK + b"Transfer-Encoding: chunked, gzip\r\n\r\n29\r\n" + BODY + b"\r\n0\r\n\r\n",
    "a negative length": HOOK + b"Content-Length: -1\r\n\r\n" + BODY,
    "a length with a sign": HOOK + b"Content-Length: +41\r\n\r\n" + BODY,
    "a length that is no number": HOOK + b"Content-Length: 0x29\r\n\r\n" + BODY,
    "a length of thirty digits": HOOK + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n" + BODY,
    "a chunk of no size": CHUNKED + b"\r\nzz\r\n" + BODY + b"\r\n0\r\n\r\n",
    "a chunk of a negative size": CHUNKED + b"\r\n-1\r\n" + BODY + b"\r\n0\r\n\r\n",
    "a chunk without end": CHUNKED + b"\r\nfffffffffffffffff\r\n" + BODY,
    "a chunk that is longer than it says": CHUNKED + b"\r\n3\r\n" + BODY + b"\r\n0\r\n\r\n",
    "a NUL in a header": HOOK + b"X: a\0b\r\nContent-Length: 41\r\n\r\n" + BODY,
    "a header without a name": HOOK + b": x\r\nContent-Length: 41\r\n\r\n" + BODY,
    "a header without a colon": HOOK + b"X\r\nContent-Length: 41\r\n\r\n" + BODY,
    "a blank before the colon": HOOK + b"Content-Length : 41\r\n\r\n" + BODY,
    "a line that only carries on": HOOK + b"X: a\r\n b\r\nContent-Length: 41\r\n\r\n" + BODY,
    "a bare carriage return": HOOK + b"X: a\rContent-Length: 41\r\n\r\n" + BODY,
    "an address in UTF-8": HOOK.replace(b"/sms/", b"/\xc3\xa9/"),
    "a question with bytes": PAGE.replace(b"/login", b"/login?next=\xff") + b"\r\n",
    "an address with a blank": PAGE.replace(b"/login", b"/log in") + b"\r\n",
    "no address": b"GET  HTTP/1.1\r\n\r\n",
    "a version of the future": PAGE.replace(b"1.1", b"9.9") + b"\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0" * 9,
    "TLS": b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + b"\x5a" * 500,
    "SSH": b"SSH-2.0-OpenSSH_9.6\r\n",
    "a method in small letters": PAGE.replace(b"GET", b"get") + b"\r\n",
    "a method of nobody": PAGE.replace(b"GET", b"FROBNICATE") + b"\r\n",
    "a proxy's wish": b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    "an address with an impossible port": PAGE.replace(b"/staff", b"http://x:99999/staff") + b"\r\n",
}

# What an honest client may send, however seldom one does.
ODD = {
    "another host's address": (PAGE.replace(b"/staff", b"http://evil.example/staff") + b"\r\n", [200]),
    "no place at all": (PAGE.replace(b"GET /staff/login", b"OPTIONS *") + b"\r\n", [404]),
    "no host": (PAGE.replace(b"Host: x\r\n", b"") + b"\r\n", [200]),
    "two hosts": (PAGE + b"Host: y\r\n\r\n", [200]),
    "no version": (b"GET /staff/login\r\n\r\n", [200]),
    "an older version": (PAGE.replace(b"1.1", b"1.0") + b"\r\n", [200]),
    "a very long header": (PAGE + b"X: " + b"x" * 8_000 + b"\r\n\r\n", [200]),
    "very many headers": (PAGE + b"X: x\r\n" * 300 + b"\r\n", [200]),
    "blank lines before it": (b"\r\n\r\n" + PAGE + b"\r\n", [200]),
    "another protocol": (PAGE.replace(b"close", b"close, Upgrade") + b"Upgrade: h2c\r\n\r\n", [200]),
    "a socket where there is none": (
        PAGE.replace(b"close", b"Upgrade") + b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        [403],
    ),
    "first a question whether": (LOG_IN + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\na=b", [100, 422]),
    "two requests at once": (PAGE.replace(b"close", b"keep-alive") + b"\r\n" + PAGE + b"\r\n", [200, 200]),
    "more than was promised": (LOG_IN + b"Content-Length: 3\r\n\r\na=b&c=d", [422]),
    "chunks with something after them": (
        LOG_IN + b"Transfer-Encoding: chunked\r\n\r\n3;x=y\r\na=b\r\n0\r\nX: x\r\n\r\n",
        [422],
    ),
}


async def _statuses(place: Place, raw: bytes, *, then_silent: bool = False) -> list[int]:
    """What a server that is none the worse for it afterwards said."""
    before = await place.kept.stored()
    with place.alarms.silent():
        said = await exchange(place.url, raw, then_silent=then_silent)
        assert (await ask(place.url, Asked("GET", b"/healthz"))).status == 200
    assert changes(before, await place.kept.stored()) == set()
    assert b"Traceback" not in said
    return [int(status) for status in STATUS.findall(said)]


@pytest.mark.asyncio(loop_scope="package")
@pytest.mark.parametrize("kind", BROKEN)
async def test_what_is_no_request_is_told_off_or_cut_off(place: Place, kind: str) -> None:
    assert await _statuses(place, BROKEN[kind]) in ([], [400], [404], [413])


@pytest.mark.asyncio(loop_scope="package")
@pytest.mark.parametrize("kind", ODD)
async def test_an_odd_request_has_its_answer(place: Place, kind: str) -> None:
    raw, statuses = ODD[kind]
    assert await _statuses(place, raw) == statuses


@pytest.mark.asyncio(loop_scope="package")
@pytest.mark.parametrize(
    "raw", [b"", b"P", HOOK, HOOK + b"Content-Length: 41\r\n\r\n" + BODY[:9], CHUNKED + b"\r\n29\r\n"]
)
async def test_who_stops_in_the_middle_of_a_request_has_done_nothing(place: Place, raw: bytes) -> None:
    assert await _statuses(place, raw, then_silent=True) in ([], [400])
