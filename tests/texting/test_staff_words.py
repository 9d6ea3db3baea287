"""What clerks type beside the plain commands: lines with odd letters, thanks, a no that is none, codes in turn."""

from __future__ import annotations

import pytest

from sms.commands import for_staff
from tests.texting.conftest import CLERK, PIN, Texter, Texters, enrol, strict
from tests.world import World


@pytest.fixture
async def manager(texters: Texters) -> Texter:
    """Runs every line of the clinic: A Doctor, P Pharmacy, L Laboratory."""
    return await enrol(texters(CLERK), "clinic1", None)


@pytest.mark.parametrize("text", ["NO", "no", "No!", "no."])
def test_no_alone_is_a_no(text: str) -> None:
    command = for_staff(text)
    assert command
    assert (command.verb, command.rest) == ("no", ())


@pytest.mark.parametrize("text", ["No one is here", "NO 5", "no5", "no thanks", "NO NEXT", "not me"])
async def test_a_sentence_with_no_stops_no_phone(clerk: Texter, world: World, text: str) -> None:
    (told,) = await clerk.text(text)
    assert "stopped" not in told
    assert not await world.pool.fetchval("select bool_or(blocked_at is not null) from staff_phones")


@pytest.mark.parametrize("text", ["NO SHWO", "no sohw doc", "NOSHWO"])
async def test_a_mistyped_no_show_is_asked_back(clerk: Texter, world: World, text: str) -> None:
    await world.line(1)
    await world.call()
    assert (await clerk.text(f"{text} {PIN}"))[0].startswith("Did you mean NOSHOW?")
    assert not await world.pool.fetchval("select bool_or(blocked_at is not null) from staff_phones")


@pytest.mark.parametrize("text", ["NO-SHOW", "no show", "NO\u2013SHOW", "NOSHOW"])
async def test_a_no_show_is_written_in_any_way(clerk: Texter, world: World, text: str) -> None:
    await world.line(1)
    await world.call()
    assert (await clerk.text(f"{text} DOC {PIN}"))[0].startswith("Doctor: A001 marked not here.")


@pytest.mark.parametrize("letter", ["L", "PL", "LL", "LC"])
async def test_a_line_whose_letters_look_like_digits_is_named_by_them(
    manager: Texter, world: World, letter: str
) -> None:
    await world.pool.execute("update queues set code = $2 where id = $1", world.queue_ids["L"], letter)
    await world.line(1, queue="L")
    assert (await manager.text(f"LIST {letter} {PIN}"))[0] == f"Laboratory waiting 1: 1 {letter}001."
    assert (await manager.text(f"NEXT {letter} {PIN}"))[0].startswith(f"NOW {letter}001")
    assert (await manager.text(f"DONE {letter} {letter}002 {PIN}"))[0].startswith("Laboratory: at ")
    assert (await manager.text(f"DONE {letter} {letter}1 {PIN}"))[0].startswith(f"Laboratory: {letter}001 done")


async def test_who_has_one_line_need_not_name_it_before_a_ticket(clerk: Texter, world: World) -> None:
    await world.pool.execute("delete from counter_queues where queue_id <> $1", world.queue_ids["A"])
    await world.line(1)
    await world.call()
    assert (await clerk.text(f"DONE A001 {PIN}"))[0].startswith("Doctor: A001 done")


@pytest.mark.parametrize("text", ["DONE DOC please {}", "DONE DOC A001 thanks {}", "done doc A 001 {} thanks"])
async def test_thanks_are_no_ticket(clerk: Texter, world: World, text: str) -> None:
    await world.line(1)
    await world.call()
    assert (await clerk.text(text.format(PIN)))[0].startswith("Doctor: A001 done")


@pytest.mark.parametrize("text", ["OK {} thanks", "ok{}", "OK {}, go on"])
async def test_thanks_behind_the_two_digits_do_not_matter(clerk: Texter, text: str) -> None:
    (asked,) = await clerk.text(f"PAUSE DOC 30 {PIN}")
    assert (await clerk.text(text.format(asked.split("OK ")[1][:2])))[0].startswith("Doctor: PAUSED at ")


async def test_ok_without_digits_answers_no_question(clerk: Texter) -> None:
    (asked,) = await clerk.text(f"PAUSE DOC 30 {PIN}")
    for text in ("OK", "ok thanks"):
        assert (await clerk.text(text))[0].startswith("Not understood")
    assert (await clerk.text("OK " + asked.split("OK ")[1][:2]))[0].startswith("Doctor: PAUSED at ")


@pytest.mark.parametrize("zeros", ["", "0" * 7, "0" * 100])
async def test_minutes_and_places_are_bounded_however_long_they_are(clerk: Texter, world: World, zeros: str) -> None:
    await world.line(1, 2)
    assert (await clerk.text(f"LIST DOC {zeros}2 {PIN}"))[0].startswith("Doctor waiting 2: 2 A002.")
    assert (await clerk.text(f"LIST DOC {zeros}9999999 {PIN}"))[0].startswith("Doctor waiting 2: nobody.")
    (asked,) = await clerk.text(f"PAUSE DOC {zeros}7777777 {PIN}")
    await clerk.text("OK " + asked.split("OK ")[1][:2])
    minutes = await world.pool.fetchval(
        "select extract(epoch from paused_until - now()) / 60 from queues where id = $1", world.queue_ids["A"]
    )
    assert 470 < minutes <= 480


@pytest.mark.parametrize("line", ["CASH", "\u12a0\u121b\u122d\u129b\u12a0\u121b\u122d\u129b", "CASH7777777"])
async def test_a_line_that_he_has_not_is_echoed_within_one_message(clerk: Texter, line: str) -> None:
    (told,) = await clerk.text(f"NEXT {line * 4} {PIN}")
    assert told.isascii()
    assert len(told) <= 70


async def test_four_digits_are_no_try_at_a_pin_where_no_codes_are_in_use(clerk: Texter) -> None:
    for _ in range(6):
        (told,) = await clerk.text("LIST DOC 1234")
        assert told.startswith("Wrong or missing PIN.")
        assert "tries left" not in told


async def test_a_code_is_not_used_up_by_a_command_that_is_asked_back(clerk: Texter, world: World) -> None:
    strict(clerk)
    await world.line(1)
    (told,) = await clerk.text(f"LIST DOC {PIN}")
    code = told.split("Code ")[1][:4]
    assert (await clerk.text(f"COLSE DOC {code}"))[0].startswith("Did you mean CLOSE?")
    assert (await clerk.text(f"NEXT DOC {code}"))[0].startswith("NOW A001")


async def test_a_ticket_of_four_digits_is_no_code(clerk: Texter) -> None:
    strict(clerk)
    (told,) = await clerk.text("DONE DOC A1047")
    assert told.startswith("Wrong or missing PIN.")
    assert "tries left" not in told


async def test_a_pin_is_a_pin_also_where_codes_are_in_use(clerk: Texter, world: World) -> None:
    strict(clerk)
    await world.line(1)
    await clerk.text(f"LIST DOC {PIN}")
    assert (await clerk.text(f"NEXT {PIN} DOC"))[0].startswith("NOW A001")
