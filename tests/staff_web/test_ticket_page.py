"""One ticket's page over HTTP: out of turn, move, late, transfer, another name, give up; and its history."""

from __future__ import annotations

from html import unescape

import pytest

from tests.staff_web.counter import Counter, counter, of, tickets_of, trouble_on
from tests.world import World

__all__ = ["counter"]

LONG_PAST = "A002 has changed since you looked: it is called now. Nothing was changed."
# The button on A002's page, what is typed, what is said.
PRESSES = [
    ("Call to Room 1", {"reason": "very ill"}, "A002 was called to Room 1."),
    ("Move", {"ahead": "0", "reason": "very ill"}, "A002 has nobody ahead now."),
    ("Move", {"ahead": "2", "reason": "asked to wait"}, "A002 has 2 people ahead now."),
    ("Let others pass", {"minutes": "10"}, "A002 was moved back by about 10 min."),
    ("Save", {"name": "Njeri"}, "A002 is Njeri now."),
    ("Give the place up", {}, "A002 gave the place up."),
]
every_press = pytest.mark.parametrize(("words", "fields", "told"), PRESSES)


@every_press
async def test_each_button_does_what_it_says_and_only_once(
    world: World, counter: Counter, words: str, fields: dict[str, str], told: str
) -> None:
    _, second, _ = await world.line(1, 2, 3)
    form = await counter.form(words, of(second))
    assert await counter.told(form, **fields) == told
    done = await tickets_of(world), await world.order()
    assert await counter.told(form, **fields) == told
    assert (await tickets_of(world), await world.order()) == done


@every_press
async def test_a_press_on_what_has_changed_changes_nothing(
    world: World, counter: Counter, words: str, fields: dict[str, str], told: str
) -> None:
    first, second, _ = await world.line(1, 2, 3)
    form = await counter.form(words, of(second))
    await world.do("leave_for", first)
    await world.called("Room 2")
    true = await tickets_of(world)
    said = await counter.told(form, **fields)
    assert said == LONG_PAST
    assert said != told
    assert await tickets_of(world) == true


@pytest.mark.parametrize(("words", "more"), [("Call to Room 1", {}), ("Move", {"ahead": "0"})])
@pytest.mark.parametrize("reason", ["", "   ", "\0"])
async def test_nobody_passes_others_without_a_reason(
    world: World, counter: Counter, words: str, more: dict[str, str], reason: str
) -> None:
    _, second = await world.line(1, 2)
    told = await counter.press(words, of(second), reason=reason, **more)
    assert told == "Say why, in a few words: it is kept with the ticket. Nothing was changed."
    assert await world.order() == ["A001", "A002"]


async def test_called_out_of_turn_while_somebody_is_called_says_what_became_of_him(
    world: World, counter: Counter
) -> None:
    first, second = await world.line(1, 2)
    await counter.press("Call next")
    form = await counter.form("Call to Room 1", of(second))
    assert form.choices["finish"] == ["complete", "skip", "no-show"]
    told = await counter.told(form, reason="very ill", finish="skip")
    assert told == "A001 is skipped. A002 was called to Room 1."
    assert await world.state(first) == "skipped"


async def test_who_came_to_the_counter_meanwhile_is_not_ended_by_a_call_out_of_turn(
    world: World, counter: Counter
) -> None:
    _, second = await world.line(1, 2)
    form = await counter.form("Call to Room 1", of(second))
    await counter.press("Call next")
    told = await counter.told(form, reason="very ill")
    assert told == "A001 has changed since you looked: it is called now. Nothing was changed."


async def test_somebody_skipped_is_called_by_name(world: World, counter: Counter) -> None:
    (first,) = await world.line(1)
    await world.do("skip", await world.called())
    assert await counter.press("Call to Room 1", of(first), reason="is here now") == "A001 was called to Room 1."


@pytest.mark.parametrize("ahead", ["", "-1", "1.5", "1000", "x", "\u0663", "9" * 40])
async def test_nobody_is_moved_to_no_place(world: World, counter: Counter, ahead: str) -> None:
    _, second = await world.line(1, 2)
    told = await counter.press("Move", of(second), ahead=ahead, reason="why not")
    assert told == "Write a number from 0 to 999. Nothing was changed."


async def test_transferred_he_has_a_new_number_in_the_other_line(world: World, counter: Counter) -> None:
    (first,) = await world.line(1)
    await world.line(2, 3, 4, queue="P")
    form = await counter.form("Transfer", of(first))
    assert form.choices["to"] == [world.queue_ids["P"], world.queue_ids["L"]]
    told = "A001 was moved to Pharmacy and is P004 now."
    assert await counter.told(form, to=world.queue_ids["P"], first="1") == told
    assert await counter.told(form, to=world.queue_ids["P"], first="1") == told
    assert await world.order("P") == ["P001", "P002", "P004", "P003"]
    assert (await world.holds(1)).label == "P004"


async def test_a_transfer_from_what_has_changed_moves_nobody(world: World, counter: Counter) -> None:
    (first,) = await world.line(1)
    form = await counter.form("Transfer", of(first))
    await world.called("Room 2")
    told = await counter.told(form)
    assert told == "A001 has changed since you looked: it is called now. Nothing was changed."
    assert await world.order("P") == []


async def test_a_transfer_into_a_line_that_closed_meanwhile_moves_nobody(world: World, counter: Counter) -> None:
    (first,) = await world.line(1)
    form = await counter.form("Transfer", of(first))
    await world.close("P")
    told = await counter.told(form, to=world.queue_ids["P"])
    assert told == "Pharmacy is closed. Nobody was added or moved. Open it first."
    assert await world.state(first) == "waiting"
    assert (await counter.form("Transfer", of(first))).choices["to"] == [world.queue_ids["L"]]


async def test_where_every_other_line_is_closed_no_transfer_is_offered(world: World, counter: Counter) -> None:
    (first,) = await world.line(1)
    await world.close("P")
    await world.close("L")
    page = (await counter.look(of(first))).text
    assert "Every other line is closed." in page
    assert 'name="to"' not in page


@pytest.mark.parametrize("to", ["", "rubbish", "00000000-0000-4000-8000-000000000000"])
async def test_a_transfer_to_nowhere_is_not_found(world: World, counter: Counter, to: str) -> None:
    (first,) = await world.line(1)
    answer = await counter.send(await counter.form("Transfer", of(first)), to=to)
    assert trouble_on(answer) == (404, "Not Found")
    assert await world.state(first) == "waiting"


async def test_late_a_third_time_is_refused(world: World, counter: Counter) -> None:
    first, *_ = await world.line(1, 2, 3)
    for _ in range(2):
        await counter.press("Let others pass", of(first))
    told = await counter.press("Let others pass", of(first))
    assert told == "A001 was moved back twice already. Nothing was changed."


HOSTILE = [
    "<b>Ann",
    "Ann<script>alert(",
    "\"'><img src=x>",
    "{{ 7*7 }}Ann",
    "</title>Ann",
    "javascript:Ann",
    "=cmd|Ann",
    "Ann\r\nSet-Cookie: a=b",
]


@pytest.mark.parametrize("text", HOSTILE)
async def test_a_hostile_name_or_reason_is_nothing_but_letters(world: World, counter: Counter, text: str) -> None:
    waiting = (await world.join(1, name="Before")).ticket
    await counter.press("Save", of(waiting), name=text)
    await counter.press("Add to the line", name=text)
    await counter.press("Call to Room 1", of(waiting), reason=text)
    name = (await world.holds(1)).name
    assert name
    assert name != "Before"
    for path in ("", of(waiting), "/close"):
        page = (await counter.look(path)).text
        for bad in ("<b>Ann", "<script>alert", "<img", "49Ann", "</title>Ann", 'value="">'):
            assert bad not in page
    assert unescape((await counter.look(of(waiting))).text).count(name) >= 2
    assert f"<q>{' '.join(text.split())}</q>" in unescape((await counter.look(of(waiting))).text)


async def test_the_page_tells_what_happened_by_whom_and_why_and_no_phone_in_full(
    world: World, counter: Counter
) -> None:
    (first,) = await world.line(1)
    await counter.press("Call to Room 1", of(first), reason="very ill")
    await counter.press("Complete")
    page = (await counter.look(of(first))).text
    for words in (
        "joined",
        "by the person, USSD",
        "called out of turn",
        "by Amina",
        "<q>very ill</q>",
        "+2547*****001",
    ):
        assert words in page
    assert "+254711000001" not in page
    assert "Transfer" not in page
