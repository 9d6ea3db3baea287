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
