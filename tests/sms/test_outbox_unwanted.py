"""What is not sent any more: untrue, unwanted, too late, too much."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from db.pool import Pool
from db.queries import load
from sms.texts import catalogues
from tests.sms.conftest import AMINA, THROUGH, Queue, Scripted, outbox_of, state

SQL = load("outbox")
MINUTE = timedelta(minutes=1)


TRUE_WHILE = {
    "joined joined_no_wait moved": {"waiting", "called", "serving", "skipped"},
    "near late_ok paused resumed slower recovered": {"waiting"},
    "turn last_call": {"called"},
    "skipped": {"skipped"},
}
STATUSES = {"waiting", "called", "serving", "skipped", "completed", "no_show", "cancelled", "expired"}
FACTS = {"branch": "B", "code": "4071", "phone": "1", "svc": "D", "tk": "A1", "ctr": "R", "time": "08:30"}
NUMBERS = {"ahead": 1, "min": 5, "n": 5, "min5": 5, "stars": 5}
WORDS = dict.fromkeys(("brand", "guess", "lang", "languages", "lines", "svc2"), "word")


@pytest.mark.parametrize("words", catalogues()["en"].texts)
async def test_a_text_that_stopped_being_true_is_not_sent(words: str, pool: Pool, queue: Queue) -> None:
    texts = {status: await queue(words, status=status, parameters=FACTS | NUMBERS | WORDS) for status in STATUSES}
    provider = Scripted()
    await outbox_of(pool, provider).drain()
    ended = {status: (await state(pool, text))["status"] for status, text in texts.items()}
    true = next((true for names, true in TRUE_WHILE.items() if words in names.split()), STATUSES)
    assert ended == {status: "sent" if status in true else "suppressed" for status in STATUSES}
    assert len(provider.ledger) == len(true)


async def test_a_ticket_that_ends_between_claim_and_hand_over_is_not_called(pool: Pool, queue: Queue) -> None:
    text = await queue("turn")
    token = uuid4()
    await pool.execute(SQL.claim, 10, token, MINUTE, *THROUGH)
    await pool.execute(
        "update tickets set status = 'cancelled', action = 'leave', version = version + 1, ended_at = now()"
    )
    rows = await pool.fetch(SQL.hand_over, token, "scripted", MINUTE, ())
    assert [row["status"] for row in rows] == ["suppressed"]
    row = await state(pool, text)
    assert (row["error"], row["attempts"], row["attempted_at"]) == ("no_longer_true", 0, None)
    assert row["finished_at"]


LAST_WORDS = ("data_gone", "stop", "stop_no_ticket", "start")


@pytest.mark.parametrize("last_word", LAST_WORDS)
async def test_who_opted_out_gets_only_the_answer_to_his_own_words(last_word: str, pool: Pool, queue: Queue) -> None:
    await pool.execute("insert into customers (phone, opted_out_at) values ($1, now())", AMINA)
    turn, gone = (
        await queue("turn", phone=AMINA),
        await queue(last_word, phone=AMINA, ticket_id=None, parameters=FACTS | WORDS),
    )
    provider = Scripted()
    await outbox_of(pool, provider).drain()
    assert ((await state(pool, turn))["status"], (await state(pool, turn))["error"]) == (
        "suppressed",
        "opted_out",
    )
    assert (await state(pool, gone))["status"] == "sent"
    assert len(provider.ledger) == 1


async def test_a_staff_member_who_opted_out_as_a_customer_still_works_by_text(pool: Pool, queue: Queue) -> None:
    await pool.execute("insert into customers (phone, opted_out_at) values ($1, now())", AMINA)
    text = await queue("staff_blocked", phone=AMINA, ticket_id=None)
    await outbox_of(pool, Scripted()).drain()
    assert (await state(pool, text))["status"] == "sent"


async def test_a_text_whose_phone_was_erased_is_suppressed(pool: Pool, queue: Queue) -> None:
    text = await queue(phone=None)
    await outbox_of(pool, Scripted()).drain()
    assert (await state(pool, text))["error"] == "no_phone"


async def test_a_late_text_expires(pool: Pool, queue: Queue) -> None:
    text = await queue("turn", expires="-1 second")
    provider = Scripted()
    await outbox_of(pool, provider).drain()
    row = await state(pool, text)
    assert (row["status"], row["error"]) == ("expired", "too_late")
    assert row["finished_at"]
    assert provider.ledger == []


async def test_a_text_that_becomes_late_after_the_claim_expires(pool: Pool, queue: Queue) -> None:
    text = await queue("turn", expires="-1 second")
    token = uuid4()
    await pool.execute(SQL.claim, 10, token, MINUTE, *THROUGH)
    await pool.execute(SQL.hand_over, token, "scripted", MINUTE, ())
    assert (await state(pool, text))["status"] == "expired"


async def test_nobody_gets_more_than_twelve_texts_a_day_but_the_calls(pool: Pool, queue: Queue) -> None:
    for _ in range(12):
        await queue("joined", phone=AMINA)
    provider = Scripted()
    await outbox_of(pool, provider).drain()
    facts = FACTS | NUMBERS | WORDS
    more = [
        await queue(template, phone=AMINA, parameters=facts)
        for template in ("near", "late_ok", "turn", "last_call", "stop")
    ]
    await outbox_of(pool, provider).drain()
    states = [(await state(pool, row))["status"] for row in more]
    assert states == ["suppressed", "suppressed", "sent", "sent", "sent"]
    assert len(provider.ledger) == 15


async def test_twelve_a_day_is_also_the_most_that_waited_together(pool: Pool, queue: Queue) -> None:
    texts = [await queue("joined", phone=AMINA) for _ in range(20)]
    turn = await queue("turn", phone=AMINA)
    provider = Scripted()
    await outbox_of(pool, provider).drain()
    ended = Counter([(await state(pool, text))["error"] for text in texts])
    assert ended == {None: 12, "enough_today": 8}
    assert (await state(pool, turn))["status"] == "sent"


async def test_a_range_of_phones_cannot_be_pumped_full_of_texts(pool: Pool, queue: Queue) -> None:
    texts = [await queue("joined", phone=f"+254711000{number:03}") for number in range(120)]
    turn = await queue("turn", phone="+254711000999")
    elsewhere = await queue("joined", phone="+254711001000")
    provider = Scripted()
    await outbox_of(pool, provider).drain()
    ended = [await state(pool, text) for text in texts]
    assert Counter((row["status"], row["error"]) for row in ended) == {
        ("sent", None): 99,  # and the one who is called
        ("failed", "phones_alike"): 21,
    }
    assert (await state(pool, turn))["status"] == (await state(pool, elsewhere))["status"] == "sent"
    first = next(row["phone"] for row in ended if row["status"] == "sent")
    assert (await state(pool, await told(pool, queue, first)))["status"] == "sent"


async def told(pool: Pool, queue: Queue, phone: str) -> UUID:
    text = await queue("late_ok", phone=phone, parameters=FACTS | NUMBERS | WORDS)
    await outbox_of(pool, Scripted()).drain()
    return text


async def test_only_countries_that_were_named_get_texts(pool: Pool, queue: Queue) -> None:
    here, abroad = await queue("turn", phone=AMINA), await queue("turn", phone="+8825123456789")
    provider = Scripted()
    await outbox_of(pool, provider, only_to=["+254", "+2557"]).drain()
    row = await state(pool, abroad)
    assert (row["status"], row["error"], row["attempts"]) == ("failed", "not_there", 0)
    assert (await state(pool, here))["status"] == "sent"
    assert len(provider.ledger) == 1
