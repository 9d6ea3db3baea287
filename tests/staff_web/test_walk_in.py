"""People who stand at the desk are added over HTTP: with a phone, without one, and whatever else is typed."""

from __future__ import annotations

import pytest

from tests.staff_web.counter import Counter, counter, tickets_of
from tests.world import World, phone

__all__ = ["counter"]

ADD = "Add to the line"


async def test_with_a_phone_an_sms_tells_the_number(world: World, counter: Counter) -> None:
    told = await counter.press(ADD, name="Achieng", phone="0711 000 001")
    assert told == "A001 was added, nobody ahead. An SMS tells the number."
    ticket = await world.holds(1)
    assert (ticket.name, ticket.phone) == ("Achieng", phone(1))
    assert await world.texts(1) == ["added"]


async def test_without_a_phone_the_clerk_has_to_tell_it(world: World, counter: Counter) -> None:
    await world.line(1)
    told = await counter.press(ADD, name="", phone="")
    assert told == "A002 was added, 1 person ahead. No SMS: tell the number, and call by name."
    assert "No phone: call by name" in (await counter.look()).text


async def test_pressed_twice_one_person_is_added(world: World, counter: Counter) -> None:
    form = await counter.form(ADD)
    assert await counter.told(form, name="Achieng") == await counter.told(form, name="Achieng")
    assert await world.order() == ["A001"]


async def test_a_phone_that_has_a_place_keeps_it(world: World, counter: Counter) -> None:
    await world.join(1, "P")
    told = await counter.press(ADD, name="Achieng", phone="0711000001")
    assert told == "This phone has a place already: P001, Pharmacy at Kilimani Clinic. Nobody was added."
    assert await world.order() == []


RUBBISH = ["12", "hello", "+1", "0711000001 ext 5", "\u0660\u0667\u0661", "9" * 200, "<script>", "'; --"]


@pytest.mark.parametrize("rubbish", RUBBISH)
async def test_what_is_no_phone_adds_nobody(world: World, counter: Counter, rubbish: str) -> None:
    told = await counter.press(ADD, phone=rubbish)
    assert told == "This is not a phone number that can get texts. Nobody was added. Write it like 0711 000 001."
    assert await tickets_of(world) == {}


async def test_what_is_no_name_adds_nobody(world: World, counter: Counter) -> None:
    assert "Nothing was changed." in await counter.press(ADD, name="12345")
    assert await tickets_of(world) == {}


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("pause", "is on a break, so nobody was added. Open it first."),
        ("close", "is closed. Nobody was added or moved. Open it first."),
    ],
)
async def test_a_line_that_takes_nobody_takes_no_walk_in(world: World, counter: Counter, state: str, told: str) -> None:
    await getattr(world, state)()
    assert await counter.press(ADD) == f"Doctor {told}"
    assert await tickets_of(world) == {}
