"""The board on the wall, without a desk beside it: it is read from afar, speaks, and never pretends."""

from __future__ import annotations

from playwright.async_api import Page, expect

from queue_core import tickets
from tests.browser.checks import fits, no_layout_shift, no_violations, screenshot
from tests.browser.windows import Windows
from tests.cable import Cable
from tests.world import World

BOARD = "/display/4071"
LOST = "net::ERR_|WebSocket|Failed to load"
# A voice that keeps what it is told to say.
VOICE = """
window.spoken = [];
Object.defineProperty(window, "speechSynthesis", { value: {
    getVoices: () => [{ lang: "en-GB", name: "a voice" }], cancel: () => {},
    speak: (speech) => { spoken.push(speech.text); setTimeout(() => speech.onend(), 0); } } });
window.SpeechSynthesisUtterance = function (text) { this.text = text; };
"""
# Playwright's own way to wait for a condition is against our Content Security Policy.
SPOKEN = """() => new Promise(done => {
    const ask = () => spoken.length > 1 ? done(spoken) : requestAnimationFrame(ask);
    ask(); })"""


async def _at_the_wall(page: Page) -> Page:
    await page.goto(BOARD)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Kilimani Clinic")
    return page


async def test_it_shows_whom_each_counter_has_and_what_is_closed(page: Page, world: World) -> None:
    await world.line(*range(6))
    await world.line(10, 11, queue="P")
    await world.call("Room 1")
    await world.do("start", await world.called("Room 2", "P"))
    await world.pause("L")
    board = await _at_the_wall(page)
    await expect(board.locator("#counter-1")).to_contain_text("A001")
    await expect(board.locator("#counter-1")).to_contain_text("please come")
    await expect(board.locator("#counter-2")).to_contain_text("being served")
    await expect(board.locator("#line-L .shut-why")).to_contain_text("Break")
    await screenshot(board, "board")
    await no_violations(board)
    await fits(board)


async def test_names_and_phones_are_nowhere_on_it(page: Page, world: World) -> None:
    await world.join(1, name="Achieng")
    await world.join(2, name="Kiprono")
    await world.call()
    board = await _at_the_wall(page)
    source = await board.content()
    assert "A001" in source
    assert not any(private in source for private in ("Achieng", "Kiprono", "+2547"))


async def test_each_call_is_spoken_once_digit_by_digit(page: Page, world: World) -> None:
    await page.add_init_script(VOICE)
    board = await _at_the_wall(page)
    await board.get_by_role("button", name="Switch sound on").click()
    await expect(board.get_by_role("button", name="Sound is on")).to_be_visible()
    await world.line(1, 2)
    first = await world.called("Room 1")
    await world.called("Room 3")
    await expect(board.locator("#counter-3 .number")).to_have_text("A002")
    await expect(board.locator("#said")).to_have_text("A002, Room 3")
    assert sorted(await board.evaluate(SPOKEN)) == ["A 0 0 1, Room 1", "A 0 0 2, Room 3"]
    assert (await tickets.look(world.core, first.id)).status == "called"
    await no_layout_shift(board)


async def test_a_call_that_was_undone_and_made_again_is_spoken_again(page: Page, world: World) -> None:
    await page.add_init_script(VOICE)
    board = await _at_the_wall(page)
    await board.get_by_role("button", name="Switch sound on").click()
    await world.line(1)
    called = await world.called("Room 1")
    await expect(board.locator("#counter-1 .number")).to_have_text("A001")
    await world.do("take_back", called)
    await expect(board.locator("#counter-1 .number")).not_to_have_text("A001")
    await world.called("Room 1")
    assert await board.evaluate(SPOKEN) == ["A 0 0 1, Room 1"] * 2


async def test_a_call_blinks_for_five_seconds_at_most(page: Page, world: World) -> None:
    await world.line(1)
    await world.called("Room 1")
    await page.emulate_media(reduced_motion="no-preference")
    board = await _at_the_wall(page)
    style = """one => {
        const is = getComputedStyle(one);
        return parseFloat(is.animationDuration) * is.animationIterationCount; }"""
    assert 0 < await board.locator("#counter-1").evaluate(style) <= 5


async def test_without_a_network_it_says_large_that_it_is_not_true(
    windows: Windows, cable: Cable, world: World
) -> None:
    windows.forgive(LOST)
    page = await windows.open(cable.url)
    await page.clock.install()
    board = await _at_the_wall(page)
    await expect(board.get_by_role("alert")).to_have_count(0)
    cable.cut()
    await page.clock.fast_forward("00:20")
    await expect(board.get_by_role("alert")).to_contain_text("not up to date since")
    await world.line(1)
    cable.mend()
    await page.clock.fast_forward("00:20")
    await expect(board.get_by_role("alert")).to_have_count(0)
    await expect(board.locator("#line-A .next")).to_contain_text("A001")


async def test_without_javascript_it_shows_what_was_true_and_asks_anew(
    windows: Windows, site: str, world: World
) -> None:
    await world.line(1, 2)
    await world.call("Room 4")
    page = await windows.open(site, scripts=False)
    await page.goto(BOARD)
    await expect(page.locator("#counter-4")).to_contain_text("A001")
    assert 'http-equiv="refresh"' in await page.content()
