"""The checks of the browser tests bite, and the browser does what they rely on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Error, Page, expect
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from tests.browser import checks
from tests.browser.checks import fits, no_layout_shift, no_violations, screenshot
from tests.browser.conftest import served
from tests.browser.windows import Windows
from tests.cable import plugged
from tests.terminal import Terminal

STRICT = {"content-security-policy": "default-src 'none'; img-src 'self'; style-src 'nonce-n'; script-src 'nonce-n'"}
LOOSE: dict[str, str] = {}
FRAME = """<!doctype html><html lang="en"><title>A page</title><meta name="viewport" content="width=device-width">
<link rel="icon" href="/icon"><main><h1>A page</h1>{}</main>"""
LATE = "<script>setTimeout(() => document.querySelector('p').style.marginTop = '300px', 100)</script>"
LIVE = """<p id="said">nothing</p><script>
const socket = new WebSocket(`ws://${location.host}/ws`);
const say = words => document.querySelector("#said").textContent = words;
socket.onmessage = event => say(event.data);
socket.onclose = () => say("closed");
</script>"""

PAGES = {
    "good": ("<p>Good.</p><style nonce=n>p { color: #333; background: #fff }</style>", STRICT),
    "no-alt": ("<img src=/icon>", LOOSE),
    "pale-in-dark": (
        "<p>Pale.</p><style>@media (prefers-color-scheme: dark) { p { color: #888; background: #777 } }</style>",
        LOOSE,
    ),
    "jumps": (f"<p>Here I am.</p>{LATE}<p style='height: 50vh'>And I.</p>", LOOSE),
    "wide": ("<p style='width: 700px'>Wide.</p>", LOOSE),
    "inline-style": ("<p style='color: red'>Red.</p>", STRICT),
    "inline-script": ("<script>document.title = 'Mine'</script>", STRICT),
    "throws": ("<script>throw new Error('thrown')</script>", LOOSE),
    "foreign": ("<img alt='' src='http://127.0.0.1:9/tracker'>", LOOSE),
    "scripts": ("<noscript><p>None.</p></noscript><script>document.title = 'Some'</script>", LOOSE),
    "live": (LIVE, LOOSE),
}


async def _page(request: Request) -> Response:
    body, headers = PAGES.get(request.path_params["name"], ("", LOOSE))
    if not body:
        raise HTTPException(404)
    return HTMLResponse(FRAME.format(body), headers=headers)


async def _cookie(request: Request) -> Response:
    response = HTMLResponse(FRAME.format(f"<p id=said>{request.cookies.get('__Host-zamu')}</p>"))
    response.set_cookie("__Host-zamu", "kept", path="/", secure=True, httponly=True, samesite="lax")
    return response


async def _icon(_request: Request) -> Response:
    return Response("<svg xmlns='http://www.w3.org/2000/svg'/>", media_type="image/svg+xml")


async def _echo(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("hello")
    async for words in socket.iter_text():
        await socket.send_text(words)


@pytest_asyncio.fixture(loop_scope="session")
async def small(chromium: Browser) -> AsyncIterator[str]:  # noqa: ARG001 - without a browser nobody would look
    """A small site with everything wrong."""
    routes = [Route("/cookie", _cookie), Route("/icon", _icon), Route("/{name}", _page), WebSocketRoute("/ws", _echo)]
    async with served(Starlette(routes=routes)) as url:
        yield url


FETCH = "fetch('/good').then(answer => answer.status)"
CHECKS = [no_violations, no_layout_shift, fits]


async def _settled(page: Page) -> None:
    """Past everything that our pages do by themselves."""
    await page.wait_for_timeout(300)


async def test_a_good_page_passes_every_check(windows: Windows, small: str) -> None:
    page = await windows.open(small)
    await page.goto("/good")
    await _settled(page)
    for check in CHECKS:
        await check(page)


@pytest.mark.parametrize(
    ("name", "check", "told"),
    [
        ("no-alt", no_violations, "light: image-alt at img: "),
        ("pale-in-dark", no_violations, "dark: color-contrast at p: "),
        ("jumps", no_layout_shift, "Here I am"),
        ("wide", fits, "{320: "),
    ],
)
async def test_each_check_finds_what_it_is_for(
    windows: Windows, small: str, name: str, check: Callable[[Page], Awaitable[None]], told: str
) -> None:
    page = await windows.open(small)
    await page.goto(f"/{name}")
    await _settled(page)
    for other in CHECKS:
        if other is not check:
            await other(page)
    with pytest.raises(AssertionError) as failure:
        await check(page)
    assert told in str(failure.value)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("inline-style", "Content Security Policy"),
        ("inline-script", "Content Security Policy"),
        ("throws", "thrown"),
        ("foreign", "foreign host: http://127.0.0.1:9/tracker"),
        ("missing", "status of 404 (Not Found) at http://127.0.0.1"),
    ],
)
async def test_what_goes_wrong_in_a_window_is_kept(windows: Windows, small: str, name: str, told: str) -> None:
    page = await windows.open(small)
    await page.goto(f"/{name}")
    await _settled(page)
    assert any(told in trouble for trouble in windows.unforgiven()), windows.troubles
    windows.forgive(".")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_cookie_for_https_alone_is_kept_on_this_machine(windows: Windows, small: str, host: str) -> None:
    page = await windows.open(small.replace("127.0.0.1", host))
    await page.goto("/cookie")
    await expect(page.locator("#said")).to_have_text("None")
    await page.goto("/cookie")
    await expect(page.locator("#said")).to_have_text("kept")
    other = await windows.open(small)
    await other.goto("/cookie")
    await expect(other.locator("#said")).to_have_text("None")


async def test_a_window_without_scripts_runs_none(windows: Windows, small: str) -> None:
    page = await windows.open(small, scripts=False)
    await page.goto("/scripts")
    await expect(page.locator("p")).to_have_text("None.")
    assert await page.title() == "A page"
    await fits(page)


async def test_a_screen_is_kept_only_when_the_run_is_told_to(
    windows: Windows, small: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await windows.open(small)
    await page.goto("/good")
    monkeypatch.setattr(checks, "SCREENS", tmp_path)
    for told, kept in (("", []), ("1", ["good.png"])):
        monkeypatch.setenv("WRITE_SCREENS", told)
        await screenshot(page, "good")
        assert [path.name for path in tmp_path.iterdir()] == kept


async def test_a_lost_network_closes_sockets_and_a_mended_one_takes_new(windows: Windows, small: str) -> None:
    async with plugged(small) as cable:
        page = await windows.open(cable.url)
        await page.goto("/live")
        said = page.locator("#said")
        await expect(said).to_have_text("hello")
        cable.cut()
        await expect(said).to_have_text("closed")
        with pytest.raises(Error, match="Failed to fetch"):
            await page.evaluate(FETCH)
        cable.mend()
        await page.evaluate(FETCH)
        await page.reload()
        await expect(said).to_have_text("hello")
        windows.forgive("net::ERR_")


async def test_in_a_silent_network_sockets_stay_open_and_hear_all_of_it_later(windows: Windows, small: str) -> None:
    async with plugged(small) as cable:
        page = await windows.open(cable.url)
        await page.goto("/live")
        said = page.locator("#said")
        await expect(said).to_have_text("hello")
        cable.silence()
        await page.evaluate("socket.send('still here')")
        await _settled(page)
        await expect(said).to_have_text("hello")
        cable.mend()
        await expect(said).to_have_text("still here")


async def test_a_proxy_that_knows_no_sockets_refuses_them_alone(windows: Windows, small: str) -> None:
    async with plugged(small) as cable:
        cable.sockets = False
        page = await windows.open(cable.url)
        await page.goto("/live")
        await expect(page.locator("#said")).to_have_text("closed")
        assert windows.unforgiven() != []
        windows.forgive("WebSocket connection to")


async def test_the_browsers_own_offline_mode_fails_requests_and_leaves_open_sockets_be(
    windows: Windows, small: str
) -> None:
    page = await windows.open(small)
    await page.goto("/live")
    await expect(page.locator("#said")).to_have_text("hello")
    await page.context.set_offline(True)
    with pytest.raises(Error, match="Failed to fetch"):
        await page.evaluate(FETCH)
    assert await page.evaluate("socket.readyState === WebSocket.OPEN")
    windows.forgive("ERR_INTERNET_DISCONNECTED")


async def test_the_real_site_answers(page: Page, windows: Windows) -> None:
    windows.forgive("favicon.ico")  # no page of ours names its icon there
    answer = await page.goto("/readyz")
    assert answer
    assert answer.status == 200


async def test_a_killed_server_is_replaced_behind_the_same_address(terminal: Terminal) -> None:
    async with plugged("http://127.0.0.1:9") as cable, httpx.AsyncClient(base_url=cable.url) as client:
        with terminal.serving() as first:
            cable.server = first.url
            assert (await client.get("/readyz")).status_code == 200
            first.kill()
        with pytest.raises(httpx.TransportError):
            await client.get("/readyz")
        with terminal.serving() as second:
            cable.server = second.url
            assert (await client.get("/readyz")).status_code == 200
