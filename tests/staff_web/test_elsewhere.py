"""F68: what lies in another branch, or in another organization, is like what is not there at all."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.staff_web.conftest import Staff
from tests.staff_web.places import (
    FORM,
    NOWHERE,
    address,
    answers,
    changes,
    ids_of,
    methods_of,
    staff_routes,
    third_house,
)
from tests.world import World


@pytest.mark.parametrize(("login", "code", "theirs"), [("manager", "5084", "bank1"), ("admin", "6093", "elder1")])
async def test_what_is_elsewhere_is_as_if_it_were_not(
    world: World, staff: Staff, login: str, code: str, theirs: str
) -> None:
    await third_house(world)
    own, foreign = await ids_of(world, "4071", "clinic1", 1), await ids_of(world, code, theirs, 2)
    before = await changes(world)
    nowhere = NOWHERE | {name: str(uuid4()) for name in ("counter", "queue", "ticket")}
    browser = await staff(login)
    for ids in (foreign, nowhere):
        told = await answers(browser, own, ids)
        assert len(told) > len(staff_routes()) / 2
        assert [answer for answer in told if answer[2:] != (404, "Not Found")] == []
    assert await changes(world) == before


async def test_at_home_every_page_and_button_is_there(world: World, staff: Staff) -> None:
    """Else the test above would hold for a panel that has nothing."""
    own = await ids_of(world, "4071", "clinic1", 1)
    browser = await staff("admin")
    missing = []
    for route in staff_routes():
        for method in methods_of(route):
            if route.path in ("/staff/logout", "/staff/password", "/staff/login"):
                continue
            form = FORM | {"code": "4071", "to": own["queue"], "branch": "4071"}
            answer = await (
                browser.get(address(route, own)) if method == "GET" else browser.press(address(route, own), **form)
            )
            if answer.status_code not in (200, 303, 422):
                missing.append((method, route.path, answer.status_code))
    assert missing == []


async def test_nobody_is_transferred_into_a_line_elsewhere(world: World, staff: Staff) -> None:
    own, bank = await ids_of(world, "4071", "clinic1", 1), await ids_of(world, "5084", "bank1", 2)
    browser = await staff("admin")
    path = "/staff/desk/{counter}/{queue}/tickets/{ticket}/transfer".format(**own)
    answer = await browser.press(path, to=bank["queue"])
    assert (answer.status_code, answer.text) == (404, "Not Found")


async def test_a_line_elsewhere_cannot_be_served(world: World, staff: Staff) -> None:
    own, bank = await ids_of(world, "4071", "clinic1", 1), await ids_of(world, "5084", "bank1", 2)
    browser = await staff("admin")
    path = "/staff/branches/4071/counters/{counter}".format(**own)
    await browser.told(path, name="Room 1", **{f"serves-{line['queue']}": "1" for line in (own, bank)})
    served = await world.pool.fetch("select queue_id::text from counter_queues where counter_id = $1", own["counter"])
    assert [row[0] for row in served] == [own["queue"]]


@pytest.mark.parametrize("branch", ["5084", "6093", "9999"])
async def test_nobody_is_sent_to_a_branch_elsewhere(world: World, staff: Staff, branch: str) -> None:
    await third_house(world)
    browser = await staff("manager")
    for path in ("/staff/people", "/staff/people/clinic1"):
        answer = await browser.press(path, login="newcomer", name="New", role="staff", branch=branch)
        assert (answer.status_code, answer.text) == (404, "Not Found")
    assert await world.pool.fetchval("select count(*) from staff where login = 'newcomer'") == 0


async def test_a_manager_sees_neither_admins_nor_other_managers(world: World, staff: Staff) -> None:
    await world.pool.execute("update staff set role = 'manager' where login = 'bank1'")
    browser = await staff("manager")
    page = await browser.get("/staff/people")
    assert all(name in page.text for name in ("Otieno", "Amina"))
    assert not any(name in page.text for name in ("Wanjiru", "Kamau"))
    for login in ("admin", "bank1"):
        assert (await browser.get(f"/staff/people/{login}")).status_code == 404
        assert (await browser.press(f"/staff/people/{login}/phone", phone="0711000001")).status_code == 404


async def test_a_strange_address_is_no_fault_of_ours(staff: Staff) -> None:
    browser = await staff("admin")
    for path in (
        "/staff/branches/%00",
        "/staff/branches/%D9%A4%D9%A0%D9%A7%D9%A1",
        "/staff/people/%00",
        "/staff/desk/x/y",
    ):
        answer = await browser.get(path)
        assert (answer.status_code, answer.text) == (404, "Not Found"), path


async def test_a_slash_too_many_leads_nowhere_least_of_all_to_the_host_that_a_request_names(staff: Staff) -> None:
    browser = await staff("admin")
    for path in ("/staff/desk/", "/display/4071/", "/healthz/", "//evil.example/staff/"):
        answer = await browser.client.get(f"https://queue.example.org{path}", headers={"host": "evil.example"})
        assert (answer.status_code, answer.headers.get("location")) == (404, None), path
    assert (await browser.get("/staff/")).headers["location"] == "/staff/branches"
