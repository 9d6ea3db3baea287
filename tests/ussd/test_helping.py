"""Help, alerts, data, language, rating, and where a call begins."""

from __future__ import annotations

from tests.ussd.caller import Caller
from tests.world import World, phone


async def test_help_explains_and_leads_back(caller: Caller) -> None:
    await caller.dial()
    await caller.press("3", "1")
    caller.sees("Join, then wait where you like.")
    await caller.press("0", "2")
    caller.sees("Our SMS to you are free.")
    await caller.press("0", "0")
    caller.is_at("home")


async def test_help_leads_a_caller_with_a_place_back_to_it(caller: Caller, world: World) -> None:
    await world.line(1)
    await caller.dial()
    await caller.press("4", "0")
    caller.is_at("near")


async def test_alerts_are_turned_off_and_on(caller: Caller, world: World) -> None:
    await caller.dial()
    await caller.press("3", "3")
    caller.sees("SMS alerts are ON.")
    await caller.press("2")
    caller.sees("SMS alerts are OFF.")
    assert await world.pool.fetchval("select opted_out_at is not null from customers where phone = $1", phone(1))
    await caller.press("00", "3", "3")
    caller.sees("SMS alerts are OFF.")
    await caller.press("1")
    caller.sees("SMS alerts are ON.")
    await caller.press("1")
    caller.is_at("help")


async def test_a_person_is_forgotten_when_he_asks(caller: Caller, world: World) -> None:
    await world.line(1)
    await caller.dial()
    await caller.press("4", "4")
    caller.sees("delete it after 30 days")
    await caller.press("2", "1", "4", "2", "2")
    caller.sees("Done. You left the line and your data is being deleted.")
    assert caller.over
    for table in ("tickets", "customers", "ussd_sessions"):
        assert await world.pool.fetchval(f"select count(*) from {table} where phone = $1", phone(1)) == 0  # noqa: S608


async def test_there_is_always_a_person(caller: Caller, world: World) -> None:
    await caller.dial()
    await caller.press("3", "5")
    assert caller.screen == "Zamu\nCall 0711222333\nor ask the staff at the door."
    await world.line(1)
    await caller.dial()
    await caller.press("4", "5")
    caller.sees("Kilimani Clinic\nCall 0700123456", "Tell them your number A001.")


async def test_a_language_is_one_step_away_and_remembered(caller: Caller) -> None:
    await caller.dial()
    await caller.press("4")
    assert caller.screen == "Language / Lugha\n1 English\n2 Kiswahili\n0 Back"
    await caller.press("kiswahili")
    assert caller.screen == "Zamu\n1 Jiunge na foleni\n2 Nafasi yangu\n3 Msaada\n4 Lugha"
    await caller.press("9")
    caller.sees("Si chaguo. Jaribu tena.")
    await caller.dial()
    caller.sees("Jiunge na foleni")


async def test_a_visit_is_rated_once(caller: Caller, world: World) -> None:
    await world.line(1)
    await world.serve()
    await caller.dial()
    caller.sees("Kilimani Clinic\nHow was it today?", "5 Very good", "0 Skip")
    await caller.press("9")
    caller.sees("Not a choice. Try again.", "Kilimani Clinic")
    await caller.press("4")
    caller.sees("Thank you. Kilimani Clinic will see your answer without your name.")
    assert await world.pool.fetchval("select rating from tickets") == 4
    await caller.dial()
    caller.is_at("home")


async def test_whoever_skips_the_question_is_not_asked_again(caller: Caller, world: World) -> None:
    await world.line(1)
    await world.serve()
    await caller.dial()
    await caller.press("0")
    caller.is_at("home")
    await caller.dial()
    caller.is_at("home")


async def test_words_that_people_text_work_on_screens(caller: Caller, world: World) -> None:
    await world.line(1, *range(2, 9))
    await caller.dial()
    for typed, state in [
        ("HELP", "help"),
        ("Status", "near"),
        ("late", "late"),
        ("LATE 10", "lateok"),
        ("leave A001", "leave"),
        ("lugha", "language"),
        ("STOP", "alerts_on"),
        ("join", "code"),
    ]:
        await caller.press(typed)
        caller.is_at(state)
    await caller.press("JOIN 5084")
    caller.is_at("service")


async def test_labels_and_untidy_keys_are_understood(caller: Caller) -> None:
    await caller.dial()
    for typed, state in [
        (" 1 ", "code"),
        ("0#", "home"),
        ("3.", "help"),
        ("what it costs", "cost"),
        ("back", "help"),
        ("\u0661", "how"),
        ("98", "how"),
        ("00", "home"),
        ("0", "home"),
        ("LANGUAGE", "language"),
    ]:
        await caller.press(typed)
        caller.is_at(state)
        assert "Not a choice" not in caller.screen


async def test_the_first_screen_is_the_one_that_matters_most(caller: Caller, world: World) -> None:
    async def first() -> str:
        await caller.dial()
        return caller.state

    assert await first() == "home"
    await world.line(1)
    await world.serve()
    await world.pool.execute("update tickets set rating_asked_at = null")
    await caller.dial("*384*40*4071#")  # begins to join, and is cut off
    assert await first() == "resume"
    await world.line(*range(2, 6), 1)
    await world.close(send_home=True)
    assert await first() == "shut"
    await world.open()
    await world.line(*range(2, 6), 1)
    assert await first() == "place"
    await world.leave(2)
    assert await first() == "near"
    for _ in range(3):
        await world.serve()
    await world.called()
    assert await first() == "turn"


async def test_a_cut_off_join_goes_on_where_it_was(caller: Caller, world: World) -> None:
    await world.pool.execute("update branches set asks_name = true")
    await caller.dial("*384*40*4071*2*1#")
    caller.is_at("name")
    await caller.dial()
    caller.sees("Welcome back. You were joining Kilimani Clinic.", "1 Continue")
    await caller.dial()
    caller.is_at("resume")
    await caller.press("1")
    caller.is_at("name")
    await caller.press("Amina")
    caller.sees("Your number is P001")
    await world.leave(1)
    await caller.dial()
    caller.is_at("home")


async def test_a_cut_off_join_may_be_begun_again_or_dropped(caller: Caller) -> None:
    await caller.dial("*384*40*4071#")
    await caller.dial()
    await caller.press("3")
    caller.is_at("noticket")
    await caller.dial("*384*40*4071#")
    await caller.dial()
    await caller.press("2")
    caller.is_at("code")
    await caller.dial()
    caller.is_at("home")


async def test_an_old_join_is_forgotten(caller: Caller, world: World) -> None:
    await caller.dial("*384*40*4071#")
    await world.later(11)
    await caller.dial()
    caller.is_at("home")


async def test_the_third_wrong_key_in_a_row_ends_with_a_phone_number(caller: Caller) -> None:
    await caller.dial()
    await caller.press("9", "3", "9", "9")
    assert caller.screen.startswith("Not a choice. Try again.\nHelp\n1 How it works")
    await caller.press("9")
    caller.sees("We did not understand. Nothing was changed.", "call 0711222333")
    assert caller.over


async def test_within_a_place_its_own_phone_is_given(caller: Caller) -> None:
    await caller.dial("*384*40*4071#")
    await caller.press("9", "9", "9")
    caller.sees("call 0700123456 for help")


async def test_sending_nothing_shows_the_screen_again(caller: Caller) -> None:
    await caller.dial()
    await caller.press("3", "")
    caller.sees("1 How it works")
