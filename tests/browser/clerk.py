"""A clerk at a window of the panel: what he sees there and what he presses."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import log_in

DESK = re.compile(r"/staff/desk/[0-9a-f-]{36}/[0-9a-f-]{36}$")
LEFT = "window.neverLeft = true"


@dataclass(frozen=True, slots=True)
class Clerk:
    """`page` shows the desk."""

    page: Page

    def button(self, words: str) -> Locator:
        return self.page.get_by_role("button", name=words, exact=True)

    async def press(self, words: str) -> None:
        await self.button(words).click()

    async def call_next(self) -> None:
        await self.page.locator("#call-next").click()

    async def add(self, name: str = "", phone: str = "") -> None:
        await self.page.get_by_label("Name").fill(name)
        await self.page.get_by_label("Phone").fill(phone)
        await self.press("Add to the line")

    async def hears(self, words: str) -> None:
        """What is said of the last press."""
        await expect(self.page.locator("#said")).to_contain_text(words)

    async def has(self, label: str, state: str) -> None:
        """Who is at the counter."""
        await expect(self.page.locator("#at .number")).to_have_text(label)
        await expect(self.page.locator("#at-title")).to_have_text(state)

    async def lists(self, *labels: str) -> None:
        """Who waits, in order."""
        await expect(self.page.locator("#waiting li b")).to_have_text(labels)

    async def skipped(self, *labels: str) -> None:
        await expect(self.page.locator("#skipped li b")).to_have_text(labels)

    async def never_left(self) -> bool:
        """Whether the page is still the one that was loaded in the beginning."""
        return bool(await self.page.evaluate(LEFT.replace(" =", " ===")))


async def at_desk(page: Page, room: str = "Room 1", line: str = "Doctor", login: str = "clinic1") -> Clerk:
    """Logged in and at that counter."""
    await log_in(page, login)
    await page.goto("/staff/desk")
    await page.get_by_role("link", name=f"{line} at {room}").click()
    await expect(page).to_have_url(DESK)
    await page.wait_for_load_state()  # the script too, which is asked for what it knows
    await page.evaluate(LEFT)
    return Clerk(page)
