"""Phones in a browser, on a telco of their own and with a small application behind the code."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from telco_sim.config import TelcoConfig
from telco_sim.player import ACTS, play
from telco_sim.scene import read
from telco_sim.sms import Order
from telco_sim.testing import RunningTelco, running, serving
from tests.browser.checks import fits, no_layout_shift, no_violations, screenshot
from tests.browser.windows import Windows

AMINA, BARAKA = "+254711000001", "+254711000002"
WELCOME = "CON Sunrise Clinic\n1 Join the line, which is long today\n2 My place\n3 Leave\n4 Help\n5 Kiswahili"


async def clinic(scope: Scope, receive: Receive, send: Send) -> None:
    """1 joins, 0 is a mistake of the application's, anything else is repeated."""
    if scope["type"] != "http":
        return
    form = dict(parse_qsl((await Request(scope, receive).body()).decode(), keep_blank_values=True))
    answers = {"": WELCOME, "1": "END You are A001. Nobody is ahead of you.", "0": "Oops"}
    said = form.get("text", "")
    text = answers.get(said, f"CON You said {said}") if scope["path"] == "/ussd" else ""
    await PlainTextResponse(text)(scope, receive, send)


@pytest_asyncio.fixture(loop_scope="session")
async def telco() -> AsyncIterator[RunningTelco]:
    async with serving(clinic) as url:
        config = TelcoConfig(
            api_key="key",
            ussd_url=f"{url}/ussd",
            ussd_end_url=f"{url}/end",
            inbound_url=f"{url}/inbound",
            dialect_urls={"hubtel": f"{url}/ussd"},  # where nobody speaks JSON
        )
        async with running(config) as telco:
            yield telco


@pytest_asyncio.fixture(loop_scope="session")
async def table(telco: RunningTelco, windows: Windows) -> Page:
    """The page, with three phones on it."""
    page = await windows.open(telco.url)
    await page.goto("/telco")
    await expect(page.locator(".handset")).to_have_count(3)
    return page


def phone(table: Page, number: int = 1) -> Locator:
    return table.locator(".handset").nth(number - 1)


def key(handset: Locator, name: str) -> Locator:
    return handset.locator(f'[data-key="{name}"]')


def screen(handset: Locator) -> Locator:
    return handset.locator(".text")


async def text(telco: RunningTelco, words: str, to: str = AMINA) -> None:
    """A text of the application's to a phone, as the telco has accepted it."""
    order = Order("sandbox", [to], words, "20880", enqueue=False)
    row = telco.ledger.write(
        "sms.message",
        to,
        **{"from": order.sender},
        text=words,
        parts=1,
        messageId="1",
        statusCode=101,
        delivered=not telco.state.is_off(to),
    )
    telco.state.deliver(row)


async def test_a_call_by_mouse(table: Page) -> None:
    amina = phone(table)
    await key(amina, "call").click()
    await expect(screen(amina)).to_contain_text("1 Join the line")
    await expect(amina.locator(".count")).to_have_text("89 of 160 GSM-7 units")
    await expect(amina.locator(".idle-left")).to_have_text("0:30")
    await expect(amina.locator(".total-left")).to_have_text("3:00")
    await key(amina, "1").click()
    await key(amina, "left").click()
    await expect(screen(amina)).to_have_text("You are A001. Nobody is ahead of you.")
    await expect(amina.locator(".limits")).to_be_hidden()


async def test_a_call_by_keyboard_which_only_the_phone_in_hand_hears(table: Page) -> None:
    baraka = phone(table, 2)
    await screen(baraka).focus()
    for typed in ("*384*40#", "Enter"):
        await (table.keyboard.press(typed) if typed == "Enter" else table.keyboard.type(typed))
    await expect(screen(baraka)).to_contain_text("Sunrise Clinic")
    await table.keyboard.type("27")
    await table.keyboard.press("Backspace")
    await table.keyboard.press("Enter")
    await expect(screen(baraka)).to_have_text("You said 2")
    await table.keyboard.press("Escape")
    await expect(screen(baraka)).to_contain_text("Call dials *384*40#")
    await expect(screen(phone(table))).to_contain_text("Call dials *384*40#")


async def test_hanging_up_and_mistakes_of_the_application_show_in_the_ledger(table: Page) -> None:
    amina = phone(table)
    await key(amina, "call").click()
    await key(amina, "end").click()
    await expect(table.locator("#ledger")).to_contain_text("Incomplete, 1 hops")
    await key(amina, "call").click()
    await key(amina, "0").click()
    await key(amina, "left").click()
    await expect(screen(amina)).to_contain_text("Network error.")
    await expect(amina.locator(".remark")).to_contain_text("must begin with exactly 'CON ' or 'END '")


async def test_a_long_screen_is_scrolled_and_says_so(table: Page) -> None:
    amina = phone(table)
    await key(amina, "call").click()
    await expect(amina.locator(".lcd.more")).to_be_visible()
    for _ in range(3):
        await key(amina, "down").click()
    await expect(amina.locator(".lcd.more")).to_have_count(0)


async def test_twenty_characters_fit_in_a_line_and_five_lines_on_a_screen(table: Page) -> None:
    fitting = """text => {
        text.textContent = "0".repeat(20);
        const one = [...text.childNodes].map(node => { const range = document.createRange();
            range.selectNodeContents(node); return range.getClientRects().length; })[0];
        text.textContent = Array(5).fill("x").join("\\n");
        return [one, text.scrollHeight <= text.clientHeight];
    }"""
    assert await screen(phone(table)).evaluate(fitting) == [1, True]


async def test_texts_arrive_are_counted_read_and_answered(table: Page, telco: RunningTelco) -> None:
    amina = phone(table)
    await text(telco, "It is your turn at counter 2.")
    await expect(amina.locator(".envelope")).to_have_text("✉1")
    await expect(phone(table, 2).locator(".envelope")).to_have_text("")
    await key(amina, "left").click()
    await key(amina, "left").click()
    await expect(screen(amina)).to_contain_text("It is your turn at counter 2.")
    await expect(amina.locator(".envelope")).to_have_text("")
    await key(amina, "left").click()
    for typed in ("5", "5", "5", "2"):
        await key(amina, typed).click()
    await expect(amina.locator(".count")).to_have_text("2 GSM-7 units, 1 SMS")
    await key(amina, "left").click()
    await expect(screen(amina).locator(".mine")).to_contain_text("la")
    await expect(table.locator("#ledger")).to_contain_text("inbound.post")
    assert [row.data["text"] for row in telco.ledger.of("inbound")] == ["la"]


async def test_texts_are_still_there_after_the_page_was_loaded_again(table: Page, telco: RunningTelco) -> None:
    await text(telco, "Two people are ahead of you.")
    await table.reload()
    await key(phone(table), "left").click()
    await expect(screen(phone(table))).to_contain_text("Two people")


async def test_a_sim_is_moved_to_another_network_and_gateway(table: Page, telco: RunningTelco) -> None:
    await phone(table).locator("summary").click()
    form = phone(table).locator("form")
    await form.get_by_label("Number").fill("+233201234567")
    await form.get_by_label("Network").select_option("MTN Ghana")
    await form.get_by_label("Gateway").select_option("hubtel")
    await form.get_by_label("Screen").select_option("large")
    await form.get_by_role("button", name="Insert").click()
    await expect(phone(table).locator(".where")).to_have_text("MTN Ghana · Ghana · Hubtel")
    await expect(table.locator(".handset")).to_have_count(3)
    await key(phone(table), "call").click()
    await expect(phone(table).locator(".remark")).to_have_text("The reply is not JSON.")
    assert telco.ledger.of("ussd.request")[0].data["sent"]["Operator"] == "mtn"


async def test_phones_are_added_and_put_away(table: Page) -> None:
    await table.get_by_role("button", name="Add a phone").click()
    await expect(screen(phone(table, 4))).to_be_focused()
    await phone(table, 1).locator("summary").click()
    await phone(table, 1).get_by_role("button", name="Put away").click()
    await table.reload()
    await expect(table.locator(".number")).to_have_text(["+254 711 000 002", "+254 711 000 003", "+254 711 000 004"])


async def test_faults_by_button(table: Page, telco: RunningTelco) -> None:
    await table.get_by_role("combobox", name="For", exact=True).select_option(AMINA)
    await table.get_by_label("How often").select_option("once")
    await table.get_by_role("button", name="Reply lost").click()
    await expect(table.locator("#in-force")).to_contain_text(f"Dialling: Reply lost, for {AMINA}, once")
    assert [(fault.drop_reply, fault.phone, fault.count) for fault in telco.faults.ussd] == [(True, AMINA, 1)]
    await key(phone(table), "call").click()
    await expect(phone(table).locator(".remark")).to_have_text("The reply of the application was lost.")
    await expect(table.locator("#in-force")).to_have_text("Everything works.")
    await table.get_by_role("button", name="Caller gone").click()
    await expect(table.get_by_role("button", name="Caller gone")).to_have_attribute("aria-pressed", "true")
    await table.get_by_role("button", name="Mend all").click()
    await expect(table.locator("#in-force")).to_have_text("Everything works.")
    assert telco.faults.ussd == []


async def test_what_was_done_is_recorded_and_can_be_played_again(
    table: Page, telco: RunningTelco, tmp_path: Path
) -> None:
    await table.get_by_role("button", name="Record").click()
    await key(phone(table), "call").click()
    await expect(screen(phone(table))).to_contain_text("Sunrise Clinic")
    await key(phone(table), "1").click()
    await key(phone(table), "left").click()
    await expect(screen(phone(table))).to_contain_text("You are A001")
    async with table.expect_download() as saved:
        await table.get_by_role("button", name="Stop and save").click()
    await (await saved.value).save_as(tmp_path / "scene.yaml")
    scene = read(tmp_path / "scene.yaml", ACTS)
    assert scene.phones[AMINA] == {"network": "Athena", "dialect": "africastalking"}
    assert [step for step in scene.steps if "pause" not in step] == [
        {"dial": {"phone": AMINA, "code": "*384*40#"}},
        {"expect": {"phone": AMINA, "open": True}},
        {"press": {"phone": AMINA, "keys": "1"}},
        {"expect": {"phone": AMINA, "open": False}},
    ]
    again = await play(scene, telco.url, speed=100)
    assert (again.held, again.broken) == (2, [])


async def test_a_phone_that_is_off_gets_its_texts_when_it_is_on_again(table: Page, telco: RunningTelco) -> None:
    amina = phone(table)
    await amina.locator("summary").click()
    await amina.get_by_role("button", name="Switch off").click()
    await expect(amina).to_have_attribute("data-kind", "off")
    await text(telco, "It is your turn at counter 2.")
    await key(amina, "call").click()
    await table.reload()
    await expect(amina).to_have_attribute("data-kind", "off")
    await amina.locator("summary").click()
    await amina.get_by_role("button", name="Switch on").click()
    await expect(amina.locator(".envelope")).to_have_text("✉1")
    assert [row.kind for row in telco.ledger.rows] == ["power", "sms.message", "power", "arrival"]


async def test_a_telco_that_stopped_is_told_and_found_again(table: Page, windows: Windows) -> None:
    windows.forgive("ERR_INTERNET_DISCONNECTED", "ERR_FAILED", "Failed to load resource")
    await table.context.set_offline(True)
    await expect(table.locator("#trouble")).to_be_visible(timeout=40_000)
    await table.context.set_offline(False)
    await expect(table.locator("#trouble")).to_be_hidden()


@pytest.mark.parametrize("colors", ["light", "dark"])
async def test_the_page_is_accessible_and_fits_every_window(
    table: Page, telco: RunningTelco, colors: Literal["light", "dark"]
) -> None:
    await key(phone(table), "call").click()
    await expect(screen(phone(table))).to_contain_text("Sunrise")
    await text(telco, "It is your turn at counter 2.", BARAKA)
    await expect(phone(table, 2).locator(".envelope")).to_have_text("✉1")
    await table.get_by_role("button", name="Caller gone").click()
    await expect(table.locator("#in-force")).to_contain_text("Caller gone")
    await no_violations(table)
    await no_layout_shift(table)
    await fits(table)
    await table.set_viewport_size({"width": 1124, "height": 600})  # a picture of less than 150 KB
    await table.emulate_media(color_scheme=colors)
    await table.evaluate("document.documentElement.style.zoom = 0.86")
    await screenshot(table, f"telco-{colors}")


async def test_every_key_is_large_enough_for_a_thumb(table: Page) -> None:
    small = """() => [...document.querySelectorAll("button, select, summary, a")].filter(each => each.offsetParent)
        .filter(each => Math.min(each.offsetWidth, each.offsetHeight) < 44 && !each.closest("#ledger"))
        .map(each => each.outerHTML.slice(0, 80))"""
    await table.set_viewport_size({"width": 375, "height": 800})
    assert await table.evaluate(small) == []
