"""A delivery that comes again changes nothing and gets the same page; a second press is a second press."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.ussd.caller import Caller
from tests.ussd.conftest import Callers
from tests.world import World, phone
from ussd.delivery import LONGEST_TRANSCRIPT, Delivery, Marks, read
from ussd.engine import Engine
from ussd.gateways import africastalking, neutral
from ussd.request import Request
from ussd.session import Session

JOIN = ["1", "4071", "1", "1"]


async def test_a_page_delivered_twice_joins_once(caller: Caller, world: World) -> None:
    await caller.dial()
    for key in JOIN:
        await caller.press(key)
        first = caller.screen
        assert await caller.send(times=2) == first
    assert await world.order() == ["A001"]
    assert await world.texts(1) == ["joined"]


async def test_deliveries_at_once_join_once(caller: Caller, world: World) -> None:
    await caller.dial("*384*40*4071*1#")
    caller.inputs.append("1")
    request = caller.request()
    pages = await asyncio.gather(*(caller.engine.answer(request) for _ in range(5)))
    assert len(set(pages)) == 1
    assert await world.order() == ["A001"]


async def test_a_late_first_delivery_is_not_pressed_again(engine: Engine, world: World) -> None:
    """The gateway repeats an earlier step after a later one was answered."""
    caller = Caller(engine, phone(1))
    await world.line(1, *range(2, 12))
    await caller.dial()
    await caller.press("2")
    old = caller.request()
    await caller.press("0")
    caller.is_at("near")
    assert (await engine.answer(old)).text == caller.screen
    await caller.press("1")
    caller.is_at("near")


async def test_the_same_key_twice_is_two_presses(caller: Caller) -> None:
    await caller.dial()
    await caller.press("1", "1")
    caller.is_at("places")


async def test_without_a_name_for_each_delivery_the_same_key_is_two_presses(engine: Engine) -> None:
    async def say(selection: str) -> str:
        fields = {"session_id": "s", "phone": phone(1), "selection": selection}
        return (await engine.answer(neutral.parse(json.dumps(fields).encode()))).state

    assert [await say(key) for key in ("", "1", "1", "0")] == ["home", "code", "places", "code"]
    assert await say("") == "code"  # dialled again within the same session: resumed
    request = neutral.parse(json.dumps({"session_id": "s", "phone": phone(1), "selection": "1"}).encode())
    pages = await asyncio.gather(*(engine.answer(request) for _ in range(3)))
    assert {page.state for page in pages} == {"places"}


async def test_after_the_end_everything_is_a_repeat(caller: Caller, world: World) -> None:
    await caller.dial("*384*40*4071*1*1#")
    end = caller.screen
    assert await caller.send() == end
    await world.leave(1)
    assert await caller.send() == end


async def test_a_session_id_may_be_used_again_after_its_end(engine: Engine, world: World) -> None:
    """A careless gateway names sessions after phones: yesterday's answers must not come back."""

    async def say(selection: str) -> str:
        fields = {"session_id": "254711000001", "phone": phone(1), "selection": selection}
        return (await engine.answer(neutral.parse(json.dumps(fields).encode()))).text

    for number in ("A001", "A002"):
        await say("*384*40*4071*1#")
        assert f"Your number is {number}" in await say("1")
        await world.leave(1)


async def test_a_session_begun_twice_is_one_session(caller: Caller) -> None:
    await caller.dial()
    await caller.press("3")
    inputs, caller.inputs = caller.inputs, []
    await caller.send()
    caller.is_at("help")
    caller.inputs = inputs
    await caller.press("2")
    caller.is_at("cost")


async def test_another_phone_in_the_same_session_begins_anew(
    caller: Caller, callers: Callers, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await world.line(1)
    await caller.dial()
    stranger = callers(2)
    await stranger.dial()
    stranger.session = caller.session
    stranger.inputs = ["3"]
    await stranger.send()
    assert "A001" not in stranger.screen
    assert await world.ticket(1)
    assert "began on another phone than +2547*****002" in caplog.text
    assert phone(2) not in caplog.text


async def test_an_operator_that_sends_only_the_latest_key_is_understood(engine: Engine) -> None:
    """Through a gateway that promises the whole history (F37)."""

    async def say(text: str) -> str:
        form = f"sessionId=s&phoneNumber=%2B254711000001&serviceCode=*384*40%23&text={text}"
        return (await engine.answer(africastalking.parse(form.encode()))).state

    assert [await say(text) for text in ("", "1", "4071", "1", "1")] == [
        "home",
        "code",
        "service",
        "confirm",
        "joined",
    ]


MARKS = Marks(b"secret")


def delivery(*answered: str, now: str, **session: object) -> Delivery:
    """What `now` means to a session that has answered these transcripts."""
    known = Session("at", "s", phone(1), "menu", steps=max(0, len(answered) - 1), **session)  # type: ignore[arg-type]
    known.trail = [MARKS.mark(text) for text in answered]
    return read(known, Request("at", "s", phone(1), is_first=not now, transcript=now), MARKS)


@pytest.mark.parametrize(
    ("answered", "now", "typed"),
    [
        ([""], "1", ["1"]),
        (["", "1"], "1*2", ["2"]),
        (["", "1"], "1*12", ["12"]),
        (["", "1"], "1*", [""]),
        (["4071"], "4071*1", ["1"]),
        (["", "1"], "1*2*3", ["2", "3"]),
        (["", "1", "1*2"], "1*2", None),
        (["", "1", "1*2"], "1", None),
        (["", "1", "1*2"], "", None),
        (["", "1", "1*2"], "7", ["7"]),
        (["", "12"], "1*2", ["1", "2"]),
    ],
)
def test_a_transcript_is_read_from_where_it_was_left(answered: list[str], now: str, typed: list[str] | None) -> None:
    assert delivery(*answered, now=now).inputs == typed


def test_a_transcript_that_does_not_continue_begins_anew() -> None:
    assert delivery("", "1", now="2*3").restarts
    assert not delivery("", "1", now="1*3").restarts


def test_an_ended_session_takes_nothing_more() -> None:
    assert delivery("", "1", now="1*2", ended=True).inputs is None


def test_what_was_typed_cannot_be_read_from_a_session() -> None:
    session = Session("at", "s", phone(1), "menu", trail=[MARKS.mark("0*482913")])
    assert "482913" not in session.dump()
    assert Marks(b"other").mark("0*482913") != MARKS.mark("0*482913")


async def test_no_transcript_is_longer_than_forty_screens(engine: Engine) -> None:
    for text in ("1*" * 10_000, "1*" * 40, "7" * 200, "7" * LONGEST_TRANSCRIPT):
        form = f"sessionId=s&phoneNumber=%2B254711000001&text={text}"
        page = await engine.answer(africastalking.parse(form.encode()))
        assert page.state == "stopped"


async def test_a_session_ends_after_forty_keys(caller: Caller) -> None:
    await caller.dial()
    await caller.press(*["3", "0"] * 20)
    caller.is_at("home")
    await caller.press("3")
    caller.sees("We did not understand. Nothing was changed.")
    assert caller.over


async def test_two_keys_at_once_are_taken_one_after_the_other(caller: Caller) -> None:
    await caller.dial()
    requests = []
    for key in ("3", "1"):
        caller.inputs.append(key)
        requests.append(caller.request())
    pages = await asyncio.gather(*(caller.engine.answer(request) for request in requests))
    assert [page.state for page in pages] == ["help", "how"]
