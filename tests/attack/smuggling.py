"""Requests of which two machines could think differently: refused, or answered as exactly one."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

from tests.attack.house import AT_SMS, HOST, House
from tests.world import phone

JOIN = urlencode({"id": "smuggled", "from": phone(70), "to": "20880", "text": "JOIN 4071 A"})
HIDDEN = f"POST {AT_SMS} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {len(JOIN)}\r\n\r\n{JOIN}".encode()
LOOK = f"GET /healthz HTTP/1.1\r\nHost: {HOST}\r\n".encode()
POST = f"POST /staff/login HTTP/1.1\r\nHost: {HOST}\r\n".encode()


def ambiguous() -> Iterator[bytes]:
    """Each could hide a request behind its end."""
    length = str(len(HIDDEN)).encode()
    for first, second in (
        (b"0", length),
        (length, b"0"),
        (b"5", b"6"),
        (b"0", b"0x10"),
        (b"+5", b"5"),
        (b"5, 6", b"5"),
    ):
        yield POST + b"Content-Length: " + first + b"\r\nContent-Length: " + second + b"\r\n\r\n" + HIDDEN
    for value in (b"-1", b"+0", b"0x0", b"1e1", b"0,0", b"0 0", b"", b"9" * 30, b"\xd9\xa0"):
        yield POST + b"Content-Length: " + value + b"\r\n\r\n" + HIDDEN
    for coding in (
        b"chunked",
        b"Chunked",
        b"chunked, identity",
        b"identity, chunked",
        b"xchunked",
        b"chunked\x0b",
        b"gzip",
        b"\x00chunked",
        b"chunked, chunked",
    ):
        yield POST + b"Content-Length: 0\r\nTransfer-Encoding: " + coding + b"\r\n\r\n0\r\n\r\n" + HIDDEN
        yield POST + b"Transfer-Encoding: " + coding + b"\r\nContent-Length: " + length + b"\r\n\r\n0\r\n\r\n" + HIDDEN
    for header in (
        b"Transfer-Encoding : chunked",
        b" Transfer-Encoding: chunked",
        b"Transfer-Encoding\t: chunked",
        b"Transfer\x00-Encoding: chunked",
        b"X: 1\nTransfer-Encoding: chunked",
        b"X: 1\rTransfer-Encoding: chunked",
        b"Transfer-Encoding:\r\n chunked",
    ):
        yield POST + header + b"\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + HIDDEN
    for size in (b"-1", b"0x0", b"g", b"", b"1 1", b"f" * 20, b"+1", b"1\n", b"\x00"):
        yield POST + b"Transfer-Encoding: chunked\r\n\r\n" + size + b"\r\na\r\n0\r\n\r\n" + HIDDEN
    yield POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n" + HIDDEN
    yield POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\na" + HIDDEN
    yield POST + b"Transfer-Encoding: chunked\r\n\r\n1\na\n0\n\n" + HIDDEN


def odd() -> Iterator[bytes]:
    """Targets, lines and hosts that are not as they should be; what follows is within them, or nothing."""
    yield LOOK + b"X: a\r\n b\r\n\tContent-Length: 9\r\n\r\n"
    for target in (
        b"http://evil.example/healthz",
        b"http://evil.example:80@x/healthz",
        b"//evil.example/healthz",
        b"*",
        b"evil.example:443",
        b"/healthz#x",
        b"/healthz HTTP/1.1\r\nX: ",
        b"/healthz\x00",
        b"/../healthz",
        b"",
        b"http:///healthz",
        b"ftp://x/healthz",
        b"/%zz",
        b"/\xff\xfe",
        b"http://[::1",
        b"?x=1",
    ):
        for method in (b"GET", b"POST", b"CONNECT", b"OPTIONS"):
            yield method + b" " + target + b" HTTP/1.1\r\nHost: evil.example\r\n\r\n"
    for version in (b"HTTP/0.9", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/9.9", b"HTTP/1.1x", b"http/1.1", b""):
        yield b"GET /healthz " + version + b"\r\nHost: evil.example\r\n\r\n"
    for host in (
        b"",
        b"Host: a\r\nHost: b\r\n",
        b"Host: a b\r\n",
        b"Host:\r\n",
        b"Host: evil.example/x?y\r\n",
        b"Host : x\r\n",
    ):
        yield b"GET /staff HTTP/1.1\r\n" + host + b"\r\n"
    yield b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    yield LOOK + b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n\r\n"
    yield b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500
    yield b"\r\n" * 5000
    yield b"\x00" * 5000


async def hidden(house: House) -> int:
    """A second request within what may be a body: it is never done, however the first is answered."""
    tries = 0
    async with house.unmoved():
        for _ in range(house.times(5, 1)):
            for sent in house.some([*ambiguous()]):
                answer = await house.wire(sent)
                assert answer.startswith(b"HTTP/1.1 400"), (sent[:200], answer)
                assert answer.count(b"HTTP/1.1 ") == 1, (sent[:200], answer)
                tries += 1
    return tries


async def odd_lines(house: House) -> int:
    """Request lines, targets and hosts: answered once at most, and never with the host that they name."""
    tries = 0
    async with house.unmoved():
        for sent in house.some([*odd()]):
            answer = await house.wire(sent)
            assert answer.count(b"HTTP/1.1 ") <= 1, (sent, answer)
            assert b"HTTP/1.1 5" not in answer, (sent, answer)
            assert b"evil.example" not in answer, (sent, answer)
            tries += 1
    return tries
