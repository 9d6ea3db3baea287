"""How the panel looks: axe finds nothing, nothing runs out of any window, nothing jumps, and it is light."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, Response, expect

from tests.browser.checks import fits, no_layout_shift, no_violations, screenshot
from tests.browser.clerk import Clerk, at_desk
from tests.browser.conftest import log_in
from tests.browser.windows import Windows
from tests.world import World

NAMES = ("Achieng", "Kiprono", "Wanjiru Wambui", "Otieno", None, "Njeri", "Baraka", "Zawadi", "Mwangi")
WIDEST = "WWWWWWWWWWWWWWWW"
MOST = 40 * 1024  # bytes of the first load

Step = Callable[[Clerk], Awaitable[object]]


async def _crowd(world: World) -> None:
    """A busy morning: somebody skipped, somebody with the widest name, some without a phone."""
    for person, name in enumerate((*NAMES, WIDEST)):
        await world.join(None if person % 4 == 2 else person, name=name)
    await world.do("skip", await world.called("Room 2"))


async def _sound(page: Page) -> None:
    await no_violations(page)
    await fits(page)


async def test_the_door_and_a_wrong_password(page: Page, windows: Windows) -> None:
    windows.forgive("status of 422")
    await page.goto("/staff/login")
    await screenshot(page, "login")
    await _sound(page)
    await page.get_by_label("Login").fill("clinic1")
    await page.get_by_label("Password").fill("wrong")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("Login or password is wrong.")
    await _sound(page)


async def test_a_persons_own_pages(page: Page, world: World) -> None:
    await log_in(page, "clinic1")
    for path in ("desk", "password", "totp"):
        await page.goto(f"/staff/{path}")
        await _sound(page)
    await page.get_by_role("button", name="Make a key").click()
    await expect(page.locator(".key")).to_be_visible()
    await _sound(page)
    await page.locator("summary").click()
    await expect(page.get_by_role("button", name="Log out")).to_be_visible()
    await _sound(page)
    await world.pool.execute("update staff set must_change_password = true")
    await page.goto("/staff/password")
    await expect(page.get_by_role("heading", name="Choose your own password")).to_be_visible()
    await _sound(page)


async def test_where_there_is_no_page(page: Page, windows: Windows) -> None:
    windows.forgive("status of 404")
    await log_in(page, "clinic1")
    await page.goto("/staff/nowhere")
    await expect(page.get_by_role("link", name="Choose a desk")).to_be_visible()
    await _sound(page)


async def test_the_desk_in_all_its_states(page: Page, world: World) -> None:
    clerk = await at_desk(page)
    await _sound(page)
    await _crowd(world)
    await clerk.call_next()
    await clerk.has("A002", "Called")
    await _sound(page)
    await clerk.call_next()
    await expect(page.locator("#ask")).to_be_visible()
    await _sound(page)
    await page.get_by_role("link", name="Not yet").click()
    await clerk.press("Start")
    await clerk.has("A002", "Being served")
    await _sound(page)
    await clerk.add("", "0")
    await clerk.hears("This is not a phone number")
    await clerk.press("Pause")
    await expect(page.locator("#state-title")).to_contain_text("on a break")
    await _sound(page)


async def test_a_tickets_page_and_closing(page: Page, world: World) -> None:
    await _crowd(world)
    clerk = await at_desk(page)
    await clerk.call_next()
    await clerk.has("A002", "Called")
    for link in ("A003", "A001", "More"):
        await page.get_by_role("link", name=link).click()
        await expect(page.get_by_role("heading", name="What happened")).to_be_visible()
        if link == "A003":
            await screenshot(page, "ticket")
        await _sound(page)
        await page.go_back()
    await page.get_by_role("link", name="Close …").click()
    await expect(page.get_by_role("heading", name="Close Doctor?")).to_be_visible()
    await _sound(page)


async def test_nothing_moves_under_a_clerk_while_people_come_and_go(windows: Windows, site: str) -> None:
    """Somebody else works; this one only watches, at the widths of a phone, a tablet and a screen."""
    other = await at_desk(await windows.open(site), "Room 2")
    watching = [await at_desk(await windows.open(site, width=width, height=800)) for width in (320, 768, 1280)]
    for name in ("Achieng", "", WIDEST, "Njeri"):
        await other.add(name)
        await other.hears("was added")
    for clerk in watching:
        await clerk.lists("A001", "A002", "A003", "A004")
    await other.call_next()
    await other.press("Skip")
    await other.skipped("A001")
    await other.call_next()
    await other.press("Start")
    for clerk in watching:
        await clerk.lists("A003", "A004")
        await clerk.skipped("A001")
        await no_layout_shift(clerk.page)


@pytest.mark.parametrize(
    ("name", "width", "height", "colors"),
    [("desk", 1280, 800, "light"), ("desk-dark", 1280, 800, "dark"), ("desk-phone", 320, 640, "light")],
)
async def test_a_screen_for_the_readme(
    windows: Windows, site: str, world: World, *, name: str, width: int, height: int, colors: str
) -> None:
    await _crowd(world)
    page = await windows.open(site, width=width, height=height, colors="dark" if colors == "dark" else "light")
    clerk = await at_desk(page)
    await clerk.call_next()
    await clerk.hears("A002 was called to Room 1.")
    await screenshot(page, name)
    await fits(page)


async def test_the_first_load_is_light(page: Page, world: World) -> None:
    await _crowd(world)
    await log_in(page, "clinic1")
    await page.goto("/staff/desk")
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - it is given attributes
    await page.get_by_role("link", name="Doctor at Room 1").click()
    await page.wait_for_load_state("networkidle")
    sizes = {answer.url: (await answer.request.sizes())["responseBodySize"] for answer in answers}
    assert any("panel.js" in url for url in sizes)
    assert sum(sizes.values()) < MOST, sizes
