"""What every answer of the panel tells the browser, and what no page of it holds."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import httpx
import pytest

import staff_web
from tests.staff_web.conftest import Open, Staff
from tests.staff_web.counter import Counter, counter, of
from tests.world import World

__all__ = ["counter"]

TEMPLATES = sorted((Path(staff_web.__file__).parent / "templates").glob("*.html"))
INLINE = re.compile(r"\sstyle=|\son[a-z]+=|javascript:|<style|<script(?![^>]*\bsrc=)", re.IGNORECASE)
FOREIGN = re.compile(r"""(?:src|href|action|content)=["'](?:[a-z+]+:)?//""", re.IGNORECASE)
NONCE = re.compile(r"script-src 'nonce-([\w-]{22})'; style-src 'nonce-([\w-]{22})'")
OURS = re.compile(r'(?:src|href)="(/static/[^"]+)"')
MOST = 40 * 1024  # bytes of the first load


def _strict(answer: httpx.Response) -> str:
    """The nonce of an answer that lets nothing foreign run and that nobody keeps."""
    headers = answer.headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "same-origin"
    policy = headers["content-security-policy"]
    for rule in ("default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"):
        assert rule in policy
    assert "unsafe" not in policy
    found = NONCE.search(policy)
    assert found
    assert found[1] == found[2]
    assert answer.text.count(f'nonce="{found[1]}"') == len(re.findall("<script|<link rel=.stylesheet", answer.text))
    return found[1]


async def test_every_page_allows_nothing_but_its_own_and_is_not_kept(
    world: World, counter: Counter, browser: Open, staff: Staff
) -> None:
    first, _ = await world.line(1, 2)
    await counter.press("Call next")
    get = counter.browser.get
    pages = [await get(f"/staff/{name}") for name in ("desk", "password", "totp")]
    pages += [await counter.look(path) for path in ("", "?ask=next", of(first), "/close")]
    pages += [await get(counter.base, **{"x-live": "1"}), await browser().get("/staff/login")]
    pages.append(await browser().log_in("clinic1", "wrong"))
    pages.append(await (await staff("bank1")).press("/staff/totp"))
    assert len({_strict(page) for page in pages}) == len(pages)
    for page in pages:
        assert not FOREIGN.search(page.text)
        assert not INLINE.search(page.text)
        assert "<title>" in page.text


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_no_template_holds_styles_or_scripts_of_its_own_or_a_foreign_address(path: Path) -> None:
    text = path.read_text()
    assert not INLINE.search(text)
    assert not FOREIGN.search(text)
    assert "|safe" not in text.replace(" ", "")


async def test_where_there_is_no_page_nothing_runs_and_nothing_is_repeated(counter: Counter) -> None:
    for method, path in (
        ("GET", f"{counter.base}/<script>"),
        ("GET", f"{counter.base}/call-next"),
        ("POST", f"{counter.base}/tickets/00000000-0000-4000-8000-000000000000/<script>"),
        ("GET", "/staff/<script>"),
        ("POST", "/staff/login"),
    ):
        body = b"x" * 20_000 if "login" in path else b""
        answer = await counter.browser.client.request(method, path, content=body, headers={"accept": "text/html"})
        assert answer.status_code in (403, 404, 405, 413)
        assert "script-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "script" not in answer.text
        assert "Traceback" not in answer.text
        assert '<p class="bad">' in answer.text


async def test_the_first_load_of_a_busy_desk_is_under_40_kilobytes(world: World, counter: Counter) -> None:
    for person in range(12):
        await world.join(person, name="Wanjiru Achieng")
    await counter.press("Call next")
    page = await counter.look()
    files = [await counter.browser.get(path) for path in sorted(set(OURS.findall(page.text)))]
    assert len(files) == 3
    for file in files:
        assert "immutable" in file.headers["cache-control"]
    assert sum(len(gzip.compress(each.content)) for each in (page, *files)) < MOST


async def test_a_person_who_asks_for_what_is_not_there_gets_a_page_with_a_way_back(staff: Staff) -> None:
    clerk = await staff("clinic1")
    page = await clerk.get("/staff/branches/9999", accept="text/html")
    assert page.status_code == httpx.codes.NOT_FOUND
    assert "There is no such page" in page.text
    assert 'href="/staff"' in page.text
    assert "script-src 'none'" in page.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("path", "status"), [("/nowhere", 404), ("/staff/desk/x/y", 404), ("/staff/organization", 403)]
)
async def test_words_without_a_page_are_text_and_are_not_kept(staff: Staff, path: str, status: int) -> None:
    answer = await (await staff("clinic1")).get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/plain; charset=utf-8")
    assert (answer.headers["x-content-type-options"], answer.headers["cache-control"]) == ("nosniff", "no-store")


def test_nothing_moves_for_longer_than_five_seconds() -> None:
    """WCAG 2.2.2: what blinks longer needs a button that stops it."""
    styles = "".join(path.read_text() for path in (TEMPLATES[0].parents[1] / "static").glob("*.css"))
    moving = re.findall(r"animation: \w+ (\d+)s [\w-]+ (\d+)", styles)
    assert moving
    assert all(int(seconds) * int(times) <= 5 for seconds, times in moving)
