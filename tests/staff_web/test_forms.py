"""F67: a button counts only when the person pressed it on our page, in this session."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from tests.staff_web.browsing import Browser
from tests.staff_web.conftest import HOME, Open, Staff
from tests.staff_web.places import FORM, address, changes, ids_of, methods_of, staff_routes
from tests.world import World

OLD = "This page is too old. Nothing was changed. Go back, reload it and try again."
FOREIGN = "This form was not sent from our page. Nothing was changed."

TOKENS: dict[str, Callable[[Browser, Browser], str | None]] = {
    "none": lambda _mine, _other: None,
    "empty": lambda _mine, _other: "",
    "made up": lambda _mine, _other: "0" * 64,
    "not even ASCII": lambda _mine, _other: "ж" * 64,
    "another's": lambda _mine, other: other.csrf,
    "half of mine": lambda mine, _other: mine.csrf[:32],
}
ORIGINS = {
    "another site": {"origin": "https://evil.example"},
    "one that begins like ours": {"origin": f"{HOME}.evil.example"},
    "ours without the lock": {"origin": HOME.replace("https:", "http:")},
    "ours at another port": {"origin": f"{HOME}:8443"},
    "hidden": {"origin": "null"},
    "fetched across sites": {"sec-fetch-site": "cross-site"},
    "fetched from a neighbour": {"sec-fetch-site": "same-site"},
}


async def _pressed_everywhere(
    world: World, browser: Browser, token: str | None, headers: dict[str, str]
) -> list[tuple[str, httpx.Response]]:
    own = await ids_of(world, "4071", "clinic1")
    form = FORM | {"code": "4071"} | ({} if token is None else {"csrf": token})
    return [
        (route.path, await browser.client.post(address(route, own), data=form, headers=headers))
        for route in staff_routes()
        for method in methods_of(route)
        if method == "POST" and route.path != "/staff/login"
    ]


@pytest.mark.parametrize("kind", TOKENS)
async def test_no_button_works_without_the_token_of_its_session(world: World, staff: Staff, kind: str) -> None:
    mine, other = await staff("admin"), await staff("manager")
    answers = await _pressed_everywhere(world, mine, TOKENS[kind](mine, other), {"origin": HOME})
    assert [path for path, answer in answers if (answer.status_code, answer.text) != (403, OLD)] == []
    assert await world.pool.fetchval("select count(*) from audit_log where actor = 'staff'") == 0
    assert (await mine.get("/staff/branches")).status_code == 200  # still logged in


@pytest.mark.parametrize("kind", ORIGINS)
async def test_no_button_works_from_another_site(world: World, staff: Staff, kind: str) -> None:
    browser = await staff("admin")
    answers = await _pressed_everywhere(world, browser, browser.csrf, ORIGINS[kind])
    assert [path for path, answer in answers if (answer.status_code, answer.text) != (403, FOREIGN)] == []
    assert await world.pool.fetchval("select count(*) from audit_log where actor = 'staff'") == 0


@pytest.mark.parametrize("headers", [{}, {"origin": HOME}, {"origin": HOME, "sec-fetch-site": "same-origin"}])
async def test_from_our_own_page_a_button_works(staff: Staff, headers: dict[str, str]) -> None:
    browser = await staff("admin")
    form = {"csrf": browser.csrf, "name": "Afya", "language": "sw"}
    answer = await browser.client.post("/staff/organization", data=form, headers=headers)
    assert answer.status_code == 303


async def test_nobody_is_logged_in_from_another_site(browser: Open) -> None:
    for headers in ORIGINS.values():
        answer = await browser().client.post("/staff/login", data={"login": "admin"}, headers=headers)
        assert (answer.status_code, answer.text) == (403, FOREIGN)


async def test_a_button_without_a_session_leads_to_the_log_in(world: World, staff: Staff, browser: Open) -> None:
    known = await staff("admin")
    answers = await _pressed_everywhere(world, browser(), known.csrf, {"origin": HOME})
    assert {(answer.status_code, answer.headers["location"]) for _, answer in answers} == {(303, "/staff/login")}


async def test_no_page_is_kept_by_a_cache_or_shown_in_a_frame(world: World, staff: Staff) -> None:
    own = await ids_of(world, "4071", "clinic1")
    browser = await staff("admin")
    for route in staff_routes():
        for method in methods_of(route):
            answer = await browser.get(address(route, own)) if method == "GET" else None
            if answer and answer.status_code == 200:
                assert answer.headers["cache-control"] == "no-store", route.path
                assert "frame-ancestors 'none'" in answer.headers["content-security-policy"], route.path
                assert " style=" not in answer.text, route.path


async def test_a_form_that_is_too_long_or_has_too_many_fields_changes_nothing(world: World, staff: Staff) -> None:
    browser = await staff("admin")
    before = await changes(world)
    long = await browser.press("/staff/organization", name="A" * 20_000, language="en")
    many = await browser.press("/staff/organization", **{f"field-{number}": "" for number in range(300)})
    assert (long.status_code, many.status_code) == (413, 400)
    assert await changes(world) == before
