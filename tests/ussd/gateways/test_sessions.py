"""Which calls are the same session, on gateways that do not simply say so."""

from __future__ import annotations

import json

from tests.ussd.gateways.dialects import Airtel, Infobip, Nalo, Phone, Sent
from ussd.engine import Engine
from ussd.gateways import GATEWAYS
from ussd.request import Page


async def answer(engine: Engine, phone: Phone, sent: Sent) -> Page:
    return await engine.answer(GATEWAYS[phone.code].parse(sent.data, sent.path.removeprefix("/")))


def unnamed(sent: Sent) -> Sent:
    """As connections of Nalo sent it before sessions had names."""
    return Sent(
        json.dumps({name: value for name, value in json.loads(sent.data).items() if name != "SESSIONID"}).encode()
    )


async def test_a_new_call_at_nalo_begins_anew_though_the_session_is_the_phones(engine: Engine) -> None:
    phone = Nalo()
    for path in ("", "", "4071"):
        page = await answer(engine, phone, phone.dial(path))
        assert page.state == ("service" if path else "home")
    await answer(engine, phone, phone.press("1"))
    assert (await answer(engine, phone, phone.dial())).state == "resume"


async def test_a_call_at_nalo_that_comes_late_again_changes_nothing(engine: Engine) -> None:
    phone = Nalo()
    first = phone.dial()
    await answer(engine, phone, first)
    page = await answer(engine, phone, phone.press("1"))
    assert await answer(engine, phone, first) == page


async def test_without_names_a_call_at_nalo_after_a_key_is_another_one(engine: Engine) -> None:
    phone = Nalo()
    first = unnamed(phone.dial())
    pages = [await answer(engine, phone, first) for _ in range(2)]
    assert [page.state for page in pages] == ["home", "home"]
    await answer(engine, phone, unnamed(phone.press("1")))
    assert (await answer(engine, phone, first)).state == "home"


async def test_two_phones_at_nalo_are_two_sessions_whatever_they_are_named(engine: Engine) -> None:
    phone = Nalo()
    await answer(engine, phone, phone.dial())
    await answer(engine, phone, phone.press("1"))
    other = phone.press("2")
    other = Sent(other.data.replace(b"233241234567", b"233241234568"))
    assert (await answer(engine, phone, other)).state == "home"


async def test_the_code_that_was_dialled_at_airtel_is_no_key_when_it_comes_again(engine: Engine) -> None:
    phone = Airtel()
    first = phone.dial()
    await answer(engine, phone, first)
    page = await answer(engine, phone, phone.press("1"))
    assert page.state == "code"
    assert await answer(engine, phone, first) == page
    assert (await answer(engine, phone, phone.press("4071"))).state == "service"


async def test_a_session_of_airtel_that_was_lost_begins_again_and_every_key_works(engine: Engine) -> None:
    phone = Airtel()
    phone.dial()
    assert (await answer(engine, phone, phone.press("1"))).state == "home"
    assert (await answer(engine, phone, phone.press("1"))).state == "code"


def test_an_ending_that_infobip_shows_first_is_closed_at_the_next_key() -> None:
    phone = Infobip()
    gateway = GATEWAYS[phone.code]
    sent = phone.dial()
    request = gateway.parse(sent.data, sent.path.removeprefix("/"))
    ending = Page("Goodbye.", ends=True, state="rated")
    assert not phone.read(gateway.render(ending, request).body, {"content-type": "application/json"}).over
    sent = phone.press("1")
    request = gateway.parse(sent.data, sent.path.removeprefix("/"))
    assert phone.read(gateway.render(ending, request).body, {"content-type": "application/json"}).over
