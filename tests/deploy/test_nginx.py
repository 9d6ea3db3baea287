"""The sample for nginx, with the real one: what it lets through, what it keeps away, and who waits where."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import websockets

from tests.commands.conftest import database, terminal
from tests.deploy.proxy import MISSING, NAME, NGINX, Proxy, before
from tests.monitoring.scraping import scrape
from tests.terminal import SECRET, Process, Terminal
from tests.world import phone, seeded, world

__all__ = ["database", "seeded", "terminal", "world"]

pytestmark = pytest.mark.skipif(NGINX is None, reason=MISSING)

DIAL = {"sessionId": "s1", "phoneNumber": phone(1), "serviceCode": "*384*40#", "text": ""}
SLOW = 200  # sockets
TIMES = 4
AIRTEL = "the-secret-of-airtel-alone"
ROUTE = "/hooks/{gateway}/ussd/{secret}"


@dataclass(frozen=True, slots=True)
class Street:
    """What somebody outside sees: nginx, and what is behind it."""

    proxy: Proxy
    server: Process
    client: httpx.AsyncClient

    async def dial(self) -> httpx.Response:
        return await self.client.post(f"/hooks/africastalking/ussd/{SECRET}", data=DIAL)

    def asked(self, route: str) -> int:
        """How many requests of this route came through."""
        return sum(line["message"].endswith(f" {route}") for line in self.server.logged)


@pytest.fixture
async def street(terminal: Terminal, tmp_path: Path) -> AsyncIterator[Street]:
    async with _street(terminal, tmp_path) as made:
        yield made


@asynccontextmanager
async def _street(terminal: Terminal, tmp_path: Path, *others: int) -> AsyncIterator[Street]:
    """With others beside the server, whom nginx asks in turn with it."""
    with terminal.serving(ZAMU_PUBLIC_URL=f"https://{NAME}", ZAMU_USSD_SECRETS=f"airtel={AIRTEL}") as server:
        (tmp_path / "nginx").mkdir()
        with before([*others, int(server.url.rpartition(":")[2])], tmp_path / "nginx") as proxy:
            transport = _To(proxy, httpx.AsyncHTTPTransport(verify=proxy.trusted))
            async with httpx.AsyncClient(base_url=f"https://{NAME}", transport=transport, timeout=30) as client:
                yield Street(proxy, server, client)


class _To(httpx.AsyncBaseTransport):
    """The public name, at a port of this machine."""

    def __init__(self, proxy: Proxy, inner: httpx.AsyncHTTPTransport) -> None:
        self._proxy, self._inner = proxy, inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.headers["host"] = NAME
        request.extensions["sni_hostname"] = NAME
        port = self._proxy.port if request.url.scheme == "https" else self._proxy.plain_port
        request.url = request.url.copy_with(host="127.0.0.1", port=port)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


async def test_callers_come_through_and_what_is_for_the_inside_does_not(street: Street) -> None:
    assert (await street.dial()).text.startswith("CON ")
    plain = await street.client.get(f"http://{NAME}/display/4071?x=1")
    assert (plain.status_code, plain.headers["location"]) == (308, f"https://{NAME}/display/4071?x=1")
    for path in ("/metrics", "/readyz"):
        assert (await street.client.get(path)).status_code == 404
        assert street.asked(path) == 0
    assert (await street.client.get("/healthz")).json() == {"status": "ok"}


async def test_the_secret_of_a_gateway_is_in_none_of_its_logs(street: Street, tmp_path: Path) -> None:
    assert (await street.dial()).text.startswith("CON ")
    await street.client.get("/staff/login")
    street.server.kill()
    assert (await street.dial()).status_code == 502
    logs = {name: (tmp_path / "nginx" / name).read_text() for name in ("access", "errors")}
    assert "GET /staff/login" in logs["access"]
    assert [name for name, text in logs.items() if SECRET in text] == []


async def test_what_is_too_large_never_reaches_us(street: Street) -> None:
    answer = await street.client.post(f"/hooks/africastalking/ussd/{SECRET}", content=b"x" * 100_000)
    assert answer.status_code == 413
    assert street.asked(ROUTE) == 0


async def test_a_limit_counts_who_really_asks_and_not_who_he_says_he_is(street: Street) -> None:
    answers = [await street.client.get("/nowhere", headers={"x-forwarded-for": f"10.0.0.{n}"}) for n in range(200)]
    assert {answer.status_code for answer in answers} == {404, 429}
    assert (await street.dial()).text.startswith("CON ")


async def test_styles_and_scripts_are_kept_at_the_door(street: Street) -> None:
    page = (await street.client.get("/staff/login")).text
    path = page.partition('href="')[2].partition('"')[0]
    answers = [await street.client.get(path) for _ in range(5)]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert street.asked("/static/{name}") == 1


async def test_a_board_follows_live_through_it(street: Street) -> None:
    async with websockets.connect(
        f"wss://{NAME}/ws",
        host="127.0.0.1",
        port=street.proxy.port,
        ssl=street.proxy.trusted,
        origin=websockets.Origin(f"https://{NAME}"),
        proxy=None,
    ) as socket:
        await socket.send(json.dumps({"type": "subscribe", "to": "branch:4071"}))
        assert json.loads(await socket.recv())["type"] == "subscribed"


async def test_slow_clients_wait_at_the_door_and_callers_do_not(street: Street) -> None:
    head = f"POST /hooks/africastalking/ussd/{SECRET} HTTP/1.1\r\nHost: {NAME}\r\n"
    half_a_head, half_a_body = head + "X-Slow:", head + "Content-Length: 500\r\n\r\nsessionId="
    doors = await asyncio.gather(*(_open(street.proxy) for _ in range(SLOW)))
    for number, (_, writer) in enumerate(doors):
        writer.write((half_a_body if number % 2 else half_a_head).encode())
        await writer.drain()
    assert (await street.dial()).text.startswith("CON ")
    seen = await asyncio.to_thread(scrape, street.server.url)
    assert seen.total("zamu_requests_in_hand") == 0
    async with asyncio.timeout(60):
        await asyncio.gather(*(_until_closed(reader) for reader, _ in doors))
    for _, writer in doors:
        writer.close()
    assert street.asked(ROUTE) == 1


@dataclass(slots=True)
class Dying:
    """A server that dies of every request. `asked` is of how many."""

    asked: int = 0

    async def die(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        self.asked += 1
        writer.transport.abort()


@asynccontextmanager
async def _half_dead(terminal: Terminal, tmp_path: Path) -> AsyncIterator[tuple[Street, Dying]]:
    dying = Dying()
    async with (
        await asyncio.start_server(dying.die, "127.0.0.1", 0) as listener,
        _street(terminal, tmp_path, listener.sockets[0].getsockname()[1]) as street,
    ):
        yield street, dying


async def test_what_a_dead_server_took_with_it_is_asked_of_the_next(terminal: Terminal, tmp_path: Path) -> None:
    async with _half_dead(terminal, tmp_path) as (street, dying):
        for _ in range(TIMES):
            assert (await street.dial()).text.startswith("CON ")
        assert dying.asked


async def test_what_could_be_a_second_press_is_not_asked_twice(terminal: Terminal, tmp_path: Path) -> None:
    """Where a gateway sends the last key alone, and no name for the request."""
    ask = {"session_id": "1", "phone": phone(1), "selection": "1"}
    key = {"SessionID": "1", "MSISDN": phone(2).removeprefix("+"), "input": "1"}
    async with _half_dead(terminal, tmp_path) as (street, dying):

        def neutral() -> Awaitable[httpx.Response]:
            return street.client.post("/ussd/inbound", json=ask, headers={"X-Webhook-Secret": SECRET})

        def airtel() -> Awaitable[httpx.Response]:
            return street.client.get(f"/hooks/airtel/ussd/{AIRTEL}", params=key)

        for press in (neutral, airtel):
            dying.asked = 0
            statuses = [(await press()).status_code for _ in range(TIMES)]
            assert 0 < statuses.count(502) == dying.asked < TIMES


async def _open(proxy: Proxy) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", proxy.port, ssl=proxy.trusted, server_hostname=NAME)


async def _until_closed(reader: asyncio.StreamReader) -> None:
    while await reader.read(4096):
        pass
