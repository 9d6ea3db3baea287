"""The board on the wall, and the files that pages are made of."""

from __future__ import annotations

import gzip
import re
from datetime import UTC, datetime, timedelta

import pytest

from queue_core import board, queues
from staff_web import assets
from staff_web.board import WORDS
from tests.staff_web.conftest import Open
from tests.world import World

CLINIC = "/display/4071"
NOBODY = "\N{EN DASH}"
CARD = re.compile(
    r'<li id="counter-\d+" class="counter (\w+)".*?class="room">(.*?)<.*?<strong[^>]*>(.*?)</strong>', re.DOTALL
)
LINE = re.compile(r'<li id="line-(\w+)".*?</li>', re.DOTALL)


async def cards(browser: Open) -> dict[str, tuple[str, str]]:
    """What stands on the wall of each counter: (status, number)."""
    page = await browser().get(CLINIC)
    return {room: (status, number) for status, room, number in CARD.findall(page.text)}


async def line(browser: Open, code: str) -> str:
    """What the wall says of a line, without its markup."""
    page = (await browser().get(CLINIC)).text
    (found,) = (part[0] for part in LINE.finditer(page) if part[1] == code)
    return " ".join(re.sub(r"<[^>]+>", " ", found).split())


async def test_the_wall_shows_who_is_where_and_who_is_next(world: World, browser: Open) -> None:
    await world.line(1, 2, 3, 4, 5, 6)
    await world.do("start", await world.called("Room 1"))
    await world.called("Room 3")
    assert await cards(browser) == {
        "Room 1": ("serving", "A001"),
        "Room 2": ("free", NOBODY),
        "Room 3": ("called", "A002"),
        "Room 4": ("free", NOBODY),
    }
    assert await line(browser, "A") == "A Doctor 4 waiting A003 A004 A005"
    assert await line(browser, "P") == "P Pharmacy 0 waiting nobody waits"


async def test_next_are_those_who_are_called_next(world: World, browser: Open) -> None:
    await world.line(1, 2, 3)
    await world.defer(1)
    await world.serve()
    assert await line(browser, "A") == "A Doctor 2 waiting " + " ".join(await world.order())


async def test_a_paused_line_says_when_it_is_back(world: World, browser: Open) -> None:
    back = datetime.now(UTC) + timedelta(minutes=30)
    await queues.pause(world.core, world.clerk(), world.queue_ids["A"], back)
    now = await board.board(world.core, "4071")
    assert now
    assert f"✕ Break , back about {now.local(back):%H:%M}" in (await line(browser, "A")).replace("tomorrow ", "")


async def test_a_break_that_should_be_over_names_no_time(world: World, browser: Open) -> None:
    await queues.pause(world.core, world.clerk(), world.queue_ids["A"], datetime.now(UTC) - timedelta(minutes=5))
    assert (await line(browser, "A")).endswith("✕ Break")


async def test_a_closed_line_says_when_it_opens(world: World, browser: Open) -> None:
    await world.close()
    assert re.search(r"✕ Closed , opens (\w{3} )?\d\d:\d\d$", await line(browser, "A"))


async def test_a_line_without_numbers_left_says_so(world: World, browser: Open) -> None:
    await world.set(daily_limit=1)
    await world.line(1)
    assert "No more numbers today" in await line(browser, "A")


async def test_nobody_reads_a_name_or_a_phone_on_the_wall(world: World, browser: Open) -> None:
    await world.join(1, name="Njeri Hidden")
    await world.join(2, name="Njeri Hidden")
    await world.called()
    page = (await browser().get(CLINIC)).text
    assert "A001" in page
    assert "Hidden" not in page
    assert "25471" not in page


async def test_what_staff_named_is_shown_and_not_run(world: World, browser: Open) -> None:
    await world.pool.execute("update counters set name = '<b>\"&''x' where name = 'Room 1'")
    page = (await browser().get(CLINIC)).text
    assert '<b>"' not in page
    assert "&lt;b&gt;&#34;&amp;&#39;x" in page


async def test_the_wall_speaks_the_language_of_its_organization(world: World, browser: Open) -> None:
    await world.pool.execute("update organizations set language = 'sw'")
    page = (await browser().get(CLINIC)).text
    assert '<html lang="sw">' in page
    assert 'data-languages="sw en"' in page
    assert WORDS["sw"]["now"] in page
    await world.pool.execute("update organizations set language = 'yo'")
    page = (await browser().get(CLINIC)).text
    assert '<html lang="en">' in page
    assert 'data-languages="yo en"' in page


def test_every_language_has_every_word() -> None:
    assert {frozenset(words) for words in WORDS.values()} == {frozenset(WORDS["en"])}


@pytest.mark.parametrize("path", ["9999", "", "x", "%00", "40711", "%D9%A4071"])
async def test_an_unknown_branch_is_not_found(world: World, browser: Open, path: str) -> None:
    del world
    assert (await browser().get(f"/display/{path}")).status_code == 404


async def test_nothing_changed_is_a_304_and_any_change_is_not(world: World, browser: Open) -> None:
    window = browser()
    tag = (await window.get(CLINIC)).headers["etag"]
    same = await window.get(CLINIC, **{"if-none-match": tag})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    for change in (world.line(1), world.called(), world.pause("P"), world.close("L")):
        await change
        answer = await window.get(CLINIC, **{"if-none-match": tag})
        assert answer.status_code == 200
        assert answer.headers["etag"] != tag
        tag = answer.headers["etag"]


async def test_a_change_seen_late_is_no_304(world: World, browser: Open) -> None:
    """An audit id can come to light after a greater one of another line: the version alone proves nothing."""
    window = browser()
    tag = (await window.get(CLINIC)).headers["etag"]
    await world.pool.execute("update counters set name = 'Room 9' where name = 'Room 1'")
    assert (await window.get(CLINIC, **{"if-none-match": tag})).status_code == 200


async def test_the_page_runs_only_what_is_ours(world: World, browser: Open) -> None:
    del world
    window = browser()
    one, other = await window.get(CLINIC), await window.get(CLINIC)
    policy = one.headers["content-security-policy"]
    (nonce,) = set(re.findall(r"'nonce-([^']+)'", policy))
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert nonce not in other.text
    assert set(re.findall(r'nonce="([^"]+)"', one.text)) == {nonce}
    assert not re.findall(r"\sstyle=|\son\w+=|https?://", one.text)
    assert one.headers["cache-control"] == "no-store"
    assert one.headers["x-content-type-options"] == "nosniff"
    assert one.headers["referrer-policy"] == "same-origin"
    assert "max-age" in one.headers["strict-transport-security"]


async def test_the_page_refreshes_itself_without_a_script(world: World, browser: Open) -> None:
    del world
    assert '<noscript><meta http-equiv="refresh" content="10"></noscript>' in (await browser().get(CLINIC)).text


@pytest.mark.parametrize("name", ["board.js", "board.css"])
async def test_a_file_is_kept_for_ever_under_its_digest(world: World, browser: Open, name: str) -> None:
    del world
    window = browser()
    named = await window.get(assets.url(name))
    assert named.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert named.content == (assets.FOLDER / name).read_bytes()
    for path in (f"/static/{name}", f"/static/{name}?v=of-another-release"):
        assert (await window.get(path)).headers["cache-control"] == "no-cache"


async def test_a_file_is_packed_for_who_can_unpack_it(world: World, browser: Open) -> None:
    del world
    packed = await browser().get(assets.url("board.css"), **{"accept-encoding": "gzip"})
    plain = await browser().get(assets.url("board.css"), **{"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(plain.content) / 2
    assert packed.content == plain.content
    assert packed.headers["vary"] == plain.headers["vary"] == "accept-encoding"
    assert "content-encoding" not in plain.headers


@pytest.mark.parametrize("path", ["/static/none.js", "/static/../board.py", "/static/%2e%2e%2fboard.py", "/static/"])
async def test_what_is_no_file_of_ours_is_not_found(world: World, browser: Open, path: str) -> None:
    del world
    assert (await browser().get(path)).status_code == 404


async def test_the_whole_board_is_small(world: World, browser: Open) -> None:
    await world.line(1, 2, 3)
    page = (await browser().get(CLINIC)).content
    sizes = [
        len(gzip.compress(page)),
        *(len(assets.assets()[name].packed or b"") for name in ("board.js", "board.css")),
    ]
    assert sum(sizes) < 12_000
