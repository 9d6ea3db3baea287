"""Forms and cookies that are none, and what exactly is said of them; tests/fuzz sends every route much more of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import httpx
import pytest

from staff_web import guard
from staff_web.guard import COOKIE
from tests.staff_web.counter import Counter, counter, tickets_of, trouble_on
from tests.world import World

__all__ = ["counter"]

TOO_OLD = "This page is too old. Nothing was changed. Go back, reload it and try again."
FORM = "application/x-www-form-urlencoded"


async def _post(counter: Counter, path: str, body: bytes) -> httpx.Response:
    return await counter.browser.client.post(path, content=body, headers={"content-type": FORM})


async def test_a_form_that_is_too_long_is_not_read_to_its_end(counter: Counter) -> None:
    path = f"{counter.base}/walk-in"
    most = urlencode({"csrf": counter.browser.csrf, "name": "Ann"}).encode()
    assert (await _post(counter, path, most + b"&x=" + b"y" * (16 * 1024 - len(most) - 3))).status_code == 303
    answer = await _post(counter, path, most + b"&x=" + b"y" * (16 * 1024))
    assert trouble_on(answer) == (413, "This form is too long. Nothing was changed.")
    assert (await _post(counter, "/staff/login", b"y" * 20_000)).status_code == 413


async def test_a_form_that_comes_in_drops_is_not_waited_for(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "FORM_SECONDS", 0.05)

    async def drops() -> AsyncIterator[bytes]:
        yield b"login="
        await asyncio.sleep(30)

    for path in ("/staff/login", f"{counter.base}/walk-in"):
        answer = await counter.browser.client.post(path, content=drops(), headers={"content-type": FORM})
        assert trouble_on(answer) == (408, "This form came too slowly. Nothing was changed.")


async def test_a_form_of_very_many_fields_is_refused(counter: Counter) -> None:
    answer = await _post(counter, f"{counter.base}/walk-in", b"a=b&" * 201)
    assert trouble_on(answer) == (400, "The form has too many fields. Nothing was changed.")


@pytest.mark.parametrize("body", [b"", b"\xff\xfe\x00", b"csrf", b"&&&===", b"%", b"%ff=%zz", b"\0" * 99, b"{}"])
async def test_bytes_that_are_no_form_change_nothing(world: World, counter: Counter, body: bytes) -> None:
    answer = await _post(counter, f"{counter.base}/walk-in", body)
    assert trouble_on(answer) == (403, TOO_OLD)
    assert await tickets_of(world) == {}


COOKIES = ["MQ==", "e30=", "bnVsbA==", "W10=", "WzEsMl0=", "x", "%", "//8=", "W1tb" * 700, '"\\012"', "é"]


@pytest.mark.parametrize("value", COOKIES, ids=range(len(COOKIES)))
async def test_rubbish_in_every_cookie_is_as_good_as_none(counter: Counter, value: str) -> None:
    client = counter.browser.client
    session = client.cookies[COOKIE]
    cookies = f"__Host-zamu-said={value}; __Host-zamu-door={value}; {COOKIE}="
    client.cookies.clear()
    for path, cookie in ((counter.base, session), ("/staff/login", value), ("/staff/desk", value)):
        answer = await client.get(path, headers={b"cookie": (cookies + cookie).encode()})
        assert answer.status_code in (200, 303)
