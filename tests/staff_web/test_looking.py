"""A page that looks by itself: it hears of every change, swallows no words, and keeps nobody logged in."""

from __future__ import annotations

import httpx

from tests.staff_web.browsing import said_on
from tests.staff_web.counter import Counter, counter, counter_at, of
from tests.world import World

__all__ = ["counter"]

LIVE = {"x-live": "1"}


async def test_while_nothing_changed_there_is_nothing_to_send(counter: Counter) -> None:
    page = await counter.look()
    again = await counter.look(**LIVE, **{"if-none-match": page.headers["etag"]})
    assert (again.status_code, again.text) == (httpx.codes.NOT_MODIFIED, "")
    assert again.headers["etag"] == page.headers["etag"]


async def test_after_a_change_there_is(world: World, counter: Counter) -> None:
    tag = (await counter.look()).headers["etag"]
    for change in (world.join(1), world.call("Room 2"), world.join(None), world.pause()):
        await change
        page = await counter.look(**LIVE, **{"if-none-match": tag})
        assert page.status_code == httpx.codes.OK
        assert page.headers["etag"] != tag
        tag = page.headers["etag"]


async def test_a_change_of_another_line_of_the_counter_is_one(world: World, counter: Counter) -> None:
    tag = (await counter.look()).headers["etag"]
    await world.join(1, "P")
    assert (await counter.look(**LIVE, **{"if-none-match": tag})).status_code == httpx.codes.OK


async def test_that_a_call_can_no_longer_be_undone_is_one(world: World, counter: Counter) -> None:
    await world.line(1)
    await world.called()
    tag = (await counter.look()).headers["etag"]
    await world.pool.execute("update tickets set called_at = called_at - interval '61 seconds', version = version")
    page = await counter.look(**LIVE, **{"if-none-match": tag})
    assert page.status_code == httpx.codes.OK


async def test_one_sessions_page_is_not_anothers(counter: Counter) -> None:
    tag = (await counter.look()).headers["etag"]
    browser = counter.browser
    await browser.press("/staff/logout")
    await browser.log_in("clinic1", "a-password-that-all-of-them-chose")
    assert (await counter.look(**LIVE, **{"if-none-match": tag})).status_code == httpx.codes.OK


async def test_only_whom_it_looks_by_itself_for_hears_304(counter: Counter) -> None:
    tag = (await counter.look()).headers["etag"]
    assert (await counter.look(**{"if-none-match": tag})).status_code == httpx.codes.OK


async def test_the_words_after_a_press_wait_for_the_page_that_says_them(world: World, counter: Counter) -> None:
    await world.line(1)
    answer = await counter.send(await counter.form("Call next"))
    assert said_on(await counter.look(**LIVE)) == ""
    assert said_on(await counter.browser.get(answer.headers["location"])) == "A001 was called to Room 1."


async def test_a_page_that_looks_for_half_an_hour_keeps_nobody_logged_in(world: World, counter: Counter) -> None:
    (first,) = await world.line(1)
    for _ in range(3):
        await world.later(9)
        await counter.look(**LIVE)
        await counter.look(of(first), **LIVE)
    await world.later(4)
    answer = await counter.browser.get(counter.base, **LIVE)
    assert answer.headers["location"] == f"/staff/login?next={counter.base}"


async def test_a_press_keeps_its_person_logged_in(world: World, counter: Counter) -> None:
    form = await counter.form("Call next")
    for _ in range(2):
        await world.later(20)
        await counter.send(form)
    assert (await counter.browser.get(counter.base)).status_code == httpx.codes.OK


async def test_a_desk_that_only_stays_open_is_not_where_one_works(world: World, counter: Counter) -> None:
    """Of two tabs the one that was opened last is where he begins the next time, whichever asks last by itself."""
    other = await counter_at(world, counter.browser, "Room 2")
    await counter.look()
    await other.look()
    await counter.look(**LIVE)
    assert (await counter.browser.get("/staff")).headers["location"] == other.base


async def test_every_answer_says_how_long_the_session_goes_on(world: World, counter: Counter) -> None:
    tag = (await counter.look()).headers["etag"]
    await world.pool.execute("update staff_sessions set seen_at = now() - interval '29 minutes'")
    for headers in ({}, {"if-none-match": tag}):
        assert 0 < int((await counter.look(**LIVE, **headers)).headers["x-session-ends"]) <= 60
    assert 29 * 60 < int((await counter.look()).headers["x-session-ends"]) <= 30 * 60
    await world.pool.execute("update staff_sessions set created_at = now() - interval '11 hours 59 minutes'")
    assert 0 < int((await counter.look()).headers["x-session-ends"]) <= 60
