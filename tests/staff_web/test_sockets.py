"""Sockets: who may open one, what may be said on it, and how it ends."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

import settings as settings_module
from app import create_app
from queue_core import accounts
from staff_web import hub, live
from tests.staff_web.conftest import HOME, PASSWORD
from tests.staff_web.sockets import environ, opened, serving, url
from tests.world import World

__all__ = ["environ", "url"]

EVERYTHING = "branch:4071"
RUBBISH = [
    "", "rubbish", "{", "[]", "3", "null", '"ping"', "[" * 4000, "{}", '{"type":"shout"}', '{"type":"subscribe"}',
    '{"type":"subscribe","to":4071}',
]  # fmt: skip
NOWHERE = [
    "branch:9999", "branch:40711", "queue:4071/Z", "queue:9999/A", "ticket:00000000-0000-4000-8000-000000000000",
    "ticket:------------------------------------", "branch:\u0664\u0660\u0667\u0661", "", "branch:4071\n", "x" * 500,
]  # fmt: skip
STRANGERS = [
    "https://evil.example", "http://queue.example.org", "https://queue.example.org:8443", "null", "", "http://[",
    "https://queue.example.org.evil.example", "http://127.0.0.1", "http://localhost:1",
]  # fmt: skip


async def refused(url: str, path: str = "/ws", **how: Any) -> int:
    """The status with which a socket is refused before it begins."""
    with pytest.raises(InvalidStatus) as refusal:
        async with opened(url, path, **how):
            pass
    return refusal.value.response.status_code


async def token(world: World, login: str = "clinic1") -> str:
    return await accounts.log_in(world.core, login, PASSWORD, "", "192.0.2.1")


@pytest.mark.parametrize("origin", STRANGERS)
async def test_another_site_opens_no_socket(url: str, origin: str) -> None:
    assert await refused(url, origin=origin) == httpx.codes.FORBIDDEN
    assert await refused(url, "/staff/ws", origin=origin) == httpx.codes.FORBIDDEN


async def test_our_own_site_opens_one(url: str) -> None:
    for origin in (HOME, url):
        async with opened(url, origin=origin) as socket:
            assert (await socket.follow(EVERYTHING))["type"] == "subscribed"


async def test_a_request_without_origin_opens_no_socket(url: str) -> None:
    with pytest.raises(InvalidStatus):
        await connect(url.replace("http", "ws") + "/ws", ping_interval=None)


@pytest.mark.parametrize("rubbish", RUBBISH)
async def test_rubbish_ends_the_socket_with_a_reason(url: str, rubbish: str) -> None:
    async with opened(url) as socket:
        await socket.connection.send(rubbish)
        assert await socket.ended() == live.NOT_UNDERSTOOD


async def test_bytes_are_rubbish_too(url: str) -> None:
    async with opened(url) as socket:
        await socket.connection.send(b'{"type":"pong"}')
        assert await socket.ended() == live.NOT_UNDERSTOOD


async def test_a_message_that_is_too_long_ends_the_socket(url: str) -> None:
    async with opened(url) as socket:
        await socket.connection.send("x" * (live.MESSAGE_BYTES + 1))
        assert (await socket.ended())[0] == 1009


@pytest.mark.parametrize("name", NOWHERE)
async def test_what_is_not_there_cannot_be_followed(url: str, world: World, name: str) -> None:
    del world
    async with opened(url) as socket:
        await socket.say(type="subscribe", to=name)
        assert await socket.next() == {"type": "refused", "to": name, "why": live.UNKNOWN}


async def test_a_socket_follows_at_most_twenty_things(url: str, world: World) -> None:
    people = await world.line(*range(1, 22))
    async with opened(url) as socket:
        for ticket in people[:20]:
            await socket.follow(f"ticket:{ticket.id}")
        await socket.follow(f"ticket:{people[0].id}")
        await socket.say(type="subscribe", to=f"ticket:{people[20].id}")
        assert (await socket.until("refused"))[-1]["why"] == live.TOO_MANY


async def test_who_asks_without_end_is_ended(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_ASKED", 3)
    async with opened(url) as socket:
        for _ in range(3):
            await socket.follow(EVERYTHING)
        await socket.say(type="subscribe", to=EVERYTHING)
        assert await socket.ended() == live.TOO_MUCH


async def test_a_process_holds_so_many_sockets_and_no_more(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "MOST_SOCKETS", 1)
    monkeypatch.setattr(hub, "FOR_STAFF", 0)
    async with opened(url) as socket:
        await socket.follow(EVERYTHING)
        assert await refused(url) == httpx.codes.SERVICE_UNAVAILABLE


async def test_strangers_leave_room_for_staff(url: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "MOST_SOCKETS", 2)
    monkeypatch.setattr(hub, "FOR_STAFF", 1)
    async with opened(url, address="192.0.2.1"):
        assert await refused(url, address="192.0.2.2") == httpx.codes.SERVICE_UNAVAILABLE
        async with opened(url, "/staff/ws", cookie=f"__Host-zamu={await token(world)}") as socket:
            await socket.follow(EVERYTHING)
            other = f"__Host-zamu={await token(world, 'manager')}"
            assert await refused(url, "/staff/ws", cookie=other) == httpx.codes.SERVICE_UNAVAILABLE


async def test_one_address_does_not_take_the_room_of_all(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "MOST_OF_ONE_ADDRESS", 1)
    for _ in range(2):
        async with opened(url, address="2001:db8::1"), opened(url, address="192.0.2.2"):
            assert await refused(url, address="2001:db8::2") == httpx.codes.SERVICE_UNAVAILABLE


async def test_whose_word_for_an_address_counts_is_settled(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "MOST_OF_ONE_ADDRESS", 1)
    app = create_app(settings_module.load(environ))
    async with serving(app, "10.0.0.5") as url, opened(url, address="192.0.2.1"):
        assert await refused(url, address="192.0.2.2") == httpx.codes.SERVICE_UNAVAILABLE


async def test_a_refusal_is_no_error_of_ours(url: str, caplog: pytest.LogCaptureFixture) -> None:
    assert await refused(url, origin="https://evil.example") == httpx.codes.FORBIDDEN
    async with opened(url) as socket:
        await socket.follow(EVERYTHING)
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


async def test_no_path_of_a_socket_is_logged(url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "uvicorn.error")
    assert await refused(url, "/hooks/africastalking/ussd/a-secret-in-it") == 403
    async with opened(url, "/ws?a-secret-in-it", origin=HOME):
        pass
    assert "a-secret" not in caplog.text


async def test_a_ping_comes_and_silence_ends_the_socket(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "PING_SECONDS", 0.0)
    monkeypatch.setattr(live, "SILENCE_SECONDS", 1.5)
    async with opened(url) as silent, opened(url) as awake:
        while awake.pings < 2:
            await awake.connection.send('{"type":"pong"}')
            assert json.loads(await awake.connection.recv()) == {"type": "ping"}
            awake.pings += 1
        assert await silent.ended() == live.SILENT


async def test_staff_need_a_session(url: str, world: World) -> None:
    del world
    assert await refused(url, "/staff/ws") == httpx.codes.FORBIDDEN
    assert await refused(url, "/staff/ws", cookie="__Host-zamu=made-up") == httpx.codes.FORBIDDEN


async def test_a_printed_password_opens_no_socket(url: str, world: World) -> None:
    cookie = f"__Host-zamu={await token(world)}"
    await world.pool.execute("update staff set must_change_password = true")
    assert await refused(url, "/staff/ws", cookie=cookie) == httpx.codes.FORBIDDEN


async def test_staff_follow_their_own_branch_only(url: str, world: World) -> None:
    (strange,) = await world.line(1, queue="C")
    async with opened(url, "/staff/ws", cookie=f"__Host-zamu={await token(world)}") as socket:
        await socket.follow(EVERYTHING)
        for name in ("branch:5084", "queue:5084/C", f"ticket:{strange.id}"):
            await socket.say(type="subscribe", to=name)
            assert await socket.next() == {"type": "refused", "to": name, "why": live.UNKNOWN}
    async with opened(url, "/staff/ws", cookie=f"__Host-zamu={await token(world, 'admin')}") as socket:
        await socket.follow("branch:5084")


async def test_a_revoked_session_ends_its_socket(url: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "RECHECK_SECONDS", 0.1)
    revoked, good = await token(world), await token(world, "manager")
    async with (
        opened(url, "/staff/ws", cookie=f"__Host-zamu={revoked}") as socket,
        opened(url, "/staff/ws", cookie=f"__Host-zamu={good}") as other,
        opened(url) as public,
    ):
        await socket.follow(EVERYTHING)
        await accounts.log_out(world.core, revoked)
        assert await socket.ended() == hub.OVER
        await other.follow(EVERYTHING)
        await public.follow(EVERYTHING)


async def test_the_product_looks_at_sessions_often_enough() -> None:
    assert hub.RECHECK_SECONDS <= 15
    assert hub.PING_SECONDS * 2 < live.SILENCE_SECONDS


async def test_who_never_reads_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "MOST_MAIL", 3)
    stuck, ended = asyncio.Event(), []

    async def send(_text: str) -> None:
        await stuck.wait()

    box = hub.Mailbox(send, lambda code, reason: ended.append((code, reason)))
    box.put(object(), "the one that is stuck")
    await asyncio.sleep(0)
    for number in range(4):
        assert ended == []
        box.put("state", f"only the latest, {number}")
        box.put(object(), "a call") if number < 2 else None
    box.put(object(), "one call too many")
    assert ended == [hub.CUT_OFF]
    box.close()


async def test_a_hub_forgets_what_nobody_follows(world: World, url: str) -> None:
    del url
    (ticket,) = await world.line(1)
    made = hub.Hub(world.core)
    box = hub.Mailbox(_swallow, lambda _code, _reason: None)
    place = await live._find(world.core, f"ticket:{ticket.id}")  # noqa: SLF001
    assert place
    assert made.take_in(box)
    made.follow(box, "a", *place)
    branch = await live._find(world.core, EVERYTHING)  # noqa: SLF001
    assert branch
    made.follow(box, "b", *branch)
    made.leave(box)
    for kept in (made.boxes, made._strangers, made._readers, made._watches, made._branch_of, made._tickets):  # noqa: SLF001
        assert not kept


async def _swallow(_text: str) -> None:
    """Nobody reads it."""
