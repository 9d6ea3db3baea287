"""Passwords, PINs and codes, tried one after the other; and what the answers tell of who exists."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from uuid import uuid4

import httpx
import pyotp

from queue_core.staff_phones import is_weak
from tests.attack.conftest import CLERK, PIN
from tests.attack.house import House
from tests.attack.webhooks import spread
from tests.staff_web.browsing import Browser, said_on, token_of
from tests.staff_web.conftest import PASSWORD
from tests.world import phone

WAIT = "Too many tries."
KEY = re.compile(r'<code class="key">([A-Z2-7 ]+)</code>')
PER_LOGIN, PER_ADDRESS = 5, 30  # then they have to wait: a second, two, four … an hour
PATIENT = 8  # so many more within four minutes
CODE = "select parameters->>'otp' from notifications where template = 'staff_code' order by created_at desc limit 1"
LOCKED = "select locked_until > now() from staff_phones where phone = $1"
FORGET = "update staff_phones set failures = 0, lockouts = 0, locked_until = null"
COMMON = ("password", "12345678", "qwerty123456789", "changeme", "admin", "letmein", "zamu", "karibu", "")


def pins(times: int) -> Iterator[str]:
    """All but the right one."""
    return (pin for pin in (f"{135791 + 137 * number % 700_000:06}" for number in range(times)) if pin != PIN)


async def pin_by_text(house: House) -> int:
    """A clerk's number, forged, with PINs; then even the right one."""
    await house.world.line(31, 32)
    tries = 0
    async with _nobody_is_called(house):
        for pin in pins(house.times(300, 12)):
            assert (await house.text(CLERK, f"NEXT A {pin}")).status == 200
            tries += 1
        assert await house.world.pool.fetchval(LOCKED, CLERK)
        for verb in ("NEXT A", "CLOSE A", "PAUSE A 30", "DONE A", "SKIP A", "OPEN A"):
            await house.text(CLERK, f"{verb} {PIN}")
            tries += 1
        for number in (phone(33), "+255711000001"):  # the right PIN of another phone
            await house.text(number, f"NEXT A {PIN}")
            tries += 1
    await house.world.pool.execute(FORGET)
    return tries


async def pin_by_dialling(house: House) -> int:
    """The same by dialling, one key after the other and many at once; and in the clerk's session from another phone."""
    await house.world.line(34, 35)
    tries = 0
    async with _nobody_is_called(house):
        for _ in range(house.times(40, 2)):
            guesses = list(pins(house.times(8, 6)))
            words = await house.dial(CLERK, "*".join(["0", *guesses]))
            assert "Waiting" not in words
            tries += len(guesses)
        assert await house.world.pool.fetchval(LOCKED, CLERK)
        words = await house.dial(CLERK, f"0*{PIN}*1")
        assert "locked" in words or "Too many tries" in words, words
        tries += 1
    await house.world.pool.execute(FORGET)
    return tries


async def challenge(house: House) -> int:
    """The two digits that a pause waits for: all of them, by whoever forges the number, and those of another phone."""
    await house.text(CLERK, f"PAUSE A 30 {PIN}")
    digits = await house.world.pool.fetchval("select challenge->>'digits' from staff_phones where phone = $1", CLERK)
    others = [f"{number:02}" for number in range(100) if f"{number:02}" != digits]
    tries = 0
    async with _nobody_is_called(house):
        await house.text(phone(36), f"OK {digits}")
        for guess in [*(others if house.many else others[:3]), digits]:
            await house.text(CLERK, f"OK {guess}")
            tries += 1
    status = await house.world.pool.fetchval("select status from queues where id = $1", house.world.queue_ids["A"])
    assert status == "open"
    return tries + 1


class _nobody_is_called:  # noqa: N801 - reads as words
    """No call, no line closed, no PIN forgotten."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._before = ""

    async def _seen(self) -> str:
        found: str = await self._house.world.pool.fetchval(
            "select count(*)::text || (select string_agg(status, ',' order by id) from queues) from audit_log"
            " where action in ('call', 'start', 'complete', 'skip', 'close', 'pause', 'open')"
        )
        return found

    async def __aenter__(self) -> None:
        self._before = await self._seen()

    async def __aexit__(self, *_error: object) -> None:
        assert await self._seen() == self._before


async def passwords(house: House) -> int:
    """One account from one address and from many; many accounts from one address; then even the right password."""
    judged: dict[str, int] = {}
    times = house.times(120, 8)
    one = [("clinic1", "198.51.100.1")] * times
    many = [("manager", f"203.0.113.{number % 250}") for number in range(times)]
    spray = [(f"person{number}", "198.51.100.2") for number in range(times)]
    for name, tried, most in (
        ("one account, one address", one, PER_LOGIN),
        ("one account, many addresses", many, PER_LOGIN),
        ("many accounts, one address", spray, PER_ADDRESS),
    ):
        judged[name] = await _judged(house, tried)
        assert judged[name] <= most + PATIENT, judged
        login, address = ("admin", tried[0][1]) if tried is spray else (tried[0][0], "198.51.100.9")
        answer = await house.browser(address).log_in(login, PASSWORD)
        assert WAIT in answer.text or not house.many, login
    house.noted.append("judged at all: " + ", ".join(f"{name}: {number}" for name, number in judged.items()))
    await house.world.pool.execute("delete from login_tries")
    return 3 * times + 3


async def _judged(house: House, tried: Iterable[tuple[str, str]]) -> int:
    count = 0
    for number, (login, address) in enumerate(tried):
        answer = await house.browser(address).log_in(login, COMMON[number % len(COMMON)])
        assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        assert "__Host-zamu" not in answer.cookies
        count += WAIT not in answer.text
    return count


async def codes(house: House) -> int:
    """Codes of the second factor, by whoever has the password; and one that was used."""
    browser = await house.member("bank1")
    found = KEY.search((await browser.press("/staff/totp")).text)
    assert found
    authenticator = pyotp.TOTP(found[1].replace(" ", ""))
    house.secrets |= {found[1], authenticator.secret}
    code = authenticator.at(time.time() - 30)
    await browser.told("/staff/totp/confirm", password=PASSWORD, code=code)
    judged, times = 0, house.times(120, 8)
    for number in range(times):
        guess = f"{(int(authenticator.now()) + 1 + number) % 1_000_000:06}" if number else code
        answer = await house.browser(f"203.0.113.{number % 250}").log_in("bank1", PASSWORD, guess)
        assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        judged += WAIT not in answer.text
    assert judged <= PER_LOGIN + PATIENT
    answer = await house.browser("203.0.113.251").log_in("bank1", PASSWORD, authenticator.now())
    assert WAIT in answer.text
    house.noted.append(f"{judged} were judged")
    await house.world.pool.execute("update staff set totp_on = false, totp_secret = null")
    await house.world.pool.execute("delete from login_tries")
    return times + 1


async def enrolment(house: House) -> int:
    """The code that makes a phone a clerk's, guessed at the panel by a manager who does not hold the phone."""
    manager = await house.member("manager")
    path = "/staff/people/clinic1/phone"
    await manager.told(path, phone="0711 000 777", counter="Room 1")
    code = await house.world.pool.fetchval(CODE)
    tries = 0
    for number in range(house.times(60, 6)):
        guess = f"{(int(code) + 1 + number) % 1_000_000:06}"
        assert (await manager.press(f"{path}/confirm", code=guess, pin="593017")).status_code != httpx.codes.OK
        tries += 1
    assert (await manager.press(f"{path}/confirm", code=code, pin="593017")).status_code != httpx.codes.OK
    enrolled = await house.world.pool.fetchval("select count(*) from staff_phones where enrolled_at is not null")
    assert enrolled == 0
    assert not is_weak("593017")
    return tries + 1


async def join_codes(house: House) -> int:
    """Codes of branches, all of them from one phone: what is found stands on a poster, but not at this speed."""
    number, times = phone(37), house.times(300, 15)
    for guess in range(times):
        await house.text(number, f"JOIN {6000 + guess}")
        await house.dial(number, f"{6000 + guess}", uuid4().hex)
    answers = await house.told(number)
    assert answers.count("bad_code") <= 10, answers
    house.noted.append(f"{len(answers)} answers by text")
    return 2 * times


async def who_exists(house: House) -> int:
    """The door's words and its time, for logins that are there and that are not."""
    took: dict[str, list[float]] = {"known": [], "unknown": []}
    pages: set[str] = set()
    for turn in range(house.times(80, 4)):
        for kind, login in (("known", "clinic1"), ("unknown", "clinic9")):
            browser = house.browser()
            csrf = token_of(await browser.get("/staff/login"))
            began = time.perf_counter()
            answer = await _wrong(browser, csrf, login)
            took[kind].append((time.perf_counter() - began) * 1000)
            pages.add(re.sub(r'nonce="[^"]+"|value="[^"]*"', "", answer.text))
            assert said_on(answer) == ""
        if turn % 2:
            await house.world.pool.execute("delete from login_tries")
    assert len(pages) == 1, "one page for both"
    house.noted.append("; ".join(f"{kind} login: {spread(times)}" for kind, times in took.items()))
    return sum(map(len, took.values()))


async def _wrong(browser: Browser, csrf: str, login: str) -> httpx.Response:
    return await browser.client.post("/staff/login", data={"csrf": csrf, "login": login, "password": "wrong"})
