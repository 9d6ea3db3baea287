"""A line is paused, opened and closed at the desk, over HTTP."""

from __future__ import annotations

import pytest

from tests.staff_web.browsing import Browser, said_on
from tests.staff_web.counter import Counter, counter, trouble_on
from tests.staff_web.forms import forms_on
from tests.world import World

__all__ = ["counter"]

STATE = "select status, paused_until from queues where id = $1"


async def _state(world: World) -> str:
    return str((await world.row(STATE, world.queue_ids["A"]))["status"])


async def test_a_break_is_told_to_whoever_waits(world: World, counter: Counter) -> None:
    await world.line(1, 2)
    form = await counter.form("Pause")
    told = "Doctor takes nobody new. 2 people in line told by SMS."
    assert await counter.told(form, minutes="15") == told
    assert await counter.told(form, minutes="15") == told
    page = (await counter.look()).text
    assert "Doctor is on a break until about " in page
    assert (await world.texts(1)).count("paused") == 1


async def test_a_break_may_be_of_unknown_length(world: World, counter: Counter) -> None:
    assert await counter.press("Pause", minutes="0") == "Doctor takes nobody new. Nobody had to be told."
    assert (await world.row(STATE, world.queue_ids["A"]))["paused_until"] is None
    assert "Doctor is on a break</h2>" in (await counter.look()).text


@pytest.mark.parametrize("minutes", ["", "-1", "17", "1e9", "rubbish", "9" * 30])
async def test_a_break_of_another_length_is_refused(world: World, counter: Counter, minutes: str) -> None:
    assert "Nothing was changed." in await counter.press("Pause", minutes=minutes)
    assert await _state(world) == "open"


async def test_opened_again_it_takes_people(world: World, counter: Counter) -> None:
    await world.line(1)
    await world.pause()
    form = await counter.form("Open")
    told = "Doctor is open. 1 person in line told by SMS."
    assert await counter.told(form) == told
    assert await counter.told(form) == told
    assert await _state(world) == "open"
    assert {button.words for form in forms_on((await counter.look()).text) for button in form.buttons}.isdisjoint(
        {"Open"}
    )


async def test_a_closed_line_has_nothing_to_pause(world: World, counter: Counter) -> None:
    form = await counter.form("Pause")
    await world.close()
    assert await counter.told(form) == "Doctor is closed, so it cannot be paused. Nothing was changed."


async def test_before_it_is_closed_the_number_of_people_is_shown(world: World, counter: Counter) -> None:
    await world.line(1, 2)
    page = (await counter.look("/close")).text
    assert "2 people wait in line now." in page
    assert "Close, and serve 2 people" in page
    assert "Send 2 people home" in page
    assert await _state(world) == "open"


async def test_closed_with_nobody_in_it_nobody_is_sent_home(counter: Counter) -> None:
    page = (await counter.look("/close")).text
    assert "Nobody waits in line now." in page
    assert "home" not in page
    told = await counter.press("Close", "/close")
    assert told == "Doctor is closed to new people. Nobody to serve."


async def test_closed_to_new_people_those_in_line_are_served(world: World, counter: Counter) -> None:
    await world.line(1, 2)
    form = await counter.form("Close, and serve", "/close")
    told = "Doctor is closed to new people. 2 people to serve."
    assert await counter.told(form) == told
    assert await counter.told(form) == told
    assert await _state(world) == "closed"
    assert await counter.press("Call next") == "A001 was called to Room 1."


async def test_sent_home_nobody_waits(world: World, counter: Counter) -> None:
    await world.line(1, 2)
    form = await counter.form("Send 2 people home", "/close")
    told = "Doctor is closed. 2 people sent home."
    assert await counter.told(form) == told
    assert await counter.told(form) == told
    assert await world.order() == []
    assert "closed_early" in await world.texts(1)


@pytest.mark.parametrize("how", ["", "rubbish", "send_home"])
async def test_closed_in_no_known_way_it_stays_open(world: World, counter: Counter, how: str) -> None:
    browser: Browser = counter.browser
    answer = await browser.press(f"{counter.base}/close", how=how)
    assert trouble_on(answer) == (400, "Choose what happens to the people who wait. Nothing was changed.")
    assert await _state(world) == "open"


async def test_nobody_is_sent_home_who_was_not_counted_on_the_page(world: World, counter: Counter) -> None:
    """F43: it cannot be undone, so a page that said two sends no seven home."""
    await world.line(1, 2)
    form = await counter.form("Send 2 people home", "/close")
    await world.line(3, 4, 5)
    answer = await counter.send(form)
    assert answer.headers["location"] == f"{counter.base}/close"
    page = await counter.look("/close")
    assert said_on(page) == "5 people wait in Doctor now, more than when you looked. Nothing was changed."
    assert "Send 5 people home" in page.text
    assert (await _state(world), len(await world.order())) == ("open", 5)


async def test_with_fewer_people_than_the_page_said_they_are_sent_home(world: World, counter: Counter) -> None:
    await world.line(1, 2)
    form = await counter.form("Send 2 people home", "/close")
    await world.serve()
    assert await counter.told(form) == "Doctor is closed. 1 person sent home."


async def test_a_closed_branch_is_told_from_a_closed_line(world: World, counter: Counter) -> None:
    assert "takes nobody new" not in (await counter.look()).text
    await world.pool.execute("update branches set is_open = false where code = '4071'")
    assert "Kilimani Clinic takes nobody new</span> A manager opens it." in (await counter.look()).text
    told = await counter.press("Add to the line", name="Achieng")
    assert told == "Kilimani Clinic takes nobody new. Nobody was added or moved. A manager opens it."
    await world.pool.execute("update branches set is_open = true where code = '4071'")
    await world.close()
    told = await counter.press("Add to the line", name="Achieng")
    assert told == "Doctor is closed. Nobody was added or moved. Open it first."
