"""A session that ends under an open desk, and a release that comes meanwhile."""

from __future__ import annotations

from playwright.async_api import Page, Route, expect

from tests.browser.checks import no_violations
from tests.browser.clerk import at_desk
from tests.browser.windows import Windows
from tests.cable import Cable
from tests.world import World


async def test_whoever_is_logged_out_elsewhere_is_led_to_the_door(page: Page, world: World, windows: Windows) -> None:
    windows.forgive("WebSocket")
    await page.clock.install()
    await at_desk(page)
    await world.pool.execute("delete from staff_sessions")
    await page.clock.fast_forward("00:11")
    await expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    assert "/staff/login?next=/staff/desk/" in page.url


async def test_a_press_after_the_session_is_over_leads_to_the_door_and_changes_nothing(
    windows: Windows, cable: Cable, world: World
) -> None:
    windows.forgive("WebSocket")
    cable.sockets = False
    await world.line(1)
    page = await windows.open(cable.url)
    clerk = await at_desk(page)
    await world.pool.execute("delete from staff_sessions")
    await clerk.call_next()
    await expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    assert await world.order() == ["A001"]


async def test_before_the_session_is_over_it_says_so_and_can_go_on(
    windows: Windows, cable: Cable, world: World
) -> None:
    windows.forgive("WebSocket")
    cable.sockets = False
    page = await windows.open(cable.url)
    await page.clock.install()
    await at_desk(page)
    await page.clock.fast_forward("00:11")
    await expect(page.locator("#asof")).to_have_text("Up to date")
    warning = page.get_by_role("alert").filter(has_text="You will be logged out at")
    await expect(warning).to_have_count(0)
    await world.pool.execute("update staff_sessions set seen_at = now() - interval '28.5 minutes'")
    await page.clock.fast_forward("00:11")
    await expect(warning).to_be_visible()
    await no_violations(page)
    await page.get_by_role("button", name="Stay logged in").click()
    await expect(warning).to_have_count(0)
    fresh = "select bool_and(seen_at > now() - interval '1 minute') from staff_sessions"
    assert await world.pool.fetchval(fresh)
    await world.pool.execute("update staff_sessions set created_at = now() - interval '11 hours 59 minutes'")
    await page.clock.fast_forward("00:11")
    await expect(warning).to_be_visible()
    await page.get_by_role("button", name="Stay logged in").click()
    await expect(page.get_by_role("button", name="Stay logged in")).to_have_count(0)
    await expect(warning).to_be_visible()


async def test_any_press_lets_the_session_go_on(page: Page, world: World) -> None:
    clerk = await at_desk(page)
    await world.pool.execute("update staff_sessions set seen_at = now() - interval '28.5 minutes'")
    await page.evaluate("hint()")
    await expect(page.locator("#ending")).to_be_visible()
    await clerk.call_next()
    await clerk.hears("Nobody waits in Doctor.")
    await expect(page.locator("#ending")).to_be_hidden()


async def _of_the_next_release(route: Route) -> None:
    if route.request.resource_type != "fetch":
        await route.continue_()
        return
    answer = await route.fetch()
    await route.fulfill(response=answer, body=(await answer.text()).replace("/panel.js?v=", "/panel.js?v=next"))


async def test_a_new_release_is_loaded_once_nobody_types(page: Page, world: World) -> None:
    clerk = await at_desk(page)
    await page.get_by_label("Name").fill("Asha")
    await page.route("**/staff/desk/**", _of_the_next_release)
    await world.line(1)
    await clerk.lists("A001")
    assert await clerk.never_left()
    await expect(page.get_by_label("Name")).to_have_value("Asha")
    async with page.expect_event("load"):
        await page.get_by_label("Name").fill("")
        await world.join(2)
    await page.unroute("**/staff/desk/**")
    await clerk.lists("A001", "A002")
    assert not await clerk.never_left()
