"""A142: what each role may do, over HTTP; whatever it may not is said in words and changes nothing."""

from __future__ import annotations

import pytest

from tests.staff_web.conftest import Staff
from tests.staff_web.places import FORM, address, changes, ids_of, methods_of, staff_routes
from tests.world import World

LOGINS = {"admin": "admin", "manager": "manager", "staff": "clinic1"}
EVERYBODY = {"admin", "manager", "staff"}

# The rows: a page or button for which that is needed, and who may.
MATRIX = {
    "every branch": ("POST", "/staff/branches", {"admin"}),
    "own branch": ("GET", "/staff/branches/4071", EVERYBODY),
    "people": ("GET", "/staff/people", {"admin", "manager"}),
    "schedule": ("GET", "/staff/branches/4071/settings", {"admin", "manager"}),
    "queues": ("GET", "/staff/desk", EVERYBODY),
    "system": ("GET", "/staff/organization", {"admin"}),
}
NO = "Your role may not do this. Nothing was changed. Ask your manager."

# All that somebody who is neither manager nor admin has.
STAFF_MAY = ("/staff/login", "/staff/logout", "/staff/password", "/staff/totp", "/staff/desk")
STAFF_SEES = ("/staff", "/staff/", "/staff/branches", "/staff/branches/{code}")


@pytest.mark.parametrize("role", LOGINS)
@pytest.mark.parametrize("row", MATRIX)
async def test_each_role_may_do_its_own_and_nothing_else(staff: Staff, row: str, role: str) -> None:
    method, path, allowed = MATRIX[row]
    browser = await staff(LOGINS[role])
    answer = await (
        browser.get(path) if method == "GET" else browser.press(path, code="7001", name="New", phone="0700")
    )
    if role in allowed:
        assert answer.status_code == (200 if method == "GET" else 303)
    else:
        assert (answer.status_code, answer.text) == (403, NO)


async def test_staff_may_press_nothing_that_is_for_managers(world: World, staff: Staff) -> None:
    own = await ids_of(world, "4071", "clinic1", 1)
    browser = await staff("clinic1")
    before, wrong, tried = await changes(world), [], 0
    for route in staff_routes():
        for method in methods_of(route):
            if route.path.startswith(STAFF_MAY) or (method == "GET" and route.path in STAFF_SEES):
                continue
            tried += 1
            path = address(route, own)
            answer = await (browser.get(path) if method == "GET" else browser.press(path, **FORM | {"code": "7001"}))
            if (answer.status_code, answer.text) != (403, NO):
                wrong.append((method, path, answer.status_code))
    assert wrong == []
    assert tried > 15
    assert await changes(world) == before


async def test_the_history_is_for_managers(world: World, staff: Staff) -> None:
    await world.line(1)
    assert "What happened last" in (await (await staff("manager")).get("/staff/branches/4071")).text
    assert "What happened last" not in (await (await staff("clinic1")).get("/staff/branches/4071")).text


async def test_a_manager_can_make_nobody_a_manager(world: World, staff: Staff) -> None:
    browser = await staff("manager")
    for role in ("manager", "admin", "owner"):
        words = await browser.told("/staff/people", login="newcomer", name="New", role=role, branch="4071")
        assert words == "Your role may not do this to this person. Nothing was changed."
        words = await browser.told("/staff/people/clinic1", name="Amina", role=role, branch="4071")
        assert words == "Your role may not do this to this person. Nothing was changed."
    assert await world.pool.fetchval("select role from staff where login = 'clinic1'") == "staff"


async def test_the_printed_password_opens_nothing_but_its_change(world: World, staff: Staff) -> None:
    """Each page leads there, and each button; nothing is done."""
    own = await ids_of(world, "4071", "clinic1", 1)
    browser = await staff("admin")
    await world.pool.execute("update staff set must_change_password = true where login = 'admin'")
    before = await changes(world)
    for route in staff_routes():
        for method in methods_of(route):
            if route.path in ("/staff/login", "/staff/logout", "/staff/password"):
                continue
            path = address(route, own)
            answer = await (browser.get(path) if method == "GET" else browser.press(path, **FORM))
            assert (answer.status_code, answer.headers["location"]) == (303, "/staff/password"), path
    assert await changes(world) == before
