"""What managers and admins look at: readable on any screen, with nothing that a screen reader stumbles over."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.browser.checks import fits, no_violations, screenshot
from tests.browser.conftest import log_in
from tests.world import World

PAGES = {
    "/staff/branches": "manager",
    "/staff/branches/4071": "manager",
    "/staff/branches/4071/settings": "manager",
    "/staff/people": "manager",
    "/staff/people/clinic1": "manager",
    "/staff/health": "admin",
    "/staff/organization": "admin",
    "/staff/totp": "clinic1",
}


@pytest.mark.parametrize(("path", "login"), PAGES.items(), ids=PAGES)
async def test_a_page_for_those_who_run_a_branch_is_for_everybody(
    page: Page, world: World, path: str, login: str
) -> None:
    await world.line(1, 2, 3)
    await world.serve()
    await log_in(page, login)
    await page.goto(path)
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    if path == "/staff/branches/4071":
        await screenshot(page, "branch")
    await no_violations(page)
    await fits(page)


async def test_the_branch_is_true_by_itself_and_a_press_says_what_it_did(page: Page, world: World) -> None:
    await log_in(page, "manager")
    await page.goto("/staff/branches/4071")
    await page.evaluate("window.neverLeft = true")
    waiting = page.locator("#day .figures div").filter(has_text="Waiting").locator("dd")
    await expect(page.locator("#asof")).to_have_text("Up to date")
    await expect(waiting).to_have_text("0")
    await world.line(1)
    await expect(waiting).to_have_text("1")
    for button, said, title in (
        ("Close the branch to new people", "The branch takes nobody new.", "Closed to new people"),
        ("Open the branch", "The branch is open.", "Open"),
    ):
        await page.get_by_role("button", name=button).click()
        await expect(page.locator("#said .good")).to_contain_text(said)
        await expect(page.locator("#day-title")).to_have_text(title)
    await world.pool.execute("update branches set is_open = false")
    await expect(page.get_by_role("button", name="Open the branch")).to_be_visible()
    assert await page.evaluate("neverLeft")
