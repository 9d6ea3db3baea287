"""Texts whose handling failed or died: done once, answered with the truth, and in nobody's way."""

from __future__ import annotations

import asyncpg
import pytest

from queue_core import customers
from sms.inbound import Inbound
from tests.texting.conftest import CLERK, PIN, Texter, Texters, enrol
from tests.world import KEY, World

LAPSE = "update inbound_messages set leased_until = now() - interval '1 second' where handled_at is null"


@pytest.fixture
async def clerk(texters: Texters) -> Texter:
    return await enrol(texters(CLERK))


async def refuse(world: World, table: str, rule: str) -> None:
    """From now on the database takes no row there that breaks the rule."""
    await world.pool.execute(f"alter table {table} add constraint refused check ({rule}) not valid")


async def fail(texter: Texter, text: str, table: str, rule: str) -> Inbound:
    """A text whose handling fails, since the database takes no such row for the moment; gives the text."""
    message = texter.message(text)
    await refuse(texter.world, table, rule)
    with pytest.raises(asyncpg.CheckViolationError):
        await texter.inbox.receive(message)
    await texter.world.pool.execute(f"alter table {table} drop constraint refused")
    return message


async def take_over(texter: Texter) -> list[str]:
    """What is told once another process has found the text."""
    before = len(await texter.told())
    await texter.world.pool.execute(LAPSE)
    await texter.inbox.tidy()
    return (await texter.told())[before:]


NO_ANSWER = ("notifications", "template not like 'status%' and template not like 'staff%' and template <> 'stop'")


async def test_a_text_that_failed_is_taken_at_once_when_the_provider_repeats_it(amina: Texter, world: World) -> None:
    await world.line(1)
    message = await fail(amina, "STATUS", *NO_ANSWER)
    (told,) = await amina.send(message)
    assert "A001 for Doctor" in told
    assert await world.pool.fetchval("select attempts from inbound_messages") == 2


async def test_a_command_with_a_pin_is_left_to_the_provider_for_a_while(clerk: Texter, world: World) -> None:
    before = await clerk.told()
    await fail(clerk, f"LIST DOC {PIN}", *NO_ANSWER)
    await clerk.inbox.tidy()
    assert await clerk.told() == before
    await world.later(1)
    await clerk.inbox.tidy()
    assert len(await clerk.told()) == len(before) + 1


async def test_what_can_be_done_twice_is_done_again_and_answered(amina: Texter, world: World) -> None:
    await world.line(1, 2)
    await world.do("skip", await world.called())
    await fail(amina, "BACK", *NO_ANSWER)
    (told,) = await take_over(amina)
    assert "A001 for Doctor" in told
    assert await world.order() == ["A002", "A001"]


@pytest.mark.parametrize("text", ["LEAVE A001", "LATE 5"])
async def test_what_its_own_text_tells_is_not_told_again(amina: Texter, world: World, text: str) -> None:
    await world.line(1, 2)
    await amina.text(text)
    await world.pool.execute("update inbound_messages set handled_at = null")
    history = await world.pool.fetchval("select count(*) from audit_log")
    assert await take_over(amina) == []
    assert await world.pool.fetchval("select count(*) from audit_log") == history
    assert await world.pool.fetchval("select outcome from inbound_messages") == "done_before"


async def test_a_rating_that_was_given_is_not_called_a_riddle(amina: Texter, world: World) -> None:
    await world.line(1)
    await world.serve()
    await fail(amina, "4", "notifications", "template <> 'rated'")
    assert await take_over(amina) == []
    assert await world.pool.fetchval("select rating from tickets") == 4


async def test_who_said_stop_hears_of_it_although_the_first_try_died(amina: Texter) -> None:
    await fail(amina, "STOP", "notifications", "template <> 'stop_no_ticket'")
    (told,) = await take_over(amina)
    assert told.startswith("You will get no more SMS")


async def test_a_staff_command_whose_pin_is_gone_is_asked_for_again(clerk: Texter, world: World) -> None:
    await world.line(1)
    await fail(clerk, f"NEXT DOC {PIN}", "tickets", "status <> 'called'")
    (told,) = await take_over(clerk)
    assert told.startswith("Your SMS NEXT was interrupted on our side and not done. Nothing was changed.")
    assert await world.order() == ["A001"]


async def test_a_staff_command_that_the_provider_repeats_has_its_pin(clerk: Texter, world: World) -> None:
    await world.line(1)
    message = await fail(clerk, f"NEXT DOC {PIN}", "tickets", "status <> 'called'")
    (told,) = await clerk.send(message)
    assert told.startswith("NOW A001")


@pytest.mark.parametrize("verb", ["NEXT", "DONE", "SKIP", "NOSHOW"])
async def test_a_staff_command_that_was_done_is_not_said_to_have_failed(clerk: Texter, world: World, verb: str) -> None:
    await world.line(1, 2)
    if verb != "NEXT":
        await world.called()
    await fail(clerk, f"{verb} DOC {PIN}", "notifications", "template not like 'staff%'")
    states = await world.pool.fetch("select status, number from tickets order by number")
    assert await take_over(clerk) == [
        f"Your SMS {verb} was done, but our answer was lost. To see how it stands send COUNT, the line and your PIN."
    ]
    assert await world.pool.fetch("select status, number from tickets order by number") == states


async def test_a_second_next_that_was_done_is_not_said_to_have_failed(clerk: Texter, world: World) -> None:
    await world.line(1, 2, 3)
    await clerk.text(f"NEXT DOC {PIN}")
    await world.later(1)
    assert "not started" in (await clerk.text(f"NEXT DOC {PIN}"))[0]
    message = await fail(clerk, f"NEXT DOC {PIN}", "notifications", "template <> 'staff_next'")
    await world.later(1)
    (told,) = await clerk.send(message)
    assert told.startswith("Your SMS NEXT was done")
    assert await world.order() == ["A003"]


async def test_the_question_that_was_lost_is_no_answer_to_itself(clerk: Texter, world: World) -> None:
    await world.line(1, 2)
    await clerk.text(f"NEXT DOC {PIN}")
    await world.later(1)
    message = await fail(clerk, f"NEXT DOC {PIN}", "notifications", "template <> 'staff_outstanding'")
    (told,) = await clerk.send(message)
    assert told.startswith("Doctor: A001 was called to Room 1 and not started.")
    assert await world.order() == ["A002"]


async def test_a_text_that_always_fails_is_set_aside_and_holds_up_no_other(
    amina: Texter, texters: Texters, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await refuse(world, "notifications", "template <> 'help'")
    with pytest.raises(asyncpg.CheckViolationError):
        await amina.text("HELP")
    await texters(2).text("STATUS")
    await world.pool.execute("update inbound_messages set handled_at = null where text = 'STATUS'")
    await world.pool.execute("delete from notifications")
    for _ in range(7):
        await world.pool.execute(LAPSE)
        await amina.inbox.tidy()
    rows = await world.pool.fetch("select text, attempts, outcome from inbound_messages order by text")
    assert [tuple(row) for row in rows] == [("HELP", 5, "failed"), ("STATUS", 2, "status_none")]
    assert len(await texters(2).told()) == 1
    assert "failed 5 times and is set aside" in caplog.text


async def test_leave_is_no_answer_to_a_question_about_another_ticket(amina: Texter, world: World) -> None:
    await world.line(1)
    assert "give up A001?" in (await amina.text("LEAVE"))[0]
    await world.leave(1)
    await world.line(1)
    assert "give up A002?" in (await amina.text("LEAVE"))[0]
    assert "you left the line" in (await amina.text("LEAVE"))[0]


async def test_leave_is_no_answer_to_a_question_that_was_put_after_it(amina: Texter, world: World) -> None:
    await world.line(1)
    await fail(amina, "LEAVE", "notifications", "template <> 'leave_ask'")
    assert "give up A001?" in (await amina.text("LEAVE"))[0]
    assert "give up A001?" in (await take_over(amina))[0]
    assert await world.order() == ["A001"]


async def test_what_is_erased_while_it_is_in_hand_is_not_answered(amina: Texter, world: World) -> None:
    await fail(amina, "HELP", "notifications", "template <> 'help'")
    await customers.erase(world.core, world.customer(), amina.number, KEY)
    assert await take_over(amina) == []
    assert await world.pool.fetchval("select outcome from inbound_messages") == "no_phone"
