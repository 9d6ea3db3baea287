"""Who is slow, or sends without end, is sent away by the server itself; a proxy in front only spares it the work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from commands import patience
from commands.patience import MOST_HEAD
from tests.disturbing import PATIENCE
from tests.staff_web.sockets import serving

LARGE = "x" * 200_000
HEAD = "POST /said HTTP/1.1\r\nHost: zamu\r\n"


async def _said(request: Request) -> PlainTextResponse:
    body = await request.body()
    return PlainTextResponse(f"{len(body)} {request.headers.get('x-last', '')}")


async def _large(_request: Request) -> PlainTextResponse:
    return PlainTextResponse(LARGE)


@pytest.fixture
async def url() -> AsyncIterator[str]:
    app = Starlette(routes=[Route("/said", _said, methods=["POST"]), Route("/large", _large)])
    async with serving(app) as url:
        yield url


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "HEAD_SECONDS", 0.2)
    monkeypatch.setattr(patience, "READ_SECONDS", 0.2)


async def _open(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = url.removeprefix("http://").partition(":")
    return await asyncio.open_connection(host, int(port))


async def _answer(url: str, sent: str) -> str:
    """Until the server hangs up."""
    reader, writer = await _open(url)
    async with asyncio.timeout(PATIENCE):
        writer.write(sent.encode())
        answer = await reader.read()
    writer.close()
    return answer.decode()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "sent", ["", "\r\n", "POST", HEAD, HEAD + "X-Slow:", HEAD + "Content-Length: 0\r\n\r\n" + HEAD]
)
async def test_a_request_that_does_not_come_to_its_headers_end_is_hung_up_on(url: str, sent: str) -> None:
    answer = await _answer(url, sent)
    assert answer.count("HTTP/1.1 200") == sent.count("\r\n\r\n")


@pytest.mark.usefixtures("impatient")
async def test_who_goes_on_sending_after_the_answer_is_hung_up_on(url: str) -> None:
    answer = await _answer(url, "GET /nowhere HTTP/1.1\r\nHost: zamu\r\nContent-Length: 99999\r\n\r\na")
    assert "404 Not Found" in answer


@pytest.mark.usefixtures("impatient")
async def test_who_does_not_read_the_answer_is_hung_up_on(url: str) -> None:
    reader, writer = await _open(url)
    writer.write(b"GET /large HTTP/1.1\r\nHost: zamu\r\n\r\n" * 100)
    async with asyncio.timeout(PATIENCE):
        while not await _is_gone(writer):
            pass
    assert reader.exception()


async def _is_gone(writer: asyncio.StreamWriter) -> bool:
    try:
        writer.write(b"\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)
    except OSError:
        return True
    return False


async def test_a_body_that_nobody_wants_is_not_read_for_ever(url: str) -> None:
    _, writer = await _open(url)
    writer.write(b"GET /nowhere HTTP/1.1\r\nHost: zamu\r\nContent-Length: 999999999999\r\n\r\n")
    with pytest.raises(OSError, match=r"reset|lost|pipe"):
        await _pour(writer)


async def _pour(writer: asyncio.StreamWriter) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            writer.write(b"a" * 100_000)
            await writer.drain()


@pytest.mark.usefixtures("impatient")
async def test_an_honest_request_may_take_longer_than_its_headers(url: str) -> None:
    reader, writer = await _open(url)
    writer.write((HEAD + "Content-Length: 4\r\nConnection: close\r\n\r\n").encode())
    for _ in range(4):
        await asyncio.sleep(0.1)
        writer.write(b"a")
    assert (await reader.read()).endswith(b"4 ")
    writer.close()


@pytest.mark.parametrize(
    "sent",
    [
        HEAD + "X-Large: " + "a" * MOST_HEAD + "\r\n\r\n",
        HEAD + "X-Many: 1\r\n" * (MOST_HEAD // 5),
        "POST /" + "a" * MOST_HEAD + " HTTP/1.1\r\n\r\n",
        HEAD + "X-Large: " + "a" * 5_000_000,
        HEAD + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Last: " + "a" * 5_000_000,
        HEAD + "Transfer-Encoding: chunked\r\n\r\n1;" + "a" * 5_000_000,
    ],
    ids=["one header", "many headers", "the line", "no end", "a trailer without end", "a chunk's size without end"],
)
async def test_too_much_besides_a_body_is_refused(url: str, sent: str) -> None:
    reader, writer = await _open(url)
    try:
        async with asyncio.timeout(PATIENCE):
            writer.write(sent.encode())
            assert (await reader.read()).startswith(b"HTTP/1.1 400")
    except ConnectionResetError:
        pass  # refused while more was on its way
    finally:
        writer.close()


async def test_a_body_may_be_longer_than_headers_may(url: str) -> None:
    body = "a" * (4 * MOST_HEAD)
    answer = await _answer(url, f"{HEAD}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}")
    assert answer.endswith(f"{len(body)} ")


async def test_a_trailer_becomes_no_header(url: str) -> None:
    chunked = "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n1\r\na\r\n0\r\nX-Last: planted\r\n\r\n"
    assert (await _answer(url, HEAD + chunked)).endswith("1 ")


async def test_a_request_that_is_being_answered_when_its_connection_ends_is_no_fault_of_ours(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Behind it comes another, and what is no request; or the caller hangs up."""
    look = "GET /large HTTP/1.1\r\nHost: zamu\r\n\r\n"
    for _ in range(20):
        assert "400 Bad Request" in await _answer(url, f"{look * 3}\0\0")
        reader, writer = await _open(url)
        writer.write(f"{look * 9}".encode())
        await reader.read(1)
        writer.transport.abort()
    assert await _answer(url, f"{HEAD}Content-Length: 0\r\nConnection: close\r\n\r\n")
    assert [record for record in caplog.records if record.exc_info] == []
