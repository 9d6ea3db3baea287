"""A customer who can only text has everything."""

from __future__ import annotations

import asyncio
from itertools import permutations

import pytest

from tests.texting.conftest import Texter, Texters
from tests.world import World

JOINED = (
    "Kilimani Clinic: your number is A001 for Doctor. 0 ahead, you are next. We will SMS you."
    " Reply STATUS, LATE 10 or LEAVE."
)


async def test_join_ask_be_late_and_leave(amina: Texter, texters: Texters, world: World) -> None:
    assert await amina.text("JOIN 4071 A Amina") == [JOINED]
    ticket = await world.ticket(1)
    assert ticket
    assert (ticket.name, ticket.label) == ("Amina", "A001")
    assert await texters(2).text("join 4O71 doctor") != []
    (status,) = await amina.text("status")
    assert status.startswith("Kilimani Clinic: A001 for Doctor. At ")
    (late,) = await amina.text("LATE 5")
    assert late.startswith("Kilimani Clinic: OK, 5 min more. A001 keeps its number. Now 1 ahead")
    (asked,) = await amina.text("LEAVE")
    assert (
        asked
        == "Kilimani Clinic: give up A001? You cannot get it back. Reply LEAVE A001 to leave. To stay, do nothing."
    )
    assert await amina.text("LEAVE") == [
        "Kilimani Clinic: you left the line. A001 is closed. To join again reply JOIN 4071."
    ]
    assert await world.order() == ["A002"]


@pytest.mark.parametrize("text", ["LEAVE A001", "leave a1", "Leave A OO1"])
async def test_who_names_his_ticket_leaves_at_once(amina: Texter, world: World, text: str) -> None:
    await world.line(1)
    assert "you left the line" in (await amina.text(text))[0]


@pytest.mark.parametrize("text", ["LEAVE", "LEAVE A002", "LEAEV A001", "leave please", "toka"])
async def test_nobody_leaves_by_a_slip(amina: Texter, world: World, text: str) -> None:
    await world.line(1)
    assert "give up A001?" in (await amina.text(text))[0]
    assert await world.ticket(1)


async def test_a_place_with_several_lines_asks_which(amina: Texter) -> None:
    (asked,) = await amina.text("JOIN 4071")
    assert asked == ("Kilimani Clinic: which line? Reply JOIN 4071 and its letter: A Doctor, P Pharmacy, L Laboratory.")
    assert "for Pharmacy" in (await amina.text("J 4071 pharm"))[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("JOIN 9999", "Code 9999 was not found."),
        ("JOIN somewhere", "Code SOMEWHER was not found."),
        ("JOIN", "You are not in any line today."),
        ("STATUS", "You are not in any line today."),
        ("LATE 10", "You are not in any line today."),
        ("LEAVE", "You are not in any line today."),
        ("HELP", "Zamu: reply JOIN and the 4-digit code"),
        ("late10", "You are not in any line today."),
        ("LAET 10", "Did you mean LATE 10? Nothing was changed."),
        ("SOTP", "Did you mean STOP? Nothing was changed."),
        ("good morning", "Sorry, we did not understand."),
        ("7", "Sorry, we did not understand."),
        ("LANG", "Choose a language: LANG EN English, LANG SW Kiswahili."),
    ],
)
async def test_every_text_has_an_answer(amina: Texter, text: str, said: str) -> None:
    (told,) = await amina.text(text)
    assert told.startswith(said)


async def test_a_second_join_shows_the_first_ticket(amina: Texter, world: World) -> None:
    await world.line(1)
    (told,) = await amina.text("JOIN 5084 C")
    assert told == "You already have A001 at Kilimani Clinic, 0 ahead. To change line, first reply LEAVE A001."


async def test_a_line_that_takes_nobody_says_why(amina: Texter, world: World) -> None:
    await world.pause("A")
    assert (await amina.text("JOIN 4071 A"))[0].startswith("Kilimani Clinic: Doctor is on a break")
    await world.pool.execute("update queues set daily_limit = 1, status = 'open' where id = $1", world.queue_ids["P"])
    await world.pool.execute(
        "insert into queue_days select id, today(branch_id), 1 from queues where id = $1", world.queue_ids["P"]
    )
    assert "Pharmacy is full for today. You are not in line. Try Laboratory." in (await amina.text("JOIN 4071 P"))[0]
    await world.pool.execute("update queues set status = 'closed'")
    assert (await amina.text("JOIN 4071"))[0].startswith("Kilimani Clinic is closed now.")
    assert await world.ticket(1) is None


async def test_who_was_passed_comes_back_by_text(amina: Texter, world: World) -> None:
    await world.line(1, 2)
    await world.do("skip", await world.called())
    (told,) = await amina.text("STATUS")
    assert "we called A001 and you were not there. Reply BACK in 15 min" in told
    (told,) = await amina.text("back")
    assert "A001 for Doctor" in told
    assert await world.order() == ["A002", "A001"]


async def test_who_is_called_and_says_so_stops_the_clock(amina: Texter, world: World) -> None:
    await world.line(1)
    await world.call()
    assert (await amina.text("HERE"))[0].startswith("Kilimani Clinic: A001, it is your turn. Go to Room 1 now.")
    ticket = await world.ticket(1)
    assert ticket
    assert ticket.coming


async def test_a_visit_is_rated_once_with_a_bare_digit(amina: Texter, world: World) -> None:
    await world.line(1)
    await world.serve()
    assert await amina.text("4") == ["Kilimani Clinic: thank you. You gave 4 of 5."]
    assert "no visit of yours to rate now" in (await amina.text("5"))[0]


async def test_the_language_of_the_texts_is_chosen_by_text(amina: Texter, world: World) -> None:
    await world.line(1)
    assert await amina.text("LANG SW") == ["Zamu: tutakuandikia kwa Kiswahili. Kubadilisha jibu LUGHA."]
    assert "kwa Doctor" in (await amina.text("hali"))[0]
    assert await amina.text("lang english") == ["Zamu: we will write to you in English. To change reply LANG."]


async def test_stop_ends_the_texts_and_never_the_ticket(amina: Texter, world: World) -> None:
    await world.line(1)
    assert await amina.text("Please stop!") == [
        (
            "You will get no more SMS from Zamu. You keep A001: dial *384*40# to see your turn."
            " To get SMS again reply START."
        )
    ]
    assert await world.order() == ["A001"]
    assert await amina.text("STOP") == []
    assert await amina.text("anza") != []
    assert not await world.pool.fetchval("select bool_or(opted_out_at is not null) from customers")


async def test_what_means_leave_and_stop_is_asked_of_who_has_a_ticket(amina: Texter, world: World) -> None:
    assert await amina.text("ondoka") == ["You will get no more SMS from Zamu. To get SMS again reply START."]
    await amina.text("start")
    await world.line(1)
    assert (await amina.text("ondoka"))[0].endswith("To stay, do nothing. STOP ends all SMS.")
    assert not await world.pool.fetchval("select bool_or(opted_out_at is not null) from customers")


@pytest.mark.parametrize(("word", "opted_out"), [("stop", 1), ("start", 0), ("help", 0)])
async def test_what_the_provider_answered_is_noted_and_not_answered_again(
    amina: Texter, world: World, word: str, opted_out: int
) -> None:
    assert await amina.text(word.upper(), opt_out=word) == []
    assert await world.pool.fetchval("select count(opted_out_at) from customers") == opted_out


async def test_a_sender_that_is_no_phone_is_kept_and_not_answered(amina: Texter, world: World) -> None:
    assert await amina.text("JOIN 4071", phone=None) == []
    assert await world.pool.fetchval("select outcome from inbound_messages") == "no_phone"


async def test_a_text_delivered_many_times_is_answered_once(amina: Texter, world: World) -> None:
    message = amina.message("JOIN 4071 A")
    assert await amina.send(message, times=3) == [JOINED]
    await asyncio.gather(*(amina.inbox.receive(message) for _ in range(5)))
    assert await amina.told() == [JOINED]
    assert await world.order() == ["A001"]


async def test_the_same_text_sent_twice_is_two_texts(amina: Texter) -> None:
    assert await amina.text("STATUS") == await amina.text("STATUS") != []


async def test_six_texts_in_any_order_end_with_one_ticket_or_none(texters: Texters, world: World) -> None:
    """LEAVE before JOIN leaves nothing; no order makes a ghost."""
    script = ["JOIN 4071 A", "STATUS", "LATE 5", "LEAVE A001"]
    for person, order in enumerate(permutations(script), 1):
        somebody = texters(person)
        for text in order:
            label = await world.pool.fetchval("select number from tickets where phone = $1", somebody.number)
            assert await somebody.text(text.replace("A001", f"A{label or 999}")) != []
        count = await world.pool.fetchval("select count(*) from tickets where phone = $1", somebody.number)
        assert count == 1


async def test_what_nobody_understands_is_answered_twice_an_hour(amina: Texter) -> None:
    assert [len(await amina.text("blah")) for _ in range(4)] == [1, 1, 0, 0]


async def test_a_phone_that_texts_too_much_is_told_once(amina: Texter, world: World) -> None:
    answers = [await amina.text("STATUS") for _ in range(8)]
    assert [len(told) for told in answers] == [1, 1, 1, 1, 1, 1, 0, 0]
    assert answers[5][0].startswith("Too many messages from this phone. Please wait 10 minutes.")
    assert len(await amina.text("STOP")) == 1, "stop is always heard"
    await world.pool.execute("update inbound_messages set received_at = received_at - interval '11 minutes'")
    assert len(await amina.text("STATUS")) == 1


async def test_nobody_tries_out_codes(amina: Texter, world: World) -> None:
    for _ in range(10):
        await amina.text("JOIN 9999")
        await world.pool.execute("update inbound_messages set received_at = received_at - interval '4 minutes'")
    assert (await amina.text("JOIN 4071 A"))[0].startswith("Too many messages")


async def test_two_texts_of_one_phone_at_once_make_one_ticket(amina: Texter, world: World) -> None:
    await asyncio.gather(*(amina.inbox.receive(amina.message("JOIN 4071 A")) for _ in range(4)))
    assert await world.order() == ["A001"]


async def test_who_wants_to_be_forgotten_is_asked_and_then_is(amina: Texter, world: World) -> None:
    await world.line(1, 2)
    (asked,) = await amina.text("forget")
    assert asked == (
        "Delete your number and visits, and leave any line? Nobody can undo it. Reply FORGET ME to delete."
        " To keep them, do nothing."
    )
    assert await world.order() == ["A001", "A002"]
    await amina.send(amina.message("Forget me!"), times=3)
    (gone,) = await amina.told()
    assert gone.startswith("Your number and visits are being deleted as you asked, and you are in no line now.")
    assert await world.order() == ["A002"]
    kept = await world.pool.fetch("select phone, text from inbound_messages")
    assert [tuple(row) for row in kept] == [(None, "")] * 2
    assert await world.pool.fetchval("select count(*) from tickets where phone = $1", amina.number) == 0
    assert await world.pool.fetchval("select count(*) from erased_phones") == 1


@pytest.mark.parametrize("text", ["FORGT ME", "forget it", "FORGET ME NOT", "forgetme", "sahau", "nisahua"])
async def test_nobody_is_forgotten_by_a_slip(amina: Texter, world: World, text: str) -> None:
    await world.line(1)
    (told,) = await amina.text(text)
    assert "FORGET ME" in told
    assert await world.ticket(1)
