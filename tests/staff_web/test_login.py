"""The door over HTTP: who comes in, who does not and what he is told, and what ends a session."""

from __future__ import annotations

import httpx
import pytest

from staff_web.guard import COOKIE
from tests.staff_web.browsing import Browser, said_on, token_of
from tests.staff_web.conftest import PASSWORD, Open, Staff
from tests.world import World

WRONG = "Login or password is wrong. Nobody was logged in."
NEW = "seven lazy flamingos"

pytestmark = pytest.mark.usefixtures("world")


def _cookies(answer: httpx.Response) -> dict[str, str]:
    """What each cookie of an answer is set with, after its value."""
    set_ = (line.partition("; ") for line in answer.headers.get_list("set-cookie"))
    return {first.partition("=")[0]: rest for first, _, rest in set_}


async def _door(browser: Browser, **fields: str) -> httpx.Response:
    """The form of the door, with these fields in it."""
    csrf = token_of(await browser.get("/staff/login"))
    return await browser.client.post("/staff/login", data={"csrf": csrf, "login": "clinic1"} | fields)


@pytest.mark.parametrize(
    ("asked", "led"),
    [
        ("/staff/desk", "/staff/desk"),
        ("/staff/people", "/staff/people"),
        ("", "/staff"),
        ("https://evil.example/staff/", "/staff"),
        ("//evil.example/staff/", "/staff"),
        ("/\\evil.example", "/staff"),
        ("/staff/\\evil.example", "/staff"),
        ("/staff//evil.example", "/staff//evil.example"),
        ("/display/4071", "/staff"),
        ("javascript:alert(1)", "/staff"),
        ("/staff/\r\nset-cookie: a=b", "/staff"),
        ("/staff/logout/../../x\n", "/staff"),
        ("http://[", "/staff"),
        ("/staff/é", "/staff/%C3%A9"),
    ],
)
async def test_after_the_door_one_is_inside(browser: Open, asked: str, led: str) -> None:
    answer = await _door(browser(), password=PASSWORD, next=asked)
    assert (answer.status_code, answer.headers["location"]) == (303, led)


async def test_whoever_looked_for_a_page_comes_to_it(browser: Open) -> None:
    one = browser()
    turned = await one.get("/staff/totp")
    assert turned.headers["location"] == "/staff/login?next=/staff/totp"
    door = await one.get(turned.headers["location"])
    assert 'name="next" value="/staff/totp"' in door.text


async def test_a_wrong_login_and_a_wrong_password_are_one(browser: Open) -> None:
    pages: list[int] = []
    for login, password in (("clinic1", "wrong"), ("nobody", PASSWORD), ("", ""), ("<script>", PASSWORD)):
        answer = await _door(browser(f"192.0.2.{len(pages)}"), login=login, password=password)
        assert answer.status_code == 422
        assert WRONG in answer.text
        assert COOKIE not in answer.cookies
        assert "<script>alert" not in answer.text
        pages.append(answer.text.count("<"))
    assert len(set(pages)) == 1


async def test_cookies_are_for_https_and_for_this_host_alone(browser: Open) -> None:
    one = browser()
    door = await one.get("/staff/login")
    assert _cookies(door) == {"__Host-zamu-door": "HttpOnly; Path=/; SameSite=strict; Secure"}
    answer = await _door(one, password=PASSWORD)
    set_ = _cookies(answer)
    assert set_[COOKIE] == "HttpOnly; Path=/; SameSite=lax; Secure"
    assert "__Host-zamu-door" not in set_  # another tab may still be at the door
    one.csrf = token_of(await one.get("/staff/password"))
    said = _cookies(await one.press("/staff/totp/end", password="wrong"))
    assert said == {"__Host-zamu-said": "HttpOnly; Max-Age=30; Path=/; SameSite=strict; Secure"}


async def test_a_session_that_somebody_put_into_the_browser_is_not_the_one_after_the_door(
    staff: Staff, browser: Open
) -> None:
    other, victim = await staff("bank1"), browser()
    planted = other.client.cookies[COOKIE]
    victim.client.cookies.set(COOKIE, planted, domain="queue.example.org")
    answer = await _door(victim, password=PASSWORD)
    assert answer.cookies[COOKIE] != planted
    again = await _door(browser(), password=PASSWORD)
    assert again.cookies[COOKIE] != answer.cookies[COOKIE]


async def test_a_form_of_the_door_from_another_browser_lets_nobody_in(browser: Open) -> None:
    mine, theirs = browser(), browser()
    csrf = token_of(await theirs.get("/staff/login"))
    await mine.get("/staff/login")
    answer = await mine.client.post("/staff/login", data={"csrf": csrf, "login": "clinic1", "password": PASSWORD})
    assert answer.status_code == 422
    assert "Your browser did not keep our cookie." in answer.text


async def test_logged_out_at_once_and_everywhere_this_session_was(staff: Staff) -> None:
    one, other = await staff("clinic1"), await staff("clinic1")
    token = one.client.cookies[COOKIE]
    answer = await one.press("/staff/logout")
    assert answer.headers["location"] == "/staff/login"
    assert COOKIE not in one.client.cookies
    assert said_on(await one.get("/staff/login")) == "You are logged out."
    one.client.cookies.set(COOKIE, token, domain="queue.example.org")
    assert (await one.get("/staff/desk")).headers["location"].startswith("/staff/login")
    assert (await one.press("/staff/logout")).headers["location"] == "/staff/login"
    assert (await other.get("/staff/desk")).status_code == 200


async def test_with_the_printed_password_nothing_else_is_allowed(world: World, staff: Staff) -> None:
    await world.pool.execute("update staff set must_change_password = true where login = 'clinic1'")
    one = await staff("clinic1")
    for path in ("/staff", "/staff/desk", "/staff/totp"):
        assert (await one.get(path)).headers["location"] == "/staff/password"
    assert (await one.press("/staff/totp")).headers["location"] == "/staff/password"
    assert "Choose your own password" in (await one.get("/staff/password")).text
    told = await one.told("/staff/password", old=PASSWORD, new=NEW, again=NEW)
    assert told == ""  # the home page leads on to the desks, which say it
    assert said_on(await one.get("/staff/desk")).startswith("Your password was changed.")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"old": "wrong", "new": NEW, "again": NEW}, "The present password is wrong."),
        ({"old": PASSWORD, "new": NEW, "again": NEW + "s"}, "The two new passwords differ."),
        ({"old": PASSWORD, "new": "short", "again": "short"}, "The new password needs at least 15 characters"),
        ({"old": PASSWORD, "new": PASSWORD, "again": PASSWORD}, "The new password is the present one."),
        ({"old": PASSWORD, "new": "x" * 300, "again": "x" * 300}, "The new password is too long."),
        ({"old": PASSWORD, "new": "amina-amina-clinic1", "again": "amina-amina-clinic1"}, "your name or login"),
        ({"old": PASSWORD, "new": "passwordpassword", "again": "passwordpassword"}, "others would try first"),
        ({}, "needs at least 15 characters"),
    ],
)
async def test_a_password_that_will_not_do_changes_nothing(staff: Staff, fields: dict[str, str], told: str) -> None:
    one = await staff("clinic1")
    words = await one.told("/staff/password", **fields)
    assert told in words
    assert words.endswith("Nothing was changed.")
    await staff("clinic1")


async def test_a_new_password_ends_every_other_session_and_gives_this_one_a_new_token(staff: Staff) -> None:
    one, other = await staff("clinic1"), await staff("clinic1")
    before = one.client.cookies[COOKIE]
    await one.press("/staff/password", old=PASSWORD, new=NEW, again=NEW)
    assert one.client.cookies[COOKIE] != before
    assert (await one.get("/staff/desk")).status_code == 200
    assert (await other.get("/staff/desk")).status_code == 303
    assert (await _door(other, password=PASSWORD)).status_code == 422
    assert (await _door(other, password=NEW)).status_code == 303


async def test_after_too_many_tries_even_the_right_password_waits(browser: Open) -> None:
    for _ in range(5):
        await _door(browser(), password="wrong")
    answer = await _door(browser("192.0.2.9"), password=PASSWORD)
    assert answer.status_code == 422
    assert "Too many tries. Wait " in answer.text
    assert (await _door(browser(), login="manager", password=PASSWORD)).status_code == 303


async def test_one_address_cannot_try_many_logins_and_others_come_in(world: World, browser: Open) -> None:
    await world.pool.execute("insert into login_tries (kind, who, level, tried_at, until) values "
                             "('source', '192.0.2.1', 40, now(), now() + interval '1 hour')")  # fmt: skip
    assert "Too many tries. Wait 1 h, then try again." in (await _door(browser(), password=PASSWORD)).text
    assert (await _door(browser("192.0.2.2"), password=PASSWORD)).status_code == 303


async def test_whoever_does_not_work_here_any_more_is_out(world: World, staff: Staff, browser: Open) -> None:
    one = await staff("clinic1")
    await world.pool.execute("update staff set active = false where login = 'clinic1'")
    assert (await one.get("/staff/desk")).headers["location"].startswith("/staff/login")
    assert WRONG in (await _door(browser(), password=PASSWORD)).text


async def test_a_desk_that_is_gone_holds_nobody(world: World, staff: Staff) -> None:
    one = await staff("clinic1")
    desk = "/staff/desk/{}/{}".format(
        *(await world.row("select c.id, q.id as queue from counters c join counter_queues on counter_id = c.id "
                          "join queues q on q.id = queue_id where c.name = 'Room 1' and q.code = 'A'")).values()
    )  # fmt: skip
    assert (await one.get(desk)).status_code == 200
    assert (await one.get("/staff")).headers["location"] == desk
    await world.pool.execute("delete from counter_queues where queue_id = $1", world.queue_ids["A"])
    assert (await one.get("/staff")).headers["location"] == "/staff/desk"
    again = await staff("clinic1")
    assert (await again.get("/staff")).headers["location"] == "/staff/desk"
    gone = await again.get(desk, accept="text/html")
    assert gone.status_code == 404
    assert 'href="/staff/desk"' in gone.text


ALIKE = ("\xa0{}={}", "\x85{}={}", "\x1f{}={}", "{0}={1}; {0}={1}", "{}\xa0={}")


@pytest.mark.parametrize("alike", ALIKE, ids=range(len(ALIKE)))
async def test_a_cookie_that_only_looks_like_ours_is_nobodys(browser: Open, staff: Staff, alike: str) -> None:
    """A neighbour host may set one that browsers do not hold the prefix against, or a second one."""
    planted = (await staff("bank1")).client.cookies[COOKIE]
    cookie = alike.format(COOKIE, planted).encode("latin-1")
    answer = await browser().client.get("/staff/desk", headers={b"cookie": cookie})
    assert answer.headers["location"] == "/staff/login?next=/staff/desk"


async def test_a_cookie_that_only_looks_like_ours_does_not_replace_ours(staff: Staff) -> None:
    theirs, mine = [(await staff(login)).client for login in ("bank1", "clinic1")]
    cookie = f"{COOKIE}={mine.cookies[COOKIE]}; \xa0{COOKIE}={theirs.cookies[COOKIE]}".encode("latin-1")
    mine.cookies.clear()
    assert "Kilimani Clinic" in (await mine.get("/staff/desk", headers={b"cookie": cookie})).text


async def test_who_logs_in_anew_ends_the_session_that_was_in_the_browser(staff: Staff, browser: Open) -> None:
    one, later = await staff("clinic1"), browser()
    before = one.client.cookies[COOKIE]
    await one.log_in("clinic1", PASSWORD)
    assert (await one.get("/staff/desk")).status_code == 200
    later.client.cookies.set(COOKIE, before, domain="queue.example.org")
    assert (await later.get("/staff/desk")).headers["location"].startswith("/staff/login")


async def test_a_second_tab_at_the_door_lets_its_person_in(browser: Open) -> None:
    one = browser()
    csrf = [token_of(await one.get("/staff/login")) for _tab in range(2)]
    for token in csrf:
        form = {"csrf": token, "login": "clinic1", "password": PASSWORD}
        assert (await one.client.post("/staff/login", data=form)).status_code == 303
