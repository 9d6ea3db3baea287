"""A15, A66: what a manager sees of a branch, and what he may set there."""

from __future__ import annotations

import re

import pytest

from queue_core import branches
from queue_core.core import Act
from tests.staff_web.browsing import Browser
from tests.staff_web.conftest import Staff
from tests.staff_web.places import FORM, third_house
from tests.world import World

SETTINGS = "/staff/branches/4071/settings"
FACTS = {"name": "Kilimani Clinic", "phone": "0700123456", "asks_rating": "1"}
CELL = re.compile(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>")
NOTHING = " Nothing was changed."


async def _settings(world: World) -> branches.BranchSettings:
    return await branches.settings(world.core, Act("system", "system"), "4071")


async def _counter(world: World, name: str = "Room 1") -> str:
    return next(counter.id for counter in (await _settings(world)).counters if counter.name == name)


async def test_a_manager_begins_with_the_day_of_his_branch(world: World, staff: Staff) -> None:
    await world.line(1, 2, 3, 4)
    await world.later(20)
    await world.serve()
    await world.do("no_show", await world.called())
    manager = await staff("manager")
    home = await manager.get("/staff")
    assert home.headers["location"] == "/staff/branches"
    page = await manager.get("/staff/branches")
    assert dict(CELL.findall(page.text)) == {"Waiting": "2", "Served": "1", "Minutes waited": "20", "No-shows": "1"}
    assert "Kilimani Clinic" in page.text
    assert "Moi Avenue Bank" not in page.text


async def test_an_admin_begins_with_every_branch_of_the_organization(world: World, staff: Staff) -> None:
    await third_house(world)
    page = await (await staff("admin")).get("/staff/branches")
    assert all(name in page.text for name in ("Kilimani Clinic", "Moi Avenue Bank"))
    assert "Elsewhere" not in page.text


async def test_a_branch_leads_to_its_desks_and_shows_the_truth_again(world: World, staff: Staff) -> None:
    """A page that looks by itself hears 304 while nothing happens, and the change when something did."""
    browser = await staff("manager")
    page = await browser.get("/staff/branches/4071")
    room = await _counter(world)
    assert f'href="/staff/desk/{room}/{world.queue_ids["A"]}"' in page.text
    live = {"x-live": "1", "if-none-match": page.headers["etag"]}
    assert (await browser.client.get("/staff/branches/4071", headers=live)).status_code == 304
    await world.line(1)
    fresh = await browser.client.get("/staff/branches/4071", headers=live)
    assert (fresh.status_code, "A001: joined" in fresh.text) == (200, True)


async def test_a_text_that_reached_nobody_is_shown_with_whom_to_call_by_name(world: World, staff: Staff) -> None:
    await world.join(1, name="Asha")
    await world.join(2)
    await world.pool.execute("update notifications set status = 'dead' where phone like '%1'")
    browser = await staff("manager")
    assert "1 SMS not delivered" in (await browser.get("/staff/branches")).text
    page = (await browser.get("/staff/branches/4071")).text
    shown = page.partition('id="untold"')[2].partition("</section>")[0]
    assert ("A001" in shown, "Asha" in shown, "A002" in shown) == (True, True, False)
    assert "+2547" not in page


async def test_the_history_says_who_did_what_when_and_why(world: World, staff: Staff) -> None:
    await world.line(1)
    await world.called()
    browser = await staff("manager")
    await browser.told(SETTINGS, **FACTS | {"name": "Kilimani", "reason": "a new name"})
    await browser.told("/staff/branches/4071/close")
    page = (await browser.get("/staff/branches/4071")).text
    shown = [re.sub(r"<[^>]+>", "", line).strip() for line in page.partition('id="history"')[2].splitlines()]
    lines = [re.sub(r"^\d\d:\d\d ", "", line) for line in shown if re.match(r"\d\d:\d\d ", line)]
    assert lines == [
        "The branch was changed (open yes → no), by Otieno",
        "The branch was changed (name Kilimani Clinic → Kilimani; opening hours), by Otieno: a new name",
        "A001: called to Room 1, by Amina",
        "A001: joined, by the person (dialled)",
    ]


async def test_a_closed_branch_takes_nobody_new(world: World, staff: Staff) -> None:
    browser = await staff("manager")
    assert "nobody new" in await browser.told("/staff/branches/4071/close")
    page = await browser.get("/staff/branches/4071")
    assert "Closed to new people" in page.text
    assert "is open" in await browser.told("/staff/branches/4071/open")
    await world.line(1)


async def test_what_a_manager_sets_is_set(world: World, staff: Staff) -> None:
    browser = await staff("manager")
    hours = {"hours-mon": "8:30-13:00,14.00 - 17:00", "hours-sun": "14:00-16:00, 09:00-12:00"}
    words = await browser.told(
        SETTINGS, name="Kilimani", phone="+254 700-123 456", address="Ring Rd 3", asks_name="1", **hours
    )
    assert words == "The branch was saved."
    branch = await _settings(world)
    assert (branch.name, branch.phone, branch.address) == ("Kilimani", "+254700123456", "Ring Rd 3")
    assert (branch.asks_name, branch.asks_rating) == (True, False)
    assert branch.opening_hours == {
        "mon": [["08:30", "13:00"], ["14:00", "17:00"]],
        "sun": [["09:00", "12:00"], ["14:00", "16:00"]],
    }
    assert 'value="08:30-13:00, 14:00-17:00"' in (await browser.get(SETTINGS)).text


WRONG = {
    "name": ["", "A" * 24, "Kliniği", "😀", "two\nlines"],
    "phone": ["", "12", "call me", "0700123456789", "\u0660\u0667\u0660\u0660\u0661"],
    "hours-mon": ["8-17", "08:30", "24:00-25:00", "08:30-17:00;", "nine to five"],
}


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        *(("name", typed, "1 to 23 plain letters") for typed in WRONG["name"]),
        *(("phone", typed, "as people dial it") for typed in WRONG["phone"]),
        *(("hours-mon", typed, "Opening hours (Mon): write them like") for typed in WRONG["hours-mon"]),
        ("hours-tue", "17:00-08:30", "Opening hours (Tue): each time ends later"),
        ("hours-wed", "08:00-12:00, 11:59-13:00", "Opening hours (Wed): two of the times overlap"),
        ("address", "A" * 101, "at most 100 letters"),
        ("address", "two\nlines", "at most 100 letters"),
    ],
)
async def test_what_cannot_be_is_refused_in_words(
    world: World, staff: Staff, field: str, typed: str, words: str
) -> None:
    before = await _settings(world)
    browser = await staff("manager")
    said = await browser.told(SETTINGS, **FACTS | {field: typed})
    assert words in said
    assert said.endswith(NOTHING)
    assert await _settings(world) == before


async def test_a_form_that_is_older_than_the_settings_changes_nothing(world: World, staff: Staff) -> None:
    """F43: two managers have the page open; the second hears of it, and sees what is true."""
    browser, line, room = await staff("manager"), world.queue_ids["A"], await _counter(world)
    seen = str((await _settings(world)).version)
    assert await browser.told(SETTINGS, **FACTS | {"seen": seen, "name": "Kilimani"}) == "The branch was saved."
    after = await _settings(world)
    for path in (SETTINGS, f"/staff/branches/4071/lines/{line}", f"/staff/branches/4071/counters/{room}"):
        said = await browser.told(path, **FORM | FACTS | {"seen": seen, "name": "Old"})
        assert said.startswith("Somebody changed the settings of Kilimani since you looked.")
    assert await _settings(world) == after


async def test_the_settings_of_a_line_are_set_in_minutes(world: World, staff: Staff) -> None:
    browser, line = await staff("manager"), world.queue_ids["A"]
    form = {"alert_threshold": "5", "call_expiry": "0", "grace": "20", "max_skips": "1", "daily_limit": "80"}
    path = f"/staff/branches/4071/lines/{line}"
    assert await browser.told(path, name="Doctors", **form) == "Doctors was saved."
    row = await world.row(
        "select name, alert_threshold, call_expiry, grace, max_skips, daily_limit from queues where id = $1", line
    )
    assert tuple(row.values()) == ("Doctors", 5, 0, 1200, 1, 80)
    for field, typed in [
        ("grace", "241"),
        ("grace", ""),
        ("max_skips", "-1"),
        ("daily_limit", "0"),
        ("call_expiry", "5.5"),
    ]:
        said = await browser.told(path, name="Doctors", **form | {field: typed})
        assert said.startswith(f"The {field.replace('_', ' ')} is a number from")
    await browser.told(path, name="Doctors", **form | {"daily_limit": ""})
    assert await world.pool.fetchval("select daily_limit from queues where id = $1", line) is None


async def test_a_new_line_is_closed_and_every_counter_serves_it(world: World, staff: Staff) -> None:
    browser = await staff("manager")
    said = await browser.told("/staff/branches/4071/lines", line_code="x", name="X-ray")
    assert said == "X-ray was added. It is closed; every counter serves it."
    branch = await _settings(world)
    line = branch.lines[-1]
    assert (line.code, line.name, line.status) == ("X", "X-ray", "closed")
    assert all(line.id in counter.lines for counter in branch.counters)
    said = await browser.told("/staff/branches/4071/lines", line_code="X", name="Another")
    assert said == "Another line of this branch has the letters X. Nothing was added. Choose others."
    for letters in ("", "O", "B", "XYZ", "1", "É"):
        assert "look like digits" in await browser.told("/staff/branches/4071/lines", line_code=letters, name="New")


async def test_counters_are_added_renamed_and_removed(world: World, staff: Staff) -> None:
    browser, doctor = await staff("manager"), world.queue_ids["A"]
    path = "/staff/branches/4071/counters"
    assert await browser.told(path, name="Room 9", **{f"serves-{doctor}": "1"}) == "Room 9 was added."
    room = await _counter(world, "Room 9")
    assert "has a counter ROOM 9 already" in await browser.told(path, name="ROOM 9")
    assert "has a counter Room 1 already" in await browser.told(f"{path}/{room}", name="Room 1")
    assert await browser.told(f"{path}/{room}", name="Room 10") == "Room 10 was saved."
    assert next(counter for counter in (await _settings(world)).counters if counter.id == room).lines == ()
    assert await browser.told(f"{path}/{room}/remove") == "Room 10 was removed."
    assert (await browser.press(f"{path}/{room}/remove")).status_code == 404


async def test_a_counter_with_somebody_at_it_stays(world: World, staff: Staff) -> None:
    browser, room = await staff("manager"), await _counter(world)
    await world.line(1)
    ticket = await world.called()
    remove = f"/staff/branches/4071/counters/{room}/remove"
    words = "Room 1 has A001. Nothing was removed. Say first what became of A001."
    assert await browser.told(remove) == words
    await world.do("start", ticket)
    assert await browser.told(remove) == words
    await world.do("complete", ticket)
    assert await browser.told(remove) == "Room 1 was removed."
    assert "A001: done, by Amina" in (await browser.get("/staff/branches/4071")).text


async def test_an_admin_adds_a_branch_that_can_be_worked_in(world: World, staff: Staff) -> None:
    await third_house(world)
    browser = await staff("admin")
    form = {"code": "7001", "name": "Thika", "phone": "0800 720 720"}
    answer = await browser.press("/staff/branches", **form)
    assert answer.headers["location"] == "/staff/branches/7001/settings"
    await browser.told("/staff/branches/7001/lines", line_code="T", name="Tellers")
    await browser.told("/staff/branches/7001/counters", name="Till 1")
    assert (await browser.get("/staff/branches/7001")).status_code == 200
    for taken in ("7001", "5084", "6093"):
        said = await browser.told("/staff/branches", **form | {"code": taken})
        assert said == f"The code {taken} is taken. Nothing was added. Choose another."
    for wrong in ("", "700", "70011", "seven", "\u0667\u0660\u0660\u0661"):
        assert "4 digits" in await browser.told("/staff/branches", **form | {"code": wrong})
    assert await world.pool.fetchval("select count(*) from branches") == 4


async def test_an_admin_names_the_organization_and_its_language(world: World, staff: Staff) -> None:
    await third_house(world)
    browser: Browser = await staff("admin")
    path = "/staff/organization"
    assert await browser.told(path, name="Afya Njema", language="sw") == "The organization was saved."
    row = await world.row("select name, language from organizations where name like 'Afya%'")
    assert tuple(row.values()) == ("Afya Njema", "sw")
    assert "Another organization" in await browser.told(path, name="Third House", language="en")
    assert "Choose one of the languages" in await browser.told(path, name="Afya", language="xx")


async def test_a_press_that_comes_twice_is_done_once(world: World, staff: Staff) -> None:
    browser = await staff("manager")
    form = {"name": "Room 9", "request": "the-same"}
    assert {await browser.told("/staff/branches/4071/counters", **form) for _ in range(3)} == {"Room 9 was added."}
    assert await world.pool.fetchval("select count(*) from audit_log where entity = 'counter'") == 1
