"""The desk is true by itself: news from others, a server that dies, a network that is lost, a session that is over."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.checks import no_layout_shift
from tests.browser.clerk import at_desk
from tests.browser.windows import Windows
from tests.cable import Cable, plugged
from tests.faults.phones import Phone
from tests.terminal import Terminal
from tests.world import World, phone

BOARD = "/display/4071"
LOST = "net::ERR_|WebSocket|Failed to load"
ROUNDS = 12
NO_POLL = "const every = setInterval; window.setInterval = (work, each) => each < 10000 && every(work, each)"


async def _until(page: Page, condition: str) -> None:
    """Playwright's own way to wait for a condition is against our Content Security Policy."""
    await page.evaluate(
        f"() => new Promise(done => {{ const ask = () => {condition} ? done() : requestAnimationFrame(ask); ask(); }})"
    )


async def _joins(url: str, person: int) -> None:
    """A handset dials, chooses the doctor and joins."""
    handset = Phone(url, phone(person))
    await handset.dial()
    await handset.press("1")
    assert "Join now?" in handset.screen.text
    await handset.press("1")


async def _next_on(board: Page, *labels: str) -> None:
    await expect(board.locator("#line-A .next span:not(.nobody)")).to_have_text(labels)


async def test_a_handset_joins_and_both_panels_and_the_board_show_it(windows: Windows, site: str) -> None:
    one = await at_desk(await windows.open(site))
    other = await at_desk(await windows.open(site), "Room 2", login="manager")
    board = await windows.open(site)
    await board.goto(BOARD)
    for person, labels in ((1, ["A001"]), (2, ["A001", "A002"])):
        await _joins(site, person)
        await asyncio.gather(one.lists(*labels), other.lists(*labels), _next_on(board, *labels))
    await one.call_next()
    await one.has("A001", "Called")
    await asyncio.gather(other.lists("A002"), _next_on(board, "A002"))
    await expect(board.locator("#counter-1 .number")).to_have_text("A001")
    assert await one.never_left()
    assert await other.never_left()
    for page in (other.page, board):
        await no_layout_shift(page)


async def test_two_clerks_in_the_same_instant_never_call_one_person(windows: Windows, site: str, world: World) -> None:
    rooms = ("Room 1", "Room 2")
    clerks = [await at_desk(await windows.open(site), room) for room in rooms]
    await world.line(*range(2 * ROUNDS))
    labels = await world.order()
    for turn in range(ROUNDS):
        await asyncio.gather(*(clerk.call_next() for clerk in clerks))
        await asyncio.gather(*(expect(clerk.page.locator("#at-title")).to_have_text("Called") for clerk in clerks))
        called = [await clerk.page.locator("#at .number").inner_text() for clerk in clerks]
        assert sorted(called) == labels[2 * turn : 2 * turn + 2]
        await asyncio.gather(*(clerk.press("Complete") for clerk in clerks))
        await asyncio.gather(*(clerk.has("—", "Nobody is here") for clerk in clerks))


async def test_after_a_killed_server_is_back_all_is_true_again_by_itself(
    windows: Windows, terminal: Terminal, world: World
) -> None:
    windows.forgive(LOST)
    async with plugged("http://127.0.0.1:9") as cable:
        with terminal.serving() as first:
            cable.server = first.url
            clerk = await at_desk(await windows.open(cable.url))
            board = await windows.open(cable.url)
            await board.goto(BOARD)
            await _joins(cable.url, 1)
            await asyncio.gather(clerk.lists("A001"), _next_on(board, "A001"))
            first.kill()
        await world.join(2)
        with terminal.serving() as second:
            cable.server = second.url
            await asyncio.gather(clerk.lists("A001", "A002"), _next_on(board, "A001", "A002"))
            await clerk.call_next()
            await clerk.has("A001", "Called")
            await expect(board.locator("#counter-1 .number")).to_have_text("A001")
            assert await clerk.never_left()


async def test_without_a_network_it_says_so_and_with_one_it_is_true_again(
    windows: Windows, cable: Cable, world: World
) -> None:
    windows.forgive(LOST)
    page = await windows.open(cable.url)
    await page.clock.install()
    clerk = await at_desk(page)
    await expect(page.locator("#asof")).to_have_text("Up to date")
    cable.cut()
    await page.clock.fast_forward("00:16")
    await expect(page.get_by_role("alert")).to_contain_text("Not up to date since")
    await world.join(1)
    await clerk.call_next()
    await clerk.hears("No answer. It may have been done or not. Press again: it is never done twice.")
    cable.mend()
    await page.clock.fast_forward("00:16")
    await expect(page.locator("#asof")).to_have_text("Up to date")
    await clerk.lists("A001")
    await clerk.call_next()
    await clerk.hears("A001 was called to Room 1.")
    assert await clerk.never_left()


async def _lose_the_answer(route: Route) -> None:
    """The server heard it; whoever asked never learns."""
    await route.fetch(max_redirects=0)
    await route.abort()


@pytest.mark.parametrize("seen", [False, True], ids=["before the page looked", "after the page looked"])
async def test_a_press_whose_answer_was_lost_is_done_once_when_pressed_again(
    windows: Windows, cable: Cable, *, seen: bool
) -> None:
    windows.forgive(LOST)
    cable.sockets = False  # so that the page looks when the test says so
    page = await windows.open(cable.url)
    await page.clock.install()
    clerk = await at_desk(page)
    await clerk.add("Achieng")
    await clerk.lists("A001")
    await page.get_by_label("Name").fill("Kiprono")
    for button, action, waiting, told in (
        ("#add", "walk-in", ["A001", "A002"], "A002 was added"),
        ("#call-next", "call-next", ["A002"], "A001 was called to Room 1."),
    ):
        await page.route(f"**/{action}", _lose_the_answer, times=1)
        await page.locator(button).click()
        await clerk.hears("Press again: it is never done twice.")
        if seen:
            await page.clock.fast_forward("00:11")
            await clerk.lists(*waiting)
        await page.locator(button).click()
        await clerk.hears(told)
        await expect(page.locator("#ask")).to_have_count(0)
    await clerk.has("A001", "Called")
    await clerk.lists("A002")


async def test_where_sockets_are_blocked_news_come_all_the_same(windows: Windows, cable: Cable) -> None:
    windows.forgive("WebSocket")
    cable.sockets = False
    page = await windows.open(cable.url)
    await page.clock.install()
    clerk = await at_desk(page)
    await _joins(cable.url, 1)
    await clerk.lists()
    await page.clock.fast_forward("00:11")
    await clerk.lists("A001")


@dataclass
class Late:
    """The next answer to a look: it is made at once, and arrives when it is told to."""

    made: asyncio.Event = field(default_factory=asyncio.Event)
    arrives: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, route: Route) -> None:
        answer = await route.fetch()
        self.made.set()
        await self.arrives.wait()
        await route.fulfill(response=answer)


async def test_news_during_a_look_are_looked_for_again(page: Page, site: str) -> None:
    await page.add_init_script(NO_POLL)
    clerk, late = await at_desk(page), Late()
    await _until(page, "tag && !looking")
    await page.route("**/staff/desk/**", late, times=1)
    await _joins(site, 1)
    await late.made.wait()
    await _joins(site, 2)
    await _until(page, "missed")
    late.arrives.set()
    await clerk.lists("A001", "A002")


async def test_an_answer_from_before_a_press_does_not_take_back_what_that_showed(page: Page, world: World) -> None:
    await world.line(1)
    clerk, late = await at_desk(page), Late()
    await _until(page, "tag && !looking")
    await page.route("**/staff/desk/**", late, times=1)
    await world.join(2)
    await page.evaluate("hint()")
    await late.made.wait()
    await clerk.call_next()
    await clerk.has("A001", "Called")
    await page.evaluate(WATCH)
    late.arrives.set()
    await _until(page, "!looking")
    assert await page.evaluate("shown") == []


WATCH = """() => {
    window.shown = [];
    const look = () => {
        const number = document.querySelector("#at .number").textContent;
        if (number !== "A001") shown.push(number);
    };
    new MutationObserver(look).observe(document.getElementById("main"), {childList: true, subtree: true});
}"""


async def test_after_a_lost_answer_another_name_is_another_person(windows: Windows, cable: Cable) -> None:
    windows.forgive(LOST)
    cable.sockets = False
    clerk = await at_desk(await windows.open(cable.url))
    await clerk.page.route("**/walk-in", _lose_the_answer, times=1)
    await clerk.add("Ann")
    await clerk.hears("Press again: it is never done twice.")
    await clerk.page.get_by_label("Name").fill("Bob")
    await clerk.press("Add to the line")
    await clerk.hears("A002 was added")
    await expect(clerk.page.locator("#waiting li a > span")).to_have_text(["Ann", "Bob"])


async def test_what_is_only_focused_is_as_true_as_the_rest(page: Page, world: World) -> None:
    await at_desk(page)
    await page.get_by_label("How long").focus()
    await world.close()
    await expect(page.locator("#state-title")).to_have_text("Doctor is closed")


async def test_a_break_that_is_being_chosen_stays_as_chosen(page: Page, world: World) -> None:
    clerk = await at_desk(page)
    await page.get_by_label("How long").select_option("30 minutes")
    await page.get_by_label("How long").focus()
    await world.line(1)
    await clerk.lists("A001")
    await expect(page.get_by_label("How long")).to_have_value("30")


async def test_a_server_that_hangs_up_at_once_is_called_later_and_later(page: Page) -> None:
    await page.route_web_socket("**/staff/ws", lambda socket: socket.close())
    await at_desk(page)
    await _until(page, "tries > 2")
