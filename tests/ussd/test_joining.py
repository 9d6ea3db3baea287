"""From the first screen to a number, and every way in which a line says no."""

from __future__ import annotations

import asyncio

import pytest

from queue_core import tickets
from tests.ussd.caller import Caller
from tests.ussd.conftest import Callers
from tests.world import World, phone


async def test_two_keys_after_the_posters_code_are_a_number(caller: Caller, world: World) -> None:
    await world.line(2, 3)
    await caller.dial("*384*40*4071#")
    caller.sees("Kilimani Clinic", "1 Doctor (2)", "2 Pharmacy (0)", "3 Laboratory (0)")
    await caller.press("1")
    caller.sees("Doctor: 2 waiting, wait not known yet", "1 Yes, join")
    await caller.press("1")
    caller.sees("Your number is A003", "2 ahead of you, wait not known yet", "Dial *384*40#")
    assert caller.over
    assert await world.texts(1) == ["joined"]


async def test_the_whole_path_may_be_dialled_at_once(caller: Caller) -> None:
    await caller.dial("*384*40*4071*2*1#")
    caller.sees("Your number is P001", "0 ahead of you, you are next")
    assert caller.over


async def test_the_menu_leads_to_a_number_in_five_inputs(caller: Caller) -> None:
    await caller.dial()
    assert caller.screen == "Zamu\n1 Join a line\n2 My place in line\n3 Help\n4 Language"
    await caller.press("1")
    caller.sees("Type the 4-digit code on the poster", "1 Find a place by name", "0 Back")
    await caller.press("4071", "3", "1")
    caller.sees("Your number is L001")


async def test_a_measured_line_says_how_long_it_takes(caller: Caller, world: World) -> None:
    await world.set(avg_service_seconds=290, completed_count=10)
    await world.line(2, 3, 4, 5)
    await caller.dial("*384*40*4071*1#")
    caller.sees("4 waiting, about 20 min")
    await caller.press("1")
    caller.sees("4 ahead of you, about 20 min.")


async def test_a_wait_of_hours_is_told_in_hours(caller: Caller, world: World) -> None:
    await world.set(avg_service_seconds=3600, completed_count=10)
    await world.line(2, 3)
    await caller.dial("*384*40*4071*1#")
    caller.sees("2 waiting, about 2 h")


@pytest.mark.parametrize("typed", ["4071", " 4071 ", "40 71", "4071#", "4071.", "JOIN 4071", "join 4071"])
async def test_a_code_may_be_typed_as_people_type(caller: Caller, typed: str) -> None:
    await caller.dial()
    await caller.press("1", typed)
    caller.is_at("service")


async def test_a_code_on_the_first_screen_saves_a_step(caller: Caller) -> None:
    await caller.dial()
    await caller.press("4071")
    caller.is_at("service")


@pytest.mark.parametrize("typed", ["9999", "407", "40711", "2"])
async def test_a_code_that_is_on_no_poster_is_asked_for_again(caller: Caller, typed: str) -> None:
    await caller.dial()
    await caller.press("1", typed)
    caller.sees("Code not found. Look at the poster")
    assert "Not a choice" not in caller.screen
    await caller.press("4071")
    caller.is_at("service")


async def test_the_third_bad_code_ends_with_a_phone_number(caller: Caller) -> None:
    await caller.dial()
    await caller.press("1", "9999", "9998", "9997")
    caller.sees("We did not understand. Nothing was changed.", "call 0711222333 for help")
    assert caller.over


async def test_a_bad_code_in_what_was_dialled_is_told(caller: Caller) -> None:
    for code in ("*384*40*9999#", "*384*40*7#", "*384*40*0#"):
        await caller.dial(code)
        caller.is_at("badcode")


async def test_a_place_is_found_by_the_list_or_by_its_name(caller: Caller) -> None:
    await caller.dial()
    await caller.press("1", "1")
    assert caller.screen == "Choose a place\n1 Kilimani Clinic\n2 Moi Avenue Bank\n0 Back"
    await caller.press("avenue")
    assert caller.screen == "Choose a place\n1 Moi Avenue Bank\n0 Back"
    await caller.press("1")
    caller.sees("Moi Avenue Bank", "1 Cash (0)")


async def test_a_name_may_be_typed_where_a_code_is_asked(caller: Caller) -> None:
    await caller.dial()
    await caller.press("1", "kili")
    caller.sees("1 Kilimani Clinic")
    await caller.press("0", "Zanzibar")
    caller.sees("No open place has a name that begins so.")
    await caller.press("1")
    caller.sees("1 Kilimani Clinic", "2 Moi Avenue Bank")


async def test_a_search_is_letters_and_nothing_else(caller: Caller) -> None:
    await caller.dial()
    for typed in ("k%", "%_k", "'; drop table branches; --"):
        await caller.press("1", typed, "00")
    caller.is_at("home")


async def test_a_wide_choice_of_places_has_three_pages_and_then_asks_for_the_code(caller: Caller, world: World) -> None:
    await world.pool.execute(
        """with more as (insert into branches (organization_id, code, name, phone)
             select organization_id, (6000 + n)::text, 'Afya Clinic Number ' || lpad(n::text, 2, '0'), phone
               from branches, generate_series(1, 20) n where code = '4071' returning id)
           insert into queues (branch_id, code, name, status) select id, 'A', 'Doctor', 'open' from more"""
    )
    await caller.dial()
    await caller.press("1", "1")
    seen = caller.screen
    caller.sees("1 Afya Clinic Number 01", "98 More")
    await caller.press("98")
    assert caller.screen != seen
    await caller.press("98")
    assert "98 More" not in caller.screen
    await caller.press("98")
    caller.is_at("code")
    await caller.press("1", "98", "2")
    caller.sees("Afya Clinic Number 0")
    caller.is_at("confirm")  # its only line


async def test_a_key_means_what_stood_on_the_screen(caller: Caller, world: World) -> None:
    """A place that opens in between does not move the others under the caller's finger."""
    await caller.dial()
    await caller.press("1", "1")
    caller.sees("1 Kilimani Clinic")
    await world.pool.execute("update branches set name = 'Another Clinic' where code = '5084'")
    await caller.press("1")
    caller.sees("Kilimani Clinic")


async def test_a_place_with_one_open_line_needs_no_choice_of_lines(caller: Caller, world: World) -> None:
    await world.close("P")
    await world.close("L")
    await caller.dial("*384*40*4071#")
    caller.is_at("confirm")
    await caller.press("0")
    caller.is_at("home")


async def test_no_and_back_lead_back_to_the_lines(caller: Caller) -> None:
    await caller.dial("*384*40*4071*1#")
    await caller.press("2")
    caller.is_at("service")
    await caller.press("2", "0")
    caller.is_at("service")
    await caller.press("0")
    caller.is_at("home")


async def test_a_place_that_asks_names_gets_a_clean_one(caller: Caller, world: World) -> None:
    await world.pool.execute("update branches set asks_name = true")
    await caller.dial("*384*40*4071*1#")
    await caller.press("1")
    caller.sees("Type your first name so staff can call you.", "1 Skip")
    await caller.press("7")
    caller.sees("Not a choice. Try again.")
    await caller.press("Ami\u00f1a \U0001f600")
    caller.sees("Your number is A001")
    ticket = await world.ticket(1)
    assert ticket
    assert ticket.name == "Ami\u00f1a"


@pytest.mark.parametrize("key", ["1", "skip", "Skip, use my number only"])
async def test_nobody_has_to_say_a_name(caller: Caller, world: World, key: str) -> None:
    await world.pool.execute("update branches set asks_name = true")
    await caller.dial("*384*40*4071*1#")
    await caller.press("1", key)
    ticket = await world.ticket(1)
    assert ticket
    assert ticket.name is None


@pytest.mark.parametrize("name", ["Help", "Late", "Status", "Grace*", "O#Neil"])
async def test_a_name_may_look_like_anything(caller: Caller, world: World, name: str) -> None:
    await world.pool.execute("update branches set asks_name = true")
    await caller.dial("*384*40*4071*1#")
    await caller.press("1", name)
    caller.sees("Your number is A001")


async def test_a_phone_with_a_place_is_asked_before_it_gets_another(caller: Caller, world: World) -> None:
    await world.line(2, 1, queue="C")
    await caller.dial("*384*40*4071*1#")
    await caller.press("1")
    caller.sees("You already have C002 at Moi Avenue Bank, 1 ahead.", "2 Leave it, join the new line")
    await caller.press("1")
    caller.sees("C002 Moi Avenue Bank", "1 ahead")


async def test_one_line_is_left_and_another_joined_in_one_step(caller: Caller, world: World) -> None:
    await world.line(1, queue="C")
    await caller.dial("*384*40*4071*1#")
    await caller.press("1", "2")
    caller.sees("Your number is A001")
    ticket = await world.ticket(1)
    assert ticket
    assert ticket.label == "A001"
    assert await world.order("C") == []


async def test_the_old_place_stays_when_the_new_line_takes_nobody(caller: Caller, world: World) -> None:
    await world.line(1, queue="C")
    await caller.dial("*384*40*4071*1#")
    await caller.press("1")
    await world.close("A")
    await caller.press("2")
    caller.is_at("closed")
    assert await world.order("C") == ["C001"]


async def test_joining_the_same_line_again_shows_the_place(caller: Caller, world: World) -> None:
    await caller.dial("*384*40*4071*1#")
    await world.line(1)
    await caller.press("1")
    caller.sees("A001 Kilimani Clinic")


async def test_a_join_remembers_the_language_of_its_screens(caller: Caller) -> None:
    await caller.dial()
    await caller.press("4", "2", "1", "4071", "1")
    caller.sees("Ujiunge sasa?")
    await caller.press("1")
    caller.sees("Namba yako ni A001")
    ticket = await tickets.status(caller.engine._core, caller.number)  # noqa: SLF001
    assert ticket
    assert ticket.language == "sw"


async def test_a_crowd_gets_numbers_without_a_gap(callers: Callers, world: World) -> None:
    async def join(person: int) -> None:
        one = callers(person)
        await one.dial("*384*40*4071#")
        await one.press("1", "1")
        one.sees("Your number is A0")

    await asyncio.gather(*(join(person) for person in range(1, 31)))
    assert await world.order() == [f"A{number:03}" for number in range(1, 31)]
    assert await tickets.status(world.core, phone(30))
