"""The second factor, switched on and off through its pages."""

from __future__ import annotations

import re
import time

import pyotp

from tests.staff_web.browsing import Browser, said_on
from tests.staff_web.conftest import PASSWORD, Open, Staff

KEY = re.compile(r'<code class="key">([A-Z2-7 ]+)</code>')


async def _key(browser: Browser) -> pyotp.TOTP:
    """The key that the page shows, as an authenticator takes it."""
    page = await browser.press("/staff/totp")
    found = KEY.search(page.text)
    assert found, page.text
    return pyotp.TOTP(found[1].replace(" ", ""))


async def _on(browser: Browser) -> pyotp.TOTP:
    """Switched on, with the code of half a minute ago."""
    authenticator = await _key(browser)
    code = authenticator.at(time.time() - 30)
    told = await browser.told("/staff/totp/confirm", password=PASSWORD, code=code)
    assert told == "From now on a code is asked for at each log-in."
    return authenticator


async def test_switched_on_each_log_in_asks_for_a_code_that_counts_once(staff: Staff, browser: Open) -> None:
    one, other = await staff("clinic1"), await staff("clinic1")
    authenticator = await _on(one)
    assert "<strong>It is on.</strong>" in (await one.get("/staff/totp")).text
    assert (await other.get("/staff/desk")).status_code == 303
    assert "Type the 6-digit code" in (await browser().log_in("clinic1", PASSWORD)).text
    assert "This code is wrong or was used already." in (await browser().log_in("clinic1", PASSWORD, "000000")).text
    code = authenticator.now()
    assert (await browser().log_in("clinic1", PASSWORD, f"{code[:3]} {code[3:]}")).status_code == 303
    assert "This code is wrong or was used already." in (await browser().log_in("clinic1", PASSWORD, code)).text


async def test_a_key_counts_only_when_a_code_of_it_was_given_back(staff: Staff) -> None:
    one = await staff("clinic1")
    old = await _key(one)
    new = await _key(one)
    for fields, told in (
        ({"password": PASSWORD, "code": "000000"}, "This code is wrong"),
        ({"password": PASSWORD, "code": old.now()}, "This code is wrong"),
        ({"password": "wrong", "code": new.now()}, "The present password is wrong."),
        ({}, "The present password is wrong."),
    ):
        assert (await one.told("/staff/totp/confirm", **fields)).startswith(told)
    await staff("clinic1")


async def test_switched_off_by_whoever_knows_the_password(staff: Staff) -> None:
    one = await staff("clinic1")
    await _on(one)
    assert (await one.told("/staff/totp/end", password="wrong")).startswith("The present password is wrong.")
    assert await one.told("/staff/totp/end", password=PASSWORD) == "The second factor is off."
    await staff("clinic1")


async def test_a_second_key_beside_one_that_is_on_is_refused(staff: Staff) -> None:
    one = await staff("clinic1")
    await _on(one)
    answer = await one.press("/staff/totp")
    assert said_on(await one.get(answer.headers["location"])).startswith("The second factor is on already.")


async def test_the_key_is_shown_once(staff: Staff) -> None:
    one = await staff("clinic1")
    await _key(one)
    assert not KEY.search((await one.get("/staff/totp")).text)
