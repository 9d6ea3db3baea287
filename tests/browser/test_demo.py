"""The demo page: phones, the panel and the board side by side, the latter two in frames of another origin."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest_asyncio
from playwright.async_api import FrameLocator, Locator, Page, expect
from starlette.applications import Starlette

import settings as settings_module
from app import create_app
from commands.tour import tour
from staff_web.security_headers import FramedBy
from telco_sim.config import TelcoConfig
from telco_sim.testing import RunningTelco, running
from tests.browser.checks import fits, no_layout_shift, no_violations, screenshot
from tests.browser.conftest import PASSWORD, served
from tests.browser.windows import Windows
from tests.terminal import SECRET, outside
from tests.world import World

AUTOFOCUS = "Blocked autofocusing"  # of the log-in in a frame, which is the browser's way
SOCKET = {
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest_asyncio.fixture(loop_scope="session")
async def telco() -> AsyncIterator[RunningTelco]:
    async with running(TelcoConfig(api_key="key")) as telco:
        yield telco


@pytest_asyncio.fixture(loop_scope="session")
async def web(database: str, redis_url: str, tmp_path: Path, telco: RunningTelco) -> Starlette:
    settings = settings_module.load(outside(database, redis_url) | {"ZAMU_DATA_DIR": str(tmp_path)})
    telco.state.connect(tour=tour(settings))
    return create_app(settings)


@pytest_asyncio.fixture(loop_scope="session")
async def clinic(web: Starlette, telco: RunningTelco, windows: Windows) -> AsyncIterator[str]:
    """The application as `zamu demo` serves it, behind that telco."""
    web.add_middleware(FramedBy, origin=telco.url)
    async with served(web) as url:
        _connect(telco, url, windows)
        yield url
        await windows.close()


def _connect(telco: RunningTelco, url: str, windows: Windows) -> None:
    windows.forgive(AUTOFOCUS, f"foreign host: {url}/")
    telco.state.connect(
        ussd_url=f"{url}/hooks/africastalking/ussd/{SECRET}",
        ussd_end_url=f"{url}/hooks/africastalking/ussd-end/{SECRET}",
        panel_url=f"{url}/staff/desk",
        board_url=f"{url}/display/4071",
    )


@pytest_asyncio.fixture(loop_scope="session")
async def demo(clinic: str, telco: RunningTelco, windows: Windows) -> Page:
    assert clinic
    page = await windows.open(telco.url, width=1440, height=900)
    await page.goto("/telco/demo")
    await expect(page.locator(".handset")).to_have_count(3)
    return page


def frame(demo: Page, name: str) -> FrameLocator:
    return demo.frame_locator(f"iframe[title={name}]")


def phone(demo: Page, number: int) -> Locator:
    return demo.locator(".handset").nth(number - 1)


async def press(phone: Locator, *keys: str) -> None:
    for key in keys:
        await phone.locator(f'[data-key="{key}"]').click()


async def log_in(panel: FrameLocator) -> None:
    await panel.locator("input[name=login]").fill("clinic1")
    await panel.locator("input[name=password]").fill(PASSWORD)
    await panel.locator("input[name=password]").press("Enter")
    await panel.get_by_role("link", name="Doctor at Room 1").click()
    await expect(panel.locator("#call-next")).to_be_visible()


async def test_phones_panel_and_board_are_live_side_by_side(demo: Page, world: World) -> None:
    panel, board = frame(demo, "Panel"), frame(demo, "Board")
    await log_in(panel)
    await press(phone(demo, 1), "call")
    for key in ("1", "4", "1", "1"):
        await expect(phone(demo, 1)).to_have_attribute("data-kind", "ussd")
        await press(phone(demo, 1), *(key if key != "4" else "4071"), "left")
        await expect(phone(demo, 1).locator(".running")).to_have_count(0)
    await expect(phone(demo, 1).locator(".text")).to_contain_text("Your number is A001")
    await expect(panel.locator("#waiting li b")).to_have_text(["A001"])
    for person in range(2, 7):
        await world.join(person)
    await panel.locator("#call-next").click()
    await expect(panel.locator("#at .number")).to_have_text("A001")
    await expect(board.locator("#counter-1")).to_contain_text("A001")
    await press(phone(demo, 1), "left", "call")
    await expect(phone(demo, 1).locator(".text")).to_contain_text("IT IS YOUR TURN")
    await demo.set_viewport_size({"width": 1140, "height": 720})  # a picture of less than 150 KB
    await screenshot(demo, "demo")


async def test_only_the_demo_may_frame_the_panel(web: Starlette, telco: RunningTelco, windows: Windows) -> None:
    windows.forgive("frame-ancestors", "chrome-error", "ERR_BLOCKED_BY_RESPONSE")
    async with served(web) as url:
        _connect(telco, url, windows)
        page = await windows.open(telco.url)
        await page.goto("/telco/demo")
        await expect(page.locator(".handset")).to_have_count(3)
        await expect(frame(page, "Panel").locator("input[name=login]")).to_have_count(0)
        assert all(not each.url.startswith(url) for each in page.frames)
        await windows.close()


async def test_the_demo_opens_nothing_to_other_origins(clinic: str, telco: RunningTelco) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        policy = (await http.get(f"{clinic}/staff/login")).headers["content-security-policy"]
        assert f"frame-ancestors {telco.url}" in policy
        assert "'none'" not in policy.partition("frame-ancestors")[2]
        assert (await http.get(f"{clinic}/ws", headers=SOCKET | {"origin": telco.url})).status_code == 403
        form = await http.post(f"{clinic}/staff/login", data={}, headers={"origin": telco.url})
        assert form.status_code == 403


async def test_the_tour_leads_on_and_back_by_keyboard_and_is_heard(demo: Page) -> None:
    await expect(demo.locator(".step")).to_have_count(6)
    await expect(demo.locator("#steps")).to_have_attribute("role", "status")
    await expect(demo.locator("#steps")).to_contain_text("1 of 6")
    await demo.locator("#next").focus()
    for place, number in (("phones", 2), ("panel", 3), ("board", 4)):
        await demo.keyboard.press("Enter")
        await expect(demo.locator(".step:visible")).to_contain_text(f"{number} of 6")
        await expect(demo.locator(".pointed")).to_have_id(f"place-{place}")
    await demo.locator("#back").click()
    await expect(demo.locator(".step:visible")).to_contain_text("3 of 6")
    for _ in range(4):
        await demo.locator("#next").click()
    await expect(demo.locator("#tour")).to_be_hidden()
    await expect(demo.locator("#begin")).to_be_focused()


async def test_a_tour_that_was_skipped_stays_away_until_it_is_asked_for(demo: Page) -> None:
    await demo.locator("#skip").click()
    await expect(demo.locator("#tour")).to_be_hidden()
    await demo.reload()
    await expect(demo.locator(".handset")).to_have_count(3)
    await expect(demo.locator("#tour")).to_be_hidden()
    await demo.locator("#begin").click()
    await expect(demo.locator("#tour-title")).to_be_focused()
    await demo.keyboard.press("Escape")
    await expect(demo.locator("#tour")).to_be_hidden()


async def test_the_phone_in_hand_shows_its_keys_and_the_others_their_screens(demo: Page) -> None:
    await expect(phone(demo, 1).locator('[data-key="5"]')).to_be_visible()
    await expect(phone(demo, 2).locator('[data-key="5"]')).to_be_hidden()
    await phone(demo, 2).locator(".text").click()
    await expect(phone(demo, 2).locator('[data-key="5"]')).to_be_visible()
    await expect(phone(demo, 1).locator('[data-key="5"]')).to_be_hidden()
    await phone(demo, 2).locator('[data-key="5"]').click()
    await expect(phone(demo, 2).locator(".text")).to_have_text("5")


async def test_in_a_narrow_window_the_three_are_shown_one_at_a_time(demo: Page) -> None:
    await demo.set_viewport_size({"width": 375, "height": 740})
    for name in ("Panel", "Board", "Phones"):
        await demo.get_by_role("button", name=name, exact=True).click()
        shown = [await place.get_attribute("id") for place in await demo.locator(".stage > :visible").all()]
        assert shown == [f"place-{name.lower()}"]
        await expect(demo.get_by_role("button", name=name, exact=True)).to_have_attribute("aria-pressed", "true")


async def test_the_demo_page_is_accessible_and_fits_every_window(demo: Page) -> None:
    await expect(frame(demo, "Panel").locator("input[name=login]")).to_be_visible()
    await no_layout_shift(demo)
    await no_violations(demo)
    await fits(demo)


async def test_a_telco_that_knows_no_panel_says_so(telco: RunningTelco) -> None:
    async with httpx.AsyncClient(base_url=telco.url, trust_env=False) as http:
        answer = await http.get("/telco/demo")
    assert answer.status_code == 404
    assert "--panel-url" in answer.text
