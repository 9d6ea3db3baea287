"""A clerk with a simple phone and no computer runs the counter by text."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from tests.texting.conftest import CLERK, OTHER_CLERK, PIN, Texter, Texters, enrol, strict
from tests.world import World


async def test_the_day_of_a_clerk(clerk: Texter, world: World) -> None:
    await world.join(1, name="Amina")
    await world.line(2, 3)
    assert await clerk.text(f"NEXT A {PIN}") == [
        "NOW A001 Amina ...0001 to Room 1. Waiting 2. Doctor: RECALL, NOSHOW, DONE or NEXT"
    ]
    assert await clerk.text(f"RECALL A {PIN}") == ["Doctor: A001 Amina ...0001 was called again. Waiting 2."]
    assert await clerk.text(f"skip doc {PIN}") == ["Doctor: A001 passed, may come back. NOW A002 ...0002. Waiting 1."]
    assert await clerk.text(f"Done doc {PIN}") == ["Doctor: A002 done in 1 min. Served 1. Waiting 1. Send NEXT."]
    assert await clerk.text(f"LIST DOC {PIN}") == ["Doctor waiting 1: 1 A003."]
    assert await clerk.text(f"COUNT DOC {PIN}") == [
        "Doctor: waiting 1, at counters 0, served 1, average - min. Now A002."
    ]
    (told,) = await clerk.text(f"N A {PIN}")
    assert told.startswith("NOW A003")
    assert (await clerk.text(f"NOSHOW DOC {PIN}"))[0].startswith("Doctor: A003 marked not here. No one is at Room 1.")
    assert (await clerk.text(f"NEXT DOC {PIN}"))[0].startswith("Doctor: no one is waiting.")
    assert await world.pool.fetchval("select count(*) from audit_log where actor = 'staff' and channel = 'sms'") >= 6


async def test_a_pause_and_a_close_wait_for_two_digits(clerk: Texter, world: World) -> None:
    await world.line(1, 2)
    (asked,) = await clerk.text(f"PAUSE DOC 30 {PIN}")
    assert asked.startswith("Doctor: stop new joins and tell 2 people? Reply OK ")
    assert await world.pool.fetchval("select status from queues where id = $1", world.queue_ids["A"]) == "open"
    digits = asked.split("OK ")[1][:2]
    paused, notice = await clerk.text(f"OK {digits}")
    assert paused.startswith("Doctor: PAUSED at ")
    assert "2 people were told" in paused
    assert notice == "Afya Bora: staff SMS from your number did: PAUSE Doctor. Not you? Reply NO or call 0700123456."
    assert (await clerk.text(f"OK {digits}"))[0].startswith("Not understood"), "once"
    assert (await clerk.text(f"open doc {PIN}"))[0].startswith("Doctor: OPEN at ")
    (asked, *_) = await clerk.text(f"CLOSE DOC {PIN}")
    wrong = f"{99 - int(asked.split('OK ')[1][:2]):02}"
    assert (await clerk.text(f"OK {wrong}"))[0].startswith("Not understood")
    (asked, *_) = await clerk.text(f"CLOSE DOC {PIN}")
    (closed, *_) = await clerk.text("OK " + asked.split("OK ")[1][:2])
    assert closed.startswith("Doctor: CLOSED at ")
    assert await world.order() == []


async def test_a_second_next_completes_whom_the_first_asked_about(clerk: Texter, world: World) -> None:
    await world.line(1, 2)
    await clerk.text(f"NEXT DOC {PIN}")
    assert (await clerk.text(f"NEXT DOC {PIN}"))[0].startswith("Doctor: A001 was already called at ")
    await world.later(1)
    (asked,) = await clerk.text(f"NEXT DOC {PIN}")
    assert asked.startswith("Doctor: A001 was called to Room 1 and not started.")
    assert (await clerk.text(f"NEXT DOC {PIN}"))[0].startswith("NOW A002")
    assert await world.pool.fetchval("select status from tickets where number = 1") == "completed"


async def test_a_call_is_taken_back_within_a_minute(clerk: Texter, world: World) -> None:
    await world.line(1, 2)
    await clerk.text(f"NEXT DOC {PIN}")
    assert await clerk.text("UNDO DOC") == ["Doctor: taken back. A001 is number 1 in line again. Waiting 2."]
    assert await world.order() == ["A001", "A002"]
    await clerk.text(f"NEXT DOC {PIN}")
    await world.later(2)
    assert (await clerk.text("UNDO DOC"))[0].startswith("Doctor: too late to take back. Now A001")


@pytest.mark.parametrize("text", ["NEXT DOC", "NEXT DOC 111222", "NEXT", "CLOSE DOC 000000", "LIST A"])
async def test_without_the_pin_nothing_is_done(clerk: Texter, world: World, text: str) -> None:
    await world.line(1)
    (told,) = await clerk.text(text)
    assert told.startswith("Wrong or missing PIN. Nothing was changed.")
    assert await world.order() == ["A001"]


async def test_five_wrong_pins_lock_the_phone_and_the_right_one_is_not_looked_at(clerk: Texter, world: World) -> None:
    await world.line(1)
    answers = [(await clerk.text(f"NEXT DOC 11122{n}"))[0] for n in range(6)]
    assert [("tries left" in told, "is locked for" in told) for told in answers] == [(True, False)] * 4 + [
        (False, True)
    ] * 2
    assert "locked" in (await clerk.text(f"NEXT DOC {PIN}"))[0]
    assert await world.order() == ["A001"]


async def test_who_is_no_staff_is_answered_as_a_customer(texters: Texters, world: World) -> None:
    await world.line(1)
    (told,) = await texters(2).text(f"NEXT DOC {PIN}")
    assert told.startswith("Sorry, we did not understand.")
    assert await world.order() == ["A001"]


@pytest.mark.parametrize("verb", ["NEXT", "SKIP", "DONE", "NOSHOW", "CLOSE"])
@pytest.mark.parametrize("age", [121, 1200, None])
async def test_a_command_that_came_late_is_not_done(clerk: Texter, world: World, verb: str, age: int | None) -> None:
    await world.line(1, 2)
    await world.called()
    sent = None if age is None else datetime.now(UTC) - timedelta(seconds=age)
    before = await world.pool.fetch("select * from tickets order by number")
    assert (
        "came late, so we did not do it. Doctor: now A001" in (await clerk.text(f"{verb} DOC {PIN}", sent_at=sent))[0]
    )
    assert await world.pool.fetch("select * from tickets order by number") == before


async def test_whoever_says_no_stops_the_phone(clerk: Texter, world: World) -> None:
    await world.line(1)
    assert (await clerk.text("NO"))[0].startswith("Staff SMS from this phone is stopped.")
    (told,) = await clerk.text(f"NEXT DOC {PIN}")
    assert told.startswith("Sorry, we did not understand.")
    assert await world.order() == ["A001"]


async def test_the_first_command_of_a_day_is_told_to_the_owner(clerk: Texter, world: World) -> None:
    await world.pool.execute("update staff_phones set used_on = used_on - 1")
    assert len(await clerk.text(f"LIST DOC {PIN}")) == 2
    assert len(await clerk.text(f"LIST DOC {PIN}")) == 1


async def test_a_line_of_another_branch_does_not_exist(clerk: Texter) -> None:
    assert await clerk.text(f"NEXT CASH {PIN}") == ["You cannot use CASH. Nothing was changed. Ask your manager."]


async def test_who_has_several_lines_is_asked_which(texters: Texters) -> None:
    admin = await enrol(texters(OTHER_CLERK), "admin", None)
    assert (await admin.text(f"LIST {PIN}"))[0].startswith("You have more than one line.")
    assert (await admin.text(f"LIST MOI-CASH {PIN}"))[0].startswith("Cash waiting 0")


async def test_a_ticket_that_is_named_must_be_the_one_at_the_counter(clerk: Texter, world: World) -> None:
    await world.line(1, 2)
    await clerk.text(f"NEXT DOC {PIN}")
    assert (await clerk.text(f"DONE DOC A002 {PIN}"))[0].startswith(
        "Doctor: at Room 1 is now A001. Nothing was changed."
    )
    assert (await clerk.text(f"DONE DOC A1 {PIN}"))[0].startswith("Doctor: A001 done")


async def test_nobody_at_the_counter_is_said(clerk: Texter) -> None:
    for verb in ("DONE", "RECALL", "NOSHOW", "SKIP"):
        assert (await clerk.text(f"{verb} DOC {PIN}"))[0].startswith("Doctor: no one is at Room 1.")


async def test_a_text_delivered_many_times_calls_one_person(clerk: Texter, world: World) -> None:
    await world.line(1, 2, 3)
    message = clerk.message(f"NEXT DOC {PIN}")
    assert len(await clerk.send(message, times=3)) == 1
    await asyncio.gather(*(clerk.inbox.receive(message) for _ in range(3)))
    assert await world.order() == ["A002", "A003"]


async def test_a_mistyped_verb_that_would_hurt_is_asked_back(clerk: Texter, world: World) -> None:
    await world.line(1)
    assert (await clerk.text(f"COLSE DOC {PIN}"))[0].startswith("Did you mean CLOSE?")
    assert (await clerk.text(f"NXET DOC {PIN}"))[0].startswith("NOW A001")


async def test_in_strict_mode_each_answer_brings_the_next_code(texters: Texters, world: World) -> None:
    clerk = await enrol(texters(CLERK))
    strict(clerk)
    await world.line(1, 2)
    (told,) = await clerk.text(f"LIST DOC {PIN}")
    code = told.split("Code ")[1][:4]
    (told,) = await clerk.text(f"NEXT DOC {code}")
    assert told.startswith("NOW A001")
    assert (await clerk.text(f"DONE DOC {code}"))[0].startswith("Wrong or missing PIN."), "once"
    assert (await clerk.text("DONE DOC " + told.split("Code ")[1][:4]))[0].startswith("Doctor: A001 done")


async def test_a_customers_words_stay_a_customers_also_on_a_staff_phone(clerk: Texter) -> None:
    assert (await clerk.text("STATUS"))[0].startswith("You are not in any line today.")
