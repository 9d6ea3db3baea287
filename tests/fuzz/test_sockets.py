"""Sockets: however one is opened and whatever is said on it, the answer is an event, or an end with a reason."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from staff_web.guard import COOKIE
from tests.fuzz.bent import bent, bent_object
from tests.fuzz.doors import sockets
from tests.fuzz.kept import changes
from tests.fuzz.place import Place
from tests.fuzz.talks import examples
from tests.fuzz.wild import BYTES, WORDS, in_header
from tests.fuzz.wire import SECONDS, Asked, opened
from tests.webhooks.conftest import PUBLIC_URL

EVENTS: Final = {"subscribed", "refused", "queue_update", "ticket_called", "ticket_update", "ping"}
LAST: Final = "queue:4071/A"
SUBSCRIBE: Final = b'{"type": "subscribe", "to": "branch:4071"}'
SAID: Final = st.lists(
    bent_object(SUBSCRIBE).map(lambda said: said.decode(errors="replace"))
    | WORDS.map(lambda words: words.encode(errors="replace").decode())
    | WORDS.map(lambda words: json.dumps({"type": "subscribe", "to": words}))
    | st.just('{"type":"pong"}')
    | BYTES,
    max_size=6,
)
SHAKES: Final = (b"sec-websocket-key", b"sec-websocket-version", b"sec-websocket-extensions", b"upgrade", b"origin")
SHAKEN: Final = WORDS.map(in_header) | st.sampled_from(
    [b"13", b"8", b"permessage-deflate; x=", b"websocket, h2c", b"null"]
)
WHO: Final = st.sampled_from(["nobody", "clinic1", "manager", "admin"])


async def _heard(socket: ClientConnection) -> None:
    """Events until the last one asked for, or an end with a reason."""
    with contextlib.suppress(ConnectionClosed):
        await socket.send(json.dumps({"type": "subscribe", "to": LAST}))
        while True:
            event = json.loads(await socket.recv())
            assert event["type"] in EVENTS
            if event.get("to") == LAST:
                return
    assert socket.close_code in {1007, 1008, 1009}
    assert socket.close_reason


@pytest.mark.asyncio(loop_scope="package")
@pytest.mark.parametrize("path", sockets())
@examples(15)
@given(said=SAID)
async def test_whatever_is_said_on_a_socket_has_an_answer_and_changes_nothing(
    place: Place, path: str, said: list[str | bytes]
) -> None:
    before = await place.kept.stored()
    headers = {"origin": PUBLIC_URL, "cookie": f"{COOKIE}={place.people['clinic1'].token}"}
    url = place.url.replace("http", "ws", 1) + path
    with place.alarms.silent():
        async with asyncio.timeout(SECONDS), connect(url, additional_headers=headers) as socket:
            with contextlib.suppress(ConnectionClosed):
                for words in said:
                    await socket.send(words)
            await _heard(socket)
    assert changes(before, await place.kept.stored()) == set()


@pytest.mark.asyncio(loop_scope="package")
@pytest.mark.parametrize("path", sockets())
@examples(15)
@given(data=st.data())
async def test_however_a_socket_is_opened_it_is_one_or_is_refused_in_words(
    place: Place, path: str, data: st.DataObject
) -> None:
    asked = data.draw(bent(_handshake(path, place.people[data.draw(WHO)].token)))
    for name in data.draw(st.lists(st.sampled_from(SHAKES), max_size=2)):
        asked = Asked(asked.method, asked.path, asked.query, asked.with_header(name, data.draw(SHAKEN)))
    before = await place.kept.stored()
    with place.alarms.silent():
        async with asyncio.timeout(SECONDS), opened(place.url) as (reader, writer):
            writer.write(asked.raw())
            head = await reader.readuntil(b"\r\n\r\n")
            status = int(head.split()[1])
            if status == 101:
                writer.write(data.draw(BYTES))
            writer.write_eof()
            await reader.read()
    assert status in {101, 200, 303, 307, 400, 403, 404, 405, 426}
    assert changes(before, await place.kept.stored()) == set()


def _handshake(path: str, token: str) -> Asked:
    headers = {
        "host": "queue.example.org",
        "origin": PUBLIC_URL,
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        "sec-websocket-version": "13",
        "cookie": f"{COOKIE}={token}",
    }
    return Asked(
        "GET", path.encode(), headers=tuple((name.encode(), value.encode()) for name, value in headers.items())
    )
