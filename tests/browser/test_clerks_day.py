"""The day of a clerk in a real browser: every step is seen without a reload, and without scripts with one."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.browser.checks import no_layout_shift
from tests.browser.clerk import DESK, Clerk, at_desk
from tests.browser.conftest import PASSWORD
from tests.browser.windows import Windows
from tests.world import World


async def _day(clerk: Clerk) -> None:
    """From the first walk-in to the closed door."""
    for name in ("Achieng", "Kiprono", "", "Njeri"):
        await clerk.add(name)
    await clerk.lists("A001", "A002", "A003", "A004")
    await clerk.call_next()
    await clerk.has("A001", "Called")
    await clerk.lists("A002", "A003", "A004")
    await clerk.press("Start")
    await clerk.has("A001", "Being served")
    await clerk.press("Complete")
    await clerk.has("—", "Nobody is here")
    await clerk.call_next()
    await clerk.press("Skip")
    await clerk.skipped("A002")
    await clerk.press("Back in line")
    await clerk.lists("A003", "A004", "A002")
    await clerk.call_next()
    await clerk.hears("A003 was called to Room 1.")
    await clerk.press("Undo call")
    await clerk.lists("A003", "A004", "A002")
    await clerk.call_next()
    await clerk.call_next()
    await expect(clerk.page.locator("#ask")).to_contain_text("A003 was called and has not started.")
    await clerk.press("Was served")
    await clerk.has("A004", "Called")
    await clerk.press("No-show")
    await clerk.hears("A004 is a no-show. The place is given up.")
    await clerk.page.get_by_label("How long").select_option("30 minutes")
    await clerk.press("Pause")
    await expect(clerk.page.locator("#state-title")).to_contain_text("Doctor is on a break until about")
    await clerk.press("Open")
    await expect(clerk.page.locator("#state-title")).to_have_text("Doctor is open")
    for figure, number in (("Waiting", "1"), ("Served", "2"), ("No-shows", "1")):
        await expect(clerk.page.locator("#figures div").filter(has_text=figure).locator("dd")).to_have_text(number)


async def _close(clerk: Clerk) -> None:
    await clerk.page.get_by_role("link", name="Close …").click()
    await expect(clerk.page.get_by_text("1 person waits in line now.")).to_be_visible()
    await clerk.press("Send 1 person home")
    await clerk.hears("Doctor is closed. 1 person sent home.")
    await expect(clerk.page).to_have_url(DESK)


async def test_a_day_is_seen_step_by_step_without_a_reload(page: Page) -> None:
    clerk = await at_desk(page)
    await _day(clerk)
    assert await clerk.never_left()
    await no_layout_shift(page)
    await _close(clerk)
    await page.get_by_text("Amina").click()
    await clerk.press("Log out")
    await clerk.hears("You are logged out.")


async def test_a_day_goes_by_without_scripts(windows: Windows, site: str) -> None:
    page = await windows.open(site, scripts=False)
    clerk = await at_desk(page)
    await _day(clerk)
    await _close(clerk)


class Keys:
    """Somebody who has no mouse: what is focused is always seen, and Tab gets everywhere."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def to(self, words: str) -> None:
        """Tab on until that is focused."""
        for _ in range(60):
            await self.page.keyboard.press("Tab")
            name, ring = await self.page.evaluate(FOCUSED)
            assert ring, f"nobody sees that {name!r} is focused"
            if name.startswith(words):
                return
        raise AssertionError(words)

    async def press(self, words: str) -> None:
        await self.to(words)
        await self.page.keyboard.press("Enter")

    async def type(self, label: str, words: str) -> None:
        await self.to(label)
        await self.page.keyboard.type(words)


FOCUSED = """() => {
    const at = document.activeElement;
    const style = getComputedStyle(at);
    const name = at.labels?.[0]?.innerText ?? at.innerText ?? "";
    const nowhere = at === document.body;
    return [nowhere ? "" : name.replace(/\\s+/g, " ").trim(), nowhere || style.outlineStyle !== "none"];
}"""
AT = "document.activeElement.id"


async def test_a_day_goes_by_without_a_mouse(page: Page) -> None:
    keys = Keys(page)
    await page.goto("/staff/login")
    assert await page.evaluate(AT) == "login"
    await page.keyboard.type("clinic1")
    await keys.type("Password", PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Where do you work?")).to_be_visible()
    await keys.press("Skip to the page")
    await keys.press("Doctor at Room 1")
    await expect(page).to_have_url(DESK)
    clerk = Clerk(page)
    for name in ("Achieng", "Kiprono", "Njeri"):
        await keys.type("Name", name)
        await page.keyboard.press("Enter")
        await clerk.hears("was added")
        await expect(page.locator("#waiting")).to_contain_text(name)
        assert await page.evaluate(AT) == "name"
    await keys.press("Call next")
    await clerk.has("A001", "Called")
    assert await page.evaluate(AT) == "call-next"
    await keys.press("Start")
    await clerk.has("A001", "Being served")
    assert await page.evaluate(AT) == "at"  # there is no Start any more, and what follows is the next Tab
    await keys.press("Complete")
    await clerk.has("—", "Nobody is here")
    await keys.press("Call next")
    await clerk.has("A002", "Called")
    await page.keyboard.press("Enter")
    await expect(page.locator("#ask")).to_be_focused()
    await page.keyboard.press("Enter")  # the same key, held too long, answers nothing
    await keys.press("Not here: skip")
    await clerk.has("A003", "Called")
    await clerk.skipped("A002")
    await keys.press("Back in line")
    await clerk.lists("A002")
    assert await page.evaluate(AT) == "skipped"


@pytest.mark.parametrize("label", ["Name", "How long"])
async def test_what_is_typed_or_chosen_is_still_there_when_news_arrive_and_after_other_presses(
    page: Page, world: World, label: str
) -> None:
    clerk = await at_desk(page)
    field = page.get_by_label(label)
    if label == "Name":
        await field.press_sequentially("Achie")
    else:
        await field.select_option("30")
    await field.focus()
    value = await field.input_value()
    await world.join(1)
    await clerk.lists("A001")
    await expect(field).to_be_focused()
    await clerk.call_next()
    await clerk.has("A001", "Called")
    await expect(field).to_have_value(value)


async def test_what_was_refused_stays_to_be_put_right(page: Page) -> None:
    clerk = await at_desk(page)
    await clerk.add("Achieng", "0711")
    await clerk.hears("This is not a phone number")
    await expect(page.get_by_label("Name")).to_have_value("Achieng")
    await page.get_by_label("Phone").fill("0711000001")
    await clerk.press("Add to the line")
    await clerk.hears("A001 was added")
    await expect(page.get_by_label("Name")).to_have_value("")
