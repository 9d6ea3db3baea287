"""More callers at once than a process can serve while its database hangs: words for each, and memory stays flat."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlencode

import asyncpg
import httpx

from overload import MOST, MOST_OF_ALL
from tests.commands.conftest import database, terminal
from tests.terminal import SECRET, Process, Terminal
from tests.world import phone, seeded, world

__all__ = ["database", "seeded", "terminal", "world"]

ROUNDS = 4
EXTRA = 300  # more than there is room for
MOST_GROWTH = 40_000_000  # bytes, after the first round: sockets and tasks are there by then
PATIENCE = 60


async def _dial(url: str, caller: int, turn: int) -> tuple[int, str]:
    """On a connection of its own: the status, and the name of the screen."""
    host, _, port = url.removeprefix("http://").partition(":")
    fields = {"sessionId": f"{turn}-{caller}", "phoneNumber": phone(caller), "serviceCode": "*384*40#", "text": ""}
    body = urlencode(fields)
    head = (
        f"POST /hooks/africastalking/ussd/{SECRET} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write((head + body).encode())
        answer = (await reader.read()).decode()
        writer.close()
    headers, _, words = answer.partition("\r\n\r\n")
    assert words.startswith(("CON ", "END ")), answer
    return int(headers.split()[1]), headers.partition("at-ussd-hop-metadata: ")[2].partition("\r\n")[0]


def _resident(server: Process) -> int:
    return int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]) * 4096


async def _flood(url: str, turn: int) -> Counter[tuple[int, str]]:
    return Counter(await asyncio.gather(*(_dial(url, caller, turn) for caller in range(MOST + EXTRA))))


async def test_a_flood_is_answered_with_words_and_memory_stays_flat(terminal: Terminal, database: str) -> None:
    assert EXTRA < MOST_OF_ALL - MOST
    held: list[int] = []
    with terminal.serving() as server:
        for turn in range(ROUNDS):
            blocker = await asyncpg.connect(database)
            await blocker.execute("begin; lock table tickets in access exclusive mode")
            try:
                flood = asyncio.create_task(_flood(server.url, turn))
                refused = await _until_others_are_refused(server.url)
                answers = await flood
            finally:
                await blocker.close()
            assert refused.headers["retry-after"]
            assert {status for status, _ in answers} == {200}
            assert answers[200, "overloaded"] >= EXTRA // 2
            assert sum(answers.values()) == MOST + EXTRA
            held.append(_resident(server))
        assert max(held[1:]) - held[0] < MOST_GROWTH, held
        status, screen = await _dial(server.url, 1, ROUNDS)
        assert (status, screen) == (200, "home")


async def _until_others_are_refused(url: str) -> httpx.Response:
    """A page is refused while callers fill the process, and whoever watches over it is not."""
    deadline = time.monotonic() + PATIENCE
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE) as client:
        while True:
            page = await client.get("/staff/login")
            if page.status_code == httpx.codes.SERVICE_UNAVAILABLE:
                assert (await client.get("/healthz")).status_code == httpx.codes.OK
                return page
            assert time.monotonic() < deadline
