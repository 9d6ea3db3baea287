"""What a caller sees and does with the place that he has."""

from __future__ import annotations

import pytest

from tests.ussd.caller import Caller
from tests.world import CLINIC, World, phone


async def test_a_caller_with_a_place_sees_it_first(caller: Caller, world: World) -> None:
    await world.line(2, 3, 4, 5, 1)
    await caller.dial()
    assert caller.screen == (
        "A005 Kilimani Clinic\nDoctor: 4 ahead, wait not known yet\n"
        "1 Check again\n2 I will be late\n3 Leave the line\n4 Help\n00 Home"
    )
    await world.leave(2)
    await caller.press("1")
    caller.sees("You are near: 3 ahead", "Come now.")


async def test_the_first_screen_is_one_key_away_from_a_place(caller: Caller, world: World) -> None:
    await world.line(2, 3, 4, 5, 1)
    await caller.dial()
    await caller.press("00")
    caller.is_at("home")
    await caller.press("2")
    caller.is_at("place")


async def test_without_a_place_there_is_the_way_to_one(caller: Caller) -> None:
    await caller.dial()
    await caller.press("2")
    assert caller.screen == "You are not in any line today.\n1 Join a line\n2 Help\n00 Home"
    await caller.press("1")
    caller.is_at("code")


async def test_who_is_called_sees_where_to_go(caller: Caller, world: World) -> None:
    await world.line(1)
    await world.call("Room 4")
    await caller.dial()
    assert caller.screen.startswith("A001 IT IS YOUR TURN\nGo to Room 4, Kilimani Clinic\n1 I am coming")
    await caller.press("1")
    caller.sees("Thank you. Go to Room 4 and show A001.")
    assert caller.over
    ticket = await world.ticket(1)
    assert ticket
    assert ticket.coming


async def test_being_called_between_two_screens_shows_at_the_next_key(caller: Caller, world: World) -> None:
    await world.line(1)
    await caller.dial()
    await world.call("Room 1")
    await caller.press("1")
    caller.is_at("turn")


async def test_who_is_called_may_ask_for_five_minutes(caller: Caller, world: World) -> None:
    await world.line(1, 2, 3)
    await world.call()
    await caller.dial()
    await caller.press("2")
    caller.sees("OK. A001 keeps its number.", "Now 1 ahead")
    await caller.press("1")
    caller.is_at("near")


@pytest.mark.parametrize(("key", "ahead"), [("1", 1), ("2", 2), ("3", 4), ("10 minutes", 2), ("30", 6)])
async def test_who_is_late_lets_others_pass_and_keeps_his_number(
    caller: Caller, world: World, key: str, ahead: int
) -> None:
    await world.line(1, *range(2, 12))
    await caller.dial()
    await caller.press("2")
    caller.sees("How late will you be?", "4 30 minutes")
    await caller.press(key)
    caller.sees("OK. A001 keeps its number.", f"Now {ahead} ahead")


async def test_nobody_is_late_more_than_twice(caller: Caller, world: World) -> None:
    await world.line(1, *range(2, 12))
    await caller.dial()
    await caller.press("2", "1", "1", "2", "1", "1", "2")
    caller.sees("A001 was moved 2 times already", "1 My place", "00 Home")
    await caller.press("1")
    caller.is_at("near")


async def test_a_second_request_that_came_by_text_counts_as_well(caller: Caller, world: World) -> None:
    await world.line(1, *range(2, 12))
    await caller.dial()
    await caller.press("2")
    await world.defer(1)
    await world.defer(1)
    await caller.press("1")
    caller.is_at("lateno")


async def test_leaving_is_asked_first_and_one_is_the_safe_answer(caller: Caller, world: World) -> None:
    await world.line(1)
    await caller.dial()
    await caller.press("3")
    caller.sees("Leave the line? A001 will be given up. You cannot get it back.", "1 No, stay in line")
    await caller.press("1")
    caller.is_at("near")
    await caller.press("3", "2")
    caller.sees("You left the line at Kilimani Clinic. A001 is closed.", "dial *384*40#")
    assert caller.over
    assert await world.ticket(1) is None


async def test_leaving_what_ended_in_between_tells_the_truth(caller: Caller, world: World) -> None:
    await world.line(1)
    await caller.dial()
    await caller.press("3")
    await world.leave(1)
    await caller.press("2")
    caller.is_at("noticket")


async def test_who_missed_his_call_comes_back_behind_two(caller: Caller, world: World) -> None:
    await world.line(1, 2, 3, 4)
    ticket = await world.called()
    await world.do("skip", ticket)
    await caller.dial()
    caller.sees("A001 was called at ", "and you were not there.", "1 Put me back in line")
    await caller.press("1")
    caller.sees("You are back in line. A001: 2 ahead", "Please stay near Kilimani Clinic.")
    assert caller.over


async def test_who_missed_his_call_may_leave(caller: Caller, world: World) -> None:
    await world.line(1)
    await world.do("skip", await world.called())
    await caller.dial()
    await caller.press("2")
    caller.is_at("left")


async def test_coming_back_too_late_tells_the_truth(caller: Caller, world: World) -> None:
    await world.line(1)
    ticket = await world.called()
    await world.do("skip", ticket)
    await caller.dial()
    await world.do("no_show", ticket)
    await caller.press("1")
    caller.is_at("noticket")


async def test_who_is_being_served_is_told_where(caller: Caller, world: World) -> None:
    await world.line(1)
    await world.do("start", await world.called("Room 2"))
    await caller.dial()
    assert caller.screen == "A001 You are being served\nRoom 2, Kilimani Clinic\n1 Check again\n2 Help\n00 Home"
    await caller.press("2")
    caller.sees("Kilimani Clinic\nCall 0700123456", "Tell them your number A001.")


async def test_a_line_closed_early_makes_its_people_first_another_day(caller: Caller, world: World) -> None:
    await world.line(2, 1)
    await world.close(send_home=True)
    await caller.dial()
    caller.sees("Kilimani Clinic closed early today and A002 could not be served. Sorry.", "1 First in line on ")
    await caller.press("1")
    caller.sees("Your number is A001", "day: 0 ahead of you.")
    await caller.dial()
    caller.sees("A001 Kilimani Clinic\nDoctor, ", "day: 0 ahead", "2 Leave the line")
    await caller.press("1", "2", "2")
    caller.is_at("left")


async def test_whoever_wants_no_other_day_is_not_asked_again(caller: Caller, world: World) -> None:
    await world.line(1)
    await world.close(send_home=True)
    await caller.dial()
    await caller.press("2")
    caller.is_at("home")
    await caller.dial()
    caller.is_at("home")


async def test_redialling_the_posters_code_shows_the_place(caller: Caller, world: World) -> None:
    """A phone's call log holds `*384*40*4071*1*1#`; what follows the code must not press anything."""
    await world.line(2, 3, 4, 5, 1)
    for code in ("*384*40*4071#", "*384*40*4071*3*2#"):
        await caller.dial(code)
        caller.is_at("place")
    assert await world.ticket(1)


async def test_the_code_of_another_place_leads_there_unless_it_is_ones_turn(caller: Caller, world: World) -> None:
    await world.line(1, queue="A")
    await caller.dial("*384*40*5084#")
    caller.sees("Moi Avenue Bank")
    await world.call()
    await caller.dial("*384*40*5084#")
    caller.is_at("turn")


async def test_the_same_number_is_never_anothers(caller: Caller, world: World) -> None:
    await world.line(2)
    await caller.dial()
    caller.is_at("home")
    assert (await world.pool.fetchval("select code from branches where code = $1", CLINIC)) == CLINIC
    assert caller.number != phone(2)
