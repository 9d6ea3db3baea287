"""From the queue to the phone: who claims a text, who sends it, and what a worker that dies leaves."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from uuid import uuid4

import pytest

from db.pool import Pool
from db.queries import load
from sms.gateways.africastalking import AfricasTalking
from sms.gateways.console import Console
from sms.sending import SendFailed, Sent
from telco_sim.faults import Faults, SmsFault
from telco_sim.testing import RunningTelco
from tests.sms.conftest import AMINA, RETRY, THROUGH, Queue, Scripted, Slow, attempts, handed_over, outbox_of, state

SQL = load("outbox")
MINUTE = timedelta(minutes=1)


async def overdue(pool: Pool) -> None:
    """The pauses between attempts are over."""
    await pool.execute("update notifications set due_at = now() where status = 'queued'")


async def test_a_queued_text_reaches_the_phone_and_the_row_says_how(
    pool: Pool, queue: Queue, telco: RunningTelco, gateway: AfricasTalking
) -> None:
    amina = telco.phone(AMINA)
    turn = await queue("turn", phone=AMINA)
    await outbox_of(pool, gateway).drain()
    text = await amina.wait_for_text("A047 IT IS YOUR TURN")
    row = await state(pool, turn)
    message = telco.ledger.of("sms.message", AMINA)[0]
    assert (row["status"], row["attempts"], row["gateway"]) == ("sent", 1, "africastalking")
    assert (row["provider_id"], row["cost"], row["segments"]) == (message.data["messageId"], "KES 0.8000", 1)
    assert row["body"] == text.text
    assert row["created_at"] < row["attempted_at"] <= row["sent_at"]
    assert await attempts(pool, turn) == [(1, "sent", None)]


async def test_a_text_speaks_the_language_of_its_row(pool: Pool, queue: Queue) -> None:
    await queue("turn", language="sw")
    provider = Scripted()
    await outbox_of(pool, provider).drain()
    assert "NI ZAMU YAKO" in provider.ledger[0][1]


@pytest.mark.parametrize("in_flight", [1, 64])
async def test_the_most_urgent_goes_first_and_then_the_oldest(in_flight: int, pool: Pool, queue: Queue) -> None:
    phones = iter(f"+25471100{number:04}" for number in range(100))
    for template in ("joined", "near", "turn") * 4:
        await queue(template, phone=next(phones))
    await pool.execute("analyze notifications")
    provider = Scripted()
    await outbox_of(pool, provider, in_flight=in_flight).drain()
    words = ["IS YOUR TURN"] * 4 + ["you are near"] * 4 + ["your number is"] * 4
    assert [word in body for word, (_, body) in zip(words, provider.ledger, strict=True)] == [True] * 12
    for first in (0, 4, 8):
        group = [phone for phone, _ in provider.ledger[first : first + 4]]
        assert group == sorted(group)


async def test_a_text_that_is_not_due_waits(pool: Pool, queue: Queue) -> None:
    later = await queue("joined")
    await pool.execute("update notifications set due_at = now() + '1 minute'::interval")
    provider = Scripted()
    await outbox_of(pool, provider).drain()
    assert provider.ledger == []
    assert (await state(pool, later))["status"] == "queued"


async def test_a_worker_that_dies_after_the_claim_leaves_the_text_to_another(pool: Pool, queue: Queue) -> None:
    text = await queue()
    await pool.execute(SQL.claim, 10, uuid4(), -MINUTE, *THROUGH)
    provider = Scripted()
    await outbox_of(pool, provider).drain()
    assert len(provider.ledger) == 1
    assert (await state(pool, text))["status"] == "sent"
    assert await attempts(pool, text) == [(1, "sent", None)]


async def test_a_lease_that_runs_keeps_others_away(pool: Pool, queue: Queue) -> None:
    await queue()
    await pool.execute(SQL.claim, 10, uuid4(), MINUTE, *THROUGH)
    provider = Scripted()
    await outbox_of(pool, provider).drain()
    assert provider.ledger == []


async def test_a_worker_that_dies_in_the_middle_of_a_send_leaves_it_unknown_and_nobody_sends_again(
    pool: Pool, queue: Queue
) -> None:
    text = await queue()
    await handed_over(pool)
    provider = Scripted()
    await outbox_of(pool, provider).drain()
    await overdue(pool)
    await outbox_of(pool, provider).drain()
    assert provider.ledger == []
    assert (await state(pool, text))["status"] == "unknown"
    assert await attempts(pool, text) == [(1, "unknown", "worker_lost")]


async def test_a_worker_that_dies_after_the_claim_of_a_second_attempt_leaves_that_one_to_another(
    pool: Pool, queue: Queue
) -> None:
    text = await queue()
    await outbox_of(pool, Scripted(RETRY)).drain()
    await overdue(pool)
    await pool.execute(SQL.claim, 10, uuid4(), -MINUTE, *THROUGH)
    await outbox_of(pool, Scripted()).drain()
    assert await attempts(pool, text) == [(1, "retry", "provider_error"), (2, "sent", None)]


async def mark(pool: Pool, text: object, token: object, status: str, provider_id: str | None = None) -> None:
    known = (status, "sent", "body", 1, None, None, provider_id, timedelta(), False)
    await pool.execute(SQL.mark, text, token, *known)


async def test_a_worker_that_only_overslept_still_tells_what_became_of_its_text(pool: Pool, queue: Queue) -> None:
    text = await queue()
    token = await handed_over(pool)
    await outbox_of(pool, Scripted()).tidy()
    await mark(pool, text, token, "sent", "id-1")
    assert (await state(pool, text))["status"] == "sent"
    assert await attempts(pool, text) == [(1, "sent", None)]


async def test_a_worker_that_lost_its_lease_to_another_changes_nothing(pool: Pool, queue: Queue) -> None:
    text = await queue()
    stale = uuid4()
    await pool.execute(SQL.claim, 10, stale, -MINUTE, *THROUGH)
    await outbox_of(pool, Scripted(RETRY)).drain()
    before = await state(pool, text)
    assert await pool.fetch(SQL.hand_over, stale, "scripted", MINUTE, ()) == []
    await mark(pool, text, stale, "sent", "id-1")
    assert await state(pool, text) == before
    assert await attempts(pool, text) == [(1, "retry", "provider_error")]


async def test_a_claim_neither_waits_for_another_nor_takes_its_texts(pool: Pool, queue: Queue) -> None:
    texts = {await queue() for _ in range(3)}
    async with pool.acquire() as one, pool.acquire() as two, one.transaction():
        first = await one.fetch(SQL.claim, 2, uuid4(), MINUTE, *THROUGH)
        second = await two.fetch(SQL.claim, 2, uuid4(), MINUTE, *THROUGH)
    assert (len(first), len(second)) == (2, 1)
    assert {row["id"] for row in (*first, *second)} == texts


async def test_two_workers_send_every_text_once(pool: Pool, queue: Queue) -> None:
    for _ in range(40):
        await queue()
    provider = Scripted()
    await asyncio.gather(*(outbox_of(pool, provider, in_flight=7).drain() for _ in range(4)))
    assert len(provider.ledger) == 40
    assert len({phone for phone, _ in provider.ledger}) == 40
    assert await pool.fetchval("select count(*) from notifications where status = 'sent'") == 40


class Broken(Scripted):
    async def send(self, phone: str, body: str, *, reference: str, expires_in: timedelta) -> Sent | SendFailed:
        await super().send(phone, body, reference=reference, expires_in=expires_in)
        raise RuntimeError("a fault of the gateway's author")


async def test_a_gateway_that_breaks_leaves_its_text_unknown(pool: Pool, queue: Queue) -> None:
    text = await queue()
    await outbox_of(pool, Broken()).drain()
    assert (await state(pool, text))["status"] == "unknown"


async def test_a_provider_that_names_two_texts_alike_has_sent_both(pool: Pool, queue: Queue) -> None:
    texts = [await queue(), await queue()]
    await outbox_of(pool, Scripted(Sent("same"), Sent("same"))).drain()
    rows = [await state(pool, text) for text in texts]
    assert [row["status"] for row in rows] == ["sent", "sent"]
    assert {row["provider_id"] for row in rows} == {"same", None}


async def test_no_connection_is_held_while_a_provider_thinks(pool: Pool, queue: Queue) -> None:
    for _ in range(30):
        await queue()
    provider = Slow()
    sending = asyncio.create_task(outbox_of(pool, provider).drain())
    await provider.asked.wait()
    assert pool.get_idle_size() == pool.get_size()
    provider.may_answer.set()
    await sending


async def test_a_gateway_that_never_answers_is_given_up(
    pool: Pool, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sms.outbox.SEND_SECONDS", 0.05)
    text = await queue()
    await outbox_of(pool, Slow()).drain()
    row = await state(pool, text)
    assert (row["status"], row["error"]) == ("unknown", "timeout")


async def test_the_answer_is_kept_when_the_database_drops_every_connection_during_the_send(
    pool: Pool, queue: Queue
) -> None:
    text = await queue()
    provider = Slow()
    sending = asyncio.create_task(outbox_of(pool, provider).drain())
    await provider.asked.wait()
    async with asyncio.timeout(20):
        await _drop_connections(pool)
        provider.may_answer.set()
        await asyncio.gather(sending, return_exceptions=True)
    assert (await state(pool, text))["status"] == "sent"


async def _drop_connections(pool: Pool) -> None:
    await pool.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
    )
    await asyncio.gather(pool.execute("select pg_terminate_backend(pg_backend_pid())"), return_exceptions=True)


async def test_the_console_writes_the_text_but_not_the_whole_number(
    pool: Pool, queue: Queue, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    text = await queue("turn", phone=AMINA)
    await outbox_of(pool, Console()).drain()
    assert (await state(pool, text))["status"] == "sent"
    assert "SMS to +2547*****001: Kilimani Clinic: A047 IT IS YOUR TURN." in caplog.text
    assert AMINA not in caplog.text


async def test_a_flaky_telco_gets_every_text_through(
    pool: Pool, queue: Queue, telco: RunningTelco, gateway: AfricasTalking
) -> None:
    telco.set_faults(Faults(sms=[SmsFault(status=500, count=3), SmsFault(code=501, count=3)]))
    texts = [await queue() for _ in range(6)]
    for _ in range(3):
        await outbox_of(pool, gateway).drain()
        await overdue(pool)
    assert {(await state(pool, text))["status"] for text in texts} == {"sent"}
    assert len([row for row in telco.ledger.of("sms.message") if row.data["delivered"]]) == 6
