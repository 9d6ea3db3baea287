"""Who works here, as managers and admins see to it."""

from __future__ import annotations

import re

import httpx

from queue_core import staff_phones
from tests.staff_web.browsing import said_on
from tests.staff_web.conftest import PASSWORD, Open, Staff
from tests.world import World

KEY = re.compile(r'<code class="key" id="(\w+)">([^<]+)</code>')
NEW = {"login": "amani", "name": "Amani", "role": "staff", "branch": "4071"}
PHONE = "+254711000777"
PEPPER = b"k" * 32


def _shown(answer: httpx.Response) -> str:
    """The secret on the page that answers a press: there, and nowhere that is kept."""
    assert answer.status_code == httpx.codes.OK
    assert answer.headers["cache-control"] == "no-store"
    found = KEY.search(answer.text)
    assert found, answer.text
    assert found[2] not in str(answer.url)
    assert found[2] not in str(answer.headers)
    return found[2]


async def test_somebody_new_logs_in_with_the_first_password_and_chooses_another(staff: Staff, browser: Open) -> None:
    manager = await staff("manager")
    first = _shown(await manager.press("/staff/people", **NEW))
    assert first not in (await manager.get("/staff/people")).text
    opened = browser()
    assert (await opened.log_in("amani", first)).status_code == httpx.codes.SEE_OTHER
    assert (await opened.get("/staff/desk")).headers["location"] == "/staff/password"
    own = "four words of my own"
    answer = await opened.press("/staff/password", old=first, new=own, again=own)
    assert answer.headers["location"] == "/staff"
    assert (await opened.get("/staff/desk")).status_code == httpx.codes.OK


async def test_a_first_password_is_shown_once(world: World, staff: Staff) -> None:
    """Whoever reloads the page makes nobody and sees no password, least of all a wrong one."""
    manager = await staff("manager")
    _shown(await manager.press("/staff/people", request="the-same", **NEW))
    again = await manager.press("/staff/people", request="the-same", **NEW)
    assert again.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert "shown once" in said_on(again)
    assert await world.pool.fetchval("select count(*) from staff where login = 'amani'") == 1


async def test_a_login_that_cannot_be_is_refused_in_words(staff: Staff) -> None:
    manager = await staff("manager")
    assert "is taken" in await manager.told("/staff/people", **NEW | {"login": "bank1"})
    for login in ("", "Ämani", "a" * 33, "-amani", "two words"):
        assert "A login is" in await manager.told("/staff/people", **NEW | {"login": login})
    for name in ("", "A" * 41):
        said = await manager.told("/staff/people", **NEW | {"name": name})
        assert said == "A name is 1 to 40 letters in one line. Nothing was changed."


async def test_a_new_first_password_ends_the_old_one_and_every_session(staff: Staff, browser: Open) -> None:
    manager, clerk = await staff("manager"), await staff("clinic1")
    first = _shown(await manager.press("/staff/people/clinic1/password"))
    assert (await clerk.get("/staff/desk")).headers["location"].startswith("/staff/login")
    assert (await browser().log_in("clinic1", PASSWORD)).status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert (await browser().log_in("clinic1", first)).status_code == httpx.codes.SEE_OTHER


async def test_nobody_resets_his_own_password(staff: Staff) -> None:
    manager = await staff("manager")
    said = await manager.told("/staff/people/manager/password")
    assert said == "Your own password is changed under your name, with the present one. Nothing was changed."


async def test_who_no_longer_works_here_is_out_at_once(staff: Staff, browser: Open) -> None:
    manager, clerk = await staff("manager"), await staff("clinic1")
    assert "logged out everywhere" in await manager.told("/staff/people/clinic1/deactivate", reason="left")
    assert (await clerk.get("/staff/desk")).headers["location"].startswith("/staff/login")
    assert (await browser().log_in("clinic1", PASSWORD)).status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert (
        "may no longer work here, by Otieno: <q><bdi>left</bdi></q>" in (await manager.get("/staff/branches/4071")).text
    )
    assert "may log in again" in await manager.told("/staff/people/clinic1/activate")
    assert (await browser().log_in("clinic1", PASSWORD)).status_code == httpx.codes.SEE_OTHER


async def test_the_last_admin_stays(staff: Staff) -> None:
    admin = await staff("admin")
    for path, form in (("", {"name": "W", "role": "staff", "branch": "4071"}), ("/deactivate", {})):
        assert "There must be one admin" in await admin.told(f"/staff/people/admin{path}", **form)


async def test_an_admin_moves_somebody_to_another_branch(world: World, staff: Staff) -> None:
    """He is logged out, and from then on that branch is where he works."""
    admin, clerk = await staff("admin"), await staff("clinic1")
    said = await admin.told("/staff/people/clinic1", name="Amina", role="manager", branch="5084")
    assert said == "Amina was saved."
    assert (await clerk.get("/staff/desk")).headers["location"].startswith("/staff/login")
    row = await world.row(
        "select role, b.code from staff s join branches b on b.id = branch_id where login = 'clinic1'"
    )
    assert tuple(row.values()) == ("manager", "5084")


async def test_a_phone_is_enrolled_with_the_code_that_it_got(world: World, staff: Staff) -> None:
    manager = await staff("manager")
    path = "/staff/people/clinic1/phone"
    said = await manager.told(path, phone="0711 000 777", counter="Room 1")
    assert said.startswith("An SMS with a code is on its way")
    page = (await manager.get("/staff/people/clinic1")).text
    assert "waits for its code" in page
    assert "0711000777" not in page
    code = await world.pool.fetchval("select parameters->>'otp' from notifications where template = 'staff_code'")
    assert "wrong" in await manager.told(f"{path}/confirm", code="000000" if code != "000000" else "111111")
    pin = _shown(await manager.press(f"{path}/confirm", code=code))
    assert (await staff_phones.check_pin(world.core, PHONE, pin, PEPPER)).right
    assert pin not in (await manager.get("/staff/people/clinic1")).text


async def test_a_pin_is_shown_once_and_it_is_the_right_one(world: World, staff: Staff) -> None:
    manager = await staff("manager")
    path = "/staff/people/clinic1/phone"
    await manager.told(path, phone=PHONE)
    code = await world.pool.fetchval("select parameters->>'otp' from notifications where template = 'staff_code'")
    _shown(await manager.press(f"{path}/confirm", code=code, request="the-same"))
    again = await manager.press(f"{path}/confirm", code=code, request="the-same")
    assert again.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert "The code is over" in said_on(again)


async def test_a_pin_of_ones_own_must_not_be_guessed_first(world: World, staff: Staff) -> None:
    manager = await staff("manager")
    path = "/staff/people/clinic1/phone"
    await manager.told(path, phone=PHONE)
    code = await world.pool.fetchval("select parameters->>'otp' from notifications where template = 'staff_code'")
    assert "nobody guesses" in await manager.told(f"{path}/confirm", code=code, pin="123456")
    assert _shown(await manager.press(f"{path}/confirm", code=code, pin="135792")) == "135792"


async def test_a_locked_phone_is_unlocked(world: World, staff: Staff) -> None:
    manager = await staff("manager")
    path = "/staff/people/clinic1/phone"
    assert "has no phone" in await manager.told(f"{path}/unlock")
    await manager.told(path, phone=PHONE)
    code = await world.pool.fetchval("select parameters->>'otp' from notifications where template = 'staff_code'")
    await manager.press(f"{path}/confirm", code=code, pin="135792")
    for _ in range(5):
        await staff_phones.check_pin(world.core, PHONE, "864209", PEPPER)
    assert "locked: wrong PINs" in (await manager.get("/staff/people")).text
    assert "may be used again" in await manager.told(f"{path}/unlock")
    assert (await staff_phones.check_pin(world.core, PHONE, "135792", PEPPER)).right


async def test_a_phone_that_is_none_or_anothers_is_refused(world: World, staff: Staff) -> None:
    admin = await staff("admin")
    assert "not a phone number" in await admin.told("/staff/people/clinic1/phone", phone="call me")
    await admin.told("/staff/people/bank1/phone", phone=PHONE)
    code = await world.pool.fetchval("select parameters->>'otp' from notifications where template = 'staff_code'")
    _shown(await admin.press("/staff/people/bank1/phone/confirm", code=code))
    assert "another staff member's" in await admin.told("/staff/people/clinic1/phone", phone=PHONE)
