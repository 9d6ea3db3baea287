"""The desk over HTTP: every button on the person at the counter, once, twice and too late."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from tests.staff_web.browsing import Browser, said_on
from tests.staff_web.conftest import Staff
from tests.staff_web.counter import Counter, counter, counter_at, of, tickets_of
from tests.staff_web.forms import forms_on
from tests.world import World

__all__ = ["counter"]

Before = Callable[[World], Awaitable[object]]


async def _called(world: World) -> None:
    await world.called()


async def _serving(world: World) -> None:
    await world.do("start", await world.called())


async def _skipped(world: World) -> None:
    await world.do("skip", await world.called())


# What happened before to A001, the button, what is said, and what A001 is then.
PRESSES: list[tuple[Before, str, str, str]] = [
    (_called, "Start", "A001 is being served.", "serving"),
    (_called, "Complete", "A001 is done.", "completed"),
    (_serving, "Complete", "A001 is done.", "completed"),
    (_called, "Skip", "A001 was skipped and may come back.", "skipped"),
    (_called, "No-show", "A001 is a no-show. The place is given up.", "no_show"),
    (_serving, "No-show", "A001 is a no-show. The place is given up.", "no_show"),
    (_called, "Recall", "A001 was called again.", "called"),
    (_called, "Undo call", "The call was undone: A001 waits again, at the old place.", "waiting"),
    (_skipped, "Back in line", "A001 is back in line, behind the next two people.", "waiting"),
]
every_press = pytest.mark.parametrize(("before", "words", "told", "status"), PRESSES)


@every_press
async def test_each_button_does_what_it_says(
    world: World, counter: Counter, before: Before, words: str, told: str, status: str
) -> None:
    first, *_ = await world.line(1, 2, 3, 4)
    await before(world)
    assert await counter.press(words) == told
    assert await world.state(first) == status


@every_press
async def test_a_press_delivered_twice_is_done_once_and_said_twice(
    world: World, counter: Counter, before: Before, words: str, told: str, status: str
) -> None:
    first, *_ = await world.line(1, 2, 3, 4)
    await before(world)
    form = await counter.form(words)
    assert await counter.told(form) == told
    done = await world.history(first), await tickets_of(world)
    assert await counter.told(form) == told
    assert (await world.history(first), await tickets_of(world)) == done
    assert await world.state(first) == status


@every_press
async def test_a_press_on_what_has_changed_changes_nothing_and_says_what_is_true(
    world: World, counter: Counter, before: Before, words: str, told: str, status: str
) -> None:
    first, *_ = await world.line(1, 2, 3, 4)
    await before(world)
    form = await counter.form(words)
    await world.do("leave_for", first)
    true = await tickets_of(world)
    said = await counter.told(form)
    assert said == "A001 has changed since you looked: it is cancelled now. Nothing was changed."
    assert said != told
    assert await tickets_of(world) == true
    assert await world.state(first) != status


async def test_a_day_goes_by_on_one_big_button(world: World, counter: Counter) -> None:
    first, second = await world.line(1, 2)
    assert await counter.press("Call next") == "A001 was called to Room 1."
    assert await counter.press("Start") == "A001 is being served."
    assert await counter.press("Call next") == "A001 is done. A002 was called to Room 1."
    assert await world.state(first) == "completed"
    await counter.press("Start")
    assert await counter.press("Call next") == "A002 is done. Nobody waits in Doctor."
    assert await counter.press("Call next") == "Nobody waits in Doctor."
    assert await world.state(second) == "completed"


@pytest.mark.parametrize(
    ("answer", "told", "status"),
    [
        ("Was served", "A001 is done. A002 was called to Room 1.", "completed"),
        ("Not here: skip", "A001 is skipped. A002 was called to Room 1.", "skipped"),
        ("No-show", "A001 is a no-show. A002 was called to Room 1.", "no_show"),
    ],
)
async def test_somebody_called_and_not_started_is_asked_about(
    world: World, counter: Counter, answer: str, told: str, status: str
) -> None:
    first, _ = await world.line(1, 2)
    await counter.press("Call next")
    true = await tickets_of(world)
    asked = await counter.send(await counter.form("Call next"))
    assert asked.headers["location"] == f"{counter.base}?ask=next"
    assert await tickets_of(world) == true
    assert "A001 was called and has not started. What became of it?" in (await counter.look("?ask=next")).text
    form = await counter.form(answer, "?ask=next")
    assert await counter.told(form) == told
    assert await counter.told(form) == told
    assert await world.state(first) == status


async def test_a_question_that_no_longer_arises_is_not_asked(world: World, counter: Counter) -> None:
    (first,) = await world.line(1)
    await counter.press("Call next")
    await world.do("start", first)
    assert "What became of it?" not in (await counter.look("?ask=next")).text


async def test_call_next_pressed_twice_calls_one_person(world: World, counter: Counter) -> None:
    await world.line(1, 2, 3)
    form = await counter.form("Call next")
    assert await counter.told(form) == "A001 was called to Room 1."
    assert await counter.told(form) == "A001 was called to Room 1."
    assert await world.order() == ["A002", "A003"]


async def test_call_next_from_a_page_that_shows_nobody_does_not_end_whoever_came_meanwhile(
    world: World, counter: Counter
) -> None:
    await world.line(1, 2)
    form = await counter.form("Call next")
    await world.do("start", await world.called("Room 1"))
    true = await tickets_of(world)
    told = await counter.told(form)
    assert told == "A001 has changed since you looked: it is being served now. Nothing was changed."
    assert await tickets_of(world) == true


async def test_call_next_from_a_page_that_shows_somebody_who_is_gone_calls_nobody(
    world: World, counter: Counter
) -> None:
    first, _ = await world.line(1, 2)
    await world.do("start", await world.called("Room 1"))
    form = await counter.form("Call next")
    await world.do("complete", first)
    assert await counter.told(form) == "Nobody is at the counter any more. Nothing was changed."
    assert await world.order() == ["A002"]


async def test_a_call_is_undone_for_a_minute(world: World, counter: Counter) -> None:
    await world.line(1)
    await counter.press("Call next")
    form = await counter.form("Undo call")
    await world.later(1.1)
    assert "can no longer be undone" in await counter.told(form)
    buttons = {b.words: b for form in forms_on((await counter.look()).text) for b in form.buttons}
    assert buttons["Undo call"].disabled


async def test_who_was_skipped_too_often_is_not_said_to_come_back(world: World, counter: Counter) -> None:
    await world.set(max_skips=0)
    (first,) = await world.line(1)
    await counter.press("Call next")
    assert await counter.press("Skip") == "A001 was skipped too often and is a no-show. The place is given up."
    assert await world.state(first) == "no_show"


async def test_an_undone_call_of_somebody_skipped_says_that_he_is_skipped(world: World, counter: Counter) -> None:
    first, _ = await world.line(1, 2)
    await world.do("skip", await world.called())
    await counter.press("Call to Room 1", of(first), reason="is here now")
    assert await counter.press("Undo call") == "The call was undone: A001 is skipped again, and may come back."
    assert await world.state(first) == "skipped"


async def test_the_desk_shows_who_is_here_who_is_next_and_the_day(world: World, counter: Counter) -> None:
    await world.join(1, name="Achieng")
    await world.join(None, name="Kiprono")
    await world.join(3)
    assert "Nobody is here" in (await counter.look()).text
    await counter.press("Call next")
    text = (await counter.look()).text
    assert '<p class="number">A001</p>' in text
    assert "Achieng · Doctor" in text
    assert "<small>A002 · Kiprono</small>" in text
    assert "Doctor: 2 people waiting" in text
    assert "No phone: call by name" in text
    assert "<dt>Waiting</dt><dd>2</dd>" in text
    await counter.press("Complete")
    assert "<dt>Served</dt><dd>1</dd>" in (await counter.look()).text


async def test_a_desk_is_remembered_also_for_the_next_log_in(world: World, counter: Counter, staff: Staff) -> None:
    assert (await counter.browser.get("/staff")).headers["location"] == "/staff/desk"
    await counter.look()
    assert (await counter.browser.get("/staff")).headers["location"] == counter.base
    assert (await (await staff("clinic1")).get("/staff")).headers["location"] == counter.base
    other = await counter_at(world, counter.browser, "Room 2", "P")
    await other.look()
    assert (await counter.browser.get("/staff")).headers["location"] == other.base


async def test_the_choice_of_desks_leads_to_every_desk(counter: Counter) -> None:
    page = (await counter.browser.get("/staff/desk")).text
    assert f'href="{counter.base}"' in page
    assert "Moi Avenue Bank" not in page


async def test_words_are_said_once_and_to_nobody_else(counter: Counter, staff: Staff) -> None:
    other: Browser = await staff("clinic1")
    answer = await counter.send(await counter.form("Call next"))
    assert said_on(await other.get(counter.base)) == ""
    assert said_on(await counter.browser.get(answer.headers["location"])) == "Nobody waits in Doctor."
    assert said_on(await counter.look()) == ""
