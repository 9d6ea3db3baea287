"""The browser in which somebody logged in before, when strangers try his log-in elsewhere."""

from __future__ import annotations

import httpx
import pytest

from tests.staff_web.browsing import Browser
from tests.staff_web.conftest import PASSWORD, Open, Staff

pytestmark = pytest.mark.usefixtures("world")


async def _strangers(browser: Open, login: str) -> None:
    """Until nobody who is not known may try this log-in."""
    for number in range(9):
        await browser(f"198.51.100.{number}").log_in(login, "another password")


async def _log_in(browser: Browser, login: str) -> int:
    return (await browser.log_in(login, PASSWORD)).status_code


async def test_strangers_do_not_keep_the_owner_out_of_his_own_browser(staff: Staff, browser: Open) -> None:
    own = await staff("clinic1")
    await own.press("/staff/logout")
    await _strangers(browser, "clinic1")
    assert await _log_in(browser(), "clinic1") == httpx.codes.UNPROCESSABLE_ENTITY
    assert await _log_in(own, "clinic1") == httpx.codes.SEE_OTHER
    assert await _log_in(browser(), "clinic1") == httpx.codes.UNPROCESSABLE_ENTITY


async def test_who_shares_a_browser_is_known_in_it_too(staff: Staff, browser: Open) -> None:
    shared = await staff("clinic1")
    assert await _log_in(shared, "manager") == httpx.codes.SEE_OTHER
    await _strangers(browser, "clinic1")
    assert await _log_in(shared, "clinic1") == httpx.codes.SEE_OTHER


async def test_nobody_makes_himself_known(staff: Staff, browser: Open) -> None:
    """With what an account of his own gave him, or with what he made up."""
    insider = await staff("bank1")
    ((_, mine),) = [one for one in insider.client.cookies.items() if one[0].startswith("zamu-known-")]
    ((name, _),) = [one for one in (await staff("clinic1")).client.cookies.items() if one[0].startswith("zamu-known-")]
    await _strangers(browser, "clinic1")
    for value in (mine, "made up.made up", ".", "", f".{mine.partition('.')[2]}"):
        other = browser("203.0.113.9")
        other.client.cookies.set(name, value, "queue.example.org")
        assert await _log_in(other, "clinic1") == httpx.codes.UNPROCESSABLE_ENTITY


async def test_a_known_browser_is_said_to_the_door_alone(browser: Open) -> None:
    one = browser()
    await one.get("/staff/login")
    answer = await one.log_in("clinic1", PASSWORD)
    (known,) = [line for line in answer.headers.get_list("set-cookie") if line.startswith("zamu-known-")]
    assert known.partition("; ")[2] == "HttpOnly; Max-Age=31536000; Path=/staff/login; SameSite=strict; Secure"
    assert "clinic1" not in known
