"""Live updates: what a socket hears, and when, from whatever process a change comes."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from itertools import pairwise

import httpx
import pytest
from redis.asyncio import Redis

from announcer import Announcer
from queue_core.core import Core
from staff_web import hub
from tests.faults.conftest import Cellar, cellar, upstairs
from tests.staff_web.sockets import Socket, environ, opened, url
from tests.terminal import SECRET, Terminal, terminal
from tests.world import World

__all__ = ["cellar", "environ", "terminal", "upstairs", "url"]

EVERYTHING = "branch:4071"


@pytest.fixture
async def socket(url: str) -> AsyncIterator[Socket]:
    """A socket that follows the clinic."""
    async with opened(url) as socket:
        await socket.follow(EVERYTHING)
        yield socket


@pytest.fixture
async def own(world: World, redis: Redis) -> AsyncIterator[World]:
    """A world whose changes are announced, as by another process."""
    announcer = Announcer(redis)
    telling = asyncio.create_task(announcer.run())
    world.core = Core(world.pool, announcer)
    yield world
    telling.cancel()


@pytest.fixture
def no_polling(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub sees only what it is told of."""
    monkeypatch.setattr(hub, "POLL_SECONDS", 3600.0)


async def dial(client: httpx.AsyncClient, phone: str, *keys: str) -> None:
    """Dial the clinic and press keys, at this server."""
    for number, key in enumerate(("*384*40*4071#", *keys)):
        asked = {"session_id": f"of{phone[1:]}", "phone": phone, "selection": key, "request_id": str(number)}
        answer = await client.post("/ussd/inbound", headers={"X-Webhook-Secret": SECRET}, json=asked)
        assert answer.status_code == httpx.codes.OK
        assert "error" not in answer.json(), answer.text


async def test_a_join_and_a_call_are_heard(own: World, socket: Socket) -> None:
    await own.line(1, 2)
    *_, update = await socket.until("queue_update", waiting=2)
    assert update | {"version": 0} == {
        "type": "queue_update", "branch": "4071", "queue": "A", "version": 0, "waiting": 2, "status": "open"
    }  # fmt: skip
    ticket = await own.called("Room 2")
    *_, called, after = await socket.until("queue_update", waiting=1)
    assert ticket.called_at
    assert called | {"version": 0} == {
        "type": "ticket_called", "branch": "4071", "queue": "A", "ticket": "A001", "counter": "Room 2",
        "called_at": ticket.called_at.isoformat(), "again": False, "version": 0,
    }  # fmt: skip
    assert update["version"] < called["version"] == after["version"]


async def test_a_recall_says_that_it_is_one(own: World, socket: Socket) -> None:
    await own.line(1)
    await own.do("recall", await own.called())
    heard = await socket.until("ticket_called", again=True)
    assert [(event["ticket"], event["again"]) for event in heard if event["type"] == "ticket_called"] == [
        ("A001", False),
        ("A001", True),
    ]


async def test_a_call_after_an_undone_one_is_another_call(own: World, socket: Socket) -> None:
    await own.line(1)
    await own.do("take_back", await own.called())
    await socket.until("queue_update", waiting=1)
    again = await own.called()
    assert again.called_at
    await socket.until("ticket_called", ticket="A001", called_at=again.called_at.isoformat(), again=False)


async def test_what_is_no_call_is_not_heard_as_one(own: World, socket: Socket) -> None:
    await own.line(1, 2)
    called = await own.called()
    await own.coming(1)
    await own.do("start", called)
    await own.pause()
    heard = await socket.until("queue_update", status="paused")
    assert [event["ticket"] for event in heard if event["type"] == "ticket_called"] == ["A001"]


async def test_a_socket_hears_only_what_it_follows(own: World, url: str) -> None:
    async with opened(url) as socket:
        await socket.follow("queue:4071/P")
        await own.join(1, "A")
        await own.join(2, "C")
        await own.join(3, "P")
        event = await socket.next()
        assert (event["type"], event["queue"], event["waiting"]) == ("queue_update", "P", 1)


async def test_what_is_no_longer_followed_is_not_heard(own: World, url: str) -> None:
    async with opened(url) as socket:
        await socket.follow("queue:4071/A")
        await socket.say(type="unsubscribe", to="queue:4071/A")
        await socket.follow("queue:4071/P")
        await own.join(1, "A")
        await own.join(2, "P")
        assert (await socket.next())["queue"] == "P"


async def test_a_ticket_hears_how_many_are_ahead_and_its_end(own: World, url: str) -> None:
    _, ticket = await own.line(1, 2)
    async with opened(url) as socket:
        await socket.follow(f"ticket:{ticket.id}")
        for ahead in (1, 0):
            event = await socket.next()
            assert event.pop("version") > 0
            now = {"status": "waiting", "ahead": ahead, "minutes": None}
            assert event == {"type": "ticket_update", "ticket": ticket.id, **now}
            if ahead:
                await own.called()
        await own.leave(2)
        assert (await socket.next())["status"] == "cancelled"


async def test_many_changes_at_once_are_few_looks_and_few_events(own: World, socket: Socket) -> None:
    await asyncio.gather(*(own.join(person) for person in range(1, 61)))
    heard = await socket.until("queue_update", waiting=60)
    assert len(heard) < 30
    assert [event["version"] for event in heard] == sorted(event["version"] for event in heard)


async def test_no_call_is_lost_among_many(own: World, socket: Socket) -> None:
    await own.line(*range(1, 31))
    calls = [(await own.called(finish="complete")).label for _ in range(30)]
    await own.close(send_home=True)
    heard = await socket.until("queue_update", status="closed")
    assert [event["ticket"] for event in heard if event["type"] == "ticket_called"] == calls


async def test_versions_never_go_back(own: World, socket: Socket) -> None:
    async def busy(queue: str, room: str, people: range) -> None:
        for person in people:
            await own.join(person, queue)
            await own.call(room, queue, finish="complete")

    await asyncio.gather(
        busy("A", "Room 1", range(1, 11)), busy("P", "Room 2", range(11, 21)), busy("L", "Room 3", range(21, 31))
    )
    await own.close("A")
    heard = await socket.until("queue_update", queue="A", status="closed")
    assert all(one["version"] <= other["version"] for one, other in pairwise(heard))


async def test_a_change_in_the_own_process_needs_no_redis(no_polling: None, url: str, world: World) -> None:
    del no_polling, world
    async with opened(url) as socket, httpx.AsyncClient(base_url=url) as client:
        await socket.follow(EVERYTHING)
        await dial(client, "+254711000031", "1", "1")
        await socket.until("queue_update", queue="A", waiting=1)


async def test_a_change_in_another_process_comes_by_redis(no_polling: None, socket: Socket, own: World) -> None:
    del no_polling
    await own.line(1)
    await socket.until("queue_update", queue="A", waiting=1)


async def test_a_change_that_nobody_announced_is_found(world: World, socket: Socket) -> None:
    await world.line(1)
    await world.called()
    heard = await socket.until("ticket_called", ticket="A001")
    assert len(heard) <= 3


async def test_a_change_in_one_process_reaches_a_socket_of_another(terminal: Terminal, world: World) -> None:
    del world
    with terminal.serving() as server:
        async with opened(server.url) as socket:
            await socket.follow(EVERYTHING)
            await asyncio.to_thread(terminal.ask, "ticket", "join", "4071/A", "+254711000077")
            await asyncio.to_thread(terminal.ask, "queue", "call-next", "4071/A", "--counter", "Room 3")
            heard = await socket.until("ticket_called", ticket="A001", counter="Room 3")
    assert "254711000077" not in json.dumps(heard)


async def test_what_one_web_process_changes_reaches_a_socket_of_another(terminal: Terminal, world: World) -> None:
    del world
    with terminal.serving() as one, terminal.serving() as other:
        async with opened(one.url) as near, opened(other.url) as far, httpx.AsyncClient(base_url=one.url) as client:
            await near.follow(EVERYTHING)
            await far.follow(EVERYTHING)
            await dial(client, "+254711000031", "1", "1")
            await near.until("queue_update", queue="A", waiting=1)
            await far.until("queue_update", queue="A", waiting=1)


async def test_without_redis_sockets_hear_all_the_same(cellar: Cellar, upstairs: Terminal) -> None:
    with upstairs.serving() as server:
        async with opened(server.url) as socket, httpx.AsyncClient(base_url=server.url) as client:
            await socket.follow("queue:4071/L")
            await cellar.stop_valkey(signal.SIGKILL)
            await dial(client, cellar.number(), "3", "1")
            await socket.until("queue_update", queue="L")
            await asyncio.to_thread(upstairs.ask, "queue", "call-next", "4071/L", "--counter", "Room 4")
            await socket.until("ticket_called", queue="L", counter="Room 4")


async def test_a_slow_reader_holds_up_nobody_and_hears_the_latest(own: World, url: str, socket: Socket) -> None:
    async with opened(url) as slow:
        await slow.follow(EVERYTHING)
        slow.connection.transport.pause_reading()
        await own.line(*range(1, 41))
        await socket.until("queue_update", waiting=40)
        slow.connection.transport.resume_reading()
        heard = await slow.until("queue_update", waiting=40)
        assert len(heard) <= 40


async def test_no_event_holds_a_name_or_a_phone(own: World, socket: Socket) -> None:
    await own.join(1, name="Njeri Hidden")
    await own.do("recall", await own.called())
    await own.leave(1)
    await own.pause()
    heard = json.dumps(await socket.until("queue_update", status="paused"))
    assert '"again": true' in heard
    assert "Hidden" not in heard
    assert "2547" not in heard
