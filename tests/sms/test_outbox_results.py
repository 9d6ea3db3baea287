"""What the result of an attempt means: again, never again, by another gateway, or nobody knows."""

from __future__ import annotations

import logging

import pytest

from db.pool import Pool
from sms.gateways.africastalking import AfricasTalking
from sms.sending import SendFailed
from telco_sim.testing import RunningTelco
from tests.sms.conftest import FINAL, REFUSED, RETRY, UNKNOWN, Queue, Scripted, attempts, outbox_of, state


async def overdue(pool: Pool) -> None:
    """The pauses between attempts are over."""
    await pool.execute("update notifications set due_at = now() where status = 'queued'")


async def test_three_attempts_are_made_with_growing_pauses_and_then_the_text_is_dead(pool: Pool, queue: Queue) -> None:
    text = await queue()
    provider = Scripted(RETRY, RETRY, RETRY, RETRY)
    pauses = []
    for _ in range(4):
        await outbox_of(pool, provider).drain()
        pauses.append(
            await pool.fetchval(
                "select extract(epoch from n.due_at - a.at)::float from notifications n"
                " join notification_attempts a on a.notification_id = n.id and a.attempt = n.attempts"
            )
        )
        await overdue(pool)
    assert 1.5 < pauses[0] < 2.5
    assert 7.9 < pauses[1] < 12.1
    assert len(provider.ledger) == 3
    row = await state(pool, text)
    assert (row["status"], row["attempts"], row["error"]) == ("dead", 3, "provider_error")
    assert row["finished_at"]
    assert await attempts(pool, text) == [(n, "retry", "provider_error") for n in (1, 2, 3)]


async def test_a_text_is_sent_by_the_last_of_its_three_attempts(pool: Pool, queue: Queue) -> None:
    text = await queue()
    provider = Scripted(RETRY, RETRY)
    for _ in range(3):
        await outbox_of(pool, provider).drain()
        await overdue(pool)
    assert (await state(pool, text))["status"] == "sent"
    assert (await state(pool, text))["error"] is None


@pytest.mark.parametrize(("failure", "status"), [(FINAL, "failed"), (UNKNOWN, "unknown")])
async def test_what_is_final_or_unknown_is_never_tried_again(
    failure: SendFailed, status: str, pool: Pool, queue: Queue
) -> None:
    text = await queue()
    provider = Scripted(failure)
    for _ in range(2):
        await outbox_of(pool, provider).drain()
        await overdue(pool)
    row = await state(pool, text)
    assert (row["status"], row["error"]) == (status, failure.code)
    assert len(provider.ledger) == 1
    assert await attempts(pool, text) == [(1, status, failure.code)]


async def test_who_opted_out_at_the_provider_is_left_alone_from_then_on(
    pool: Pool, queue: Queue, telco: RunningTelco, gateway: AfricasTalking
) -> None:
    blacklisted = "+254799000406"
    first = await queue("joined", phone=blacklisted)
    outbox = outbox_of(pool, gateway)
    await outbox.drain()
    second = await queue("near", phone=blacklisted)
    await outbox.drain()
    assert (await state(pool, first))["status"] == "failed"
    assert (await state(pool, second))["error"] == "opted_out"
    assert len(telco.ledger.of("sms.request")) == 1
    assert await pool.fetchval("select opted_out_at is not null from customers where phone = $1", blacklisted)


async def test_a_refused_account_stops_the_gateway_and_calls_a_human_once(
    pool: Pool, queue: Queue, caplog: pytest.LogCaptureFixture
) -> None:
    texts = [await queue() for _ in range(5)]
    provider = Scripted(*[REFUSED] * 5)
    outbox = outbox_of(pool, provider, in_flight=2)
    await outbox.drain()
    assert len(provider.ledger) == 2
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1
    assert "Check the key." in errors[0]
    for text in texts:
        row = await state(pool, text)
        assert (row["status"], row["attempts"]) == ("queued", 0)
        assert await attempts(pool, text) == []


async def test_a_text_waits_for_a_stopped_gateway_until_its_deadline_and_no_longer(
    pool: Pool, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting, late = await queue(), await queue()
    provider = Scripted(REFUSED, REFUSED)
    outbox = outbox_of(pool, provider)
    await outbox.drain()
    await pool.execute("update notifications set expires_at = now() where id = $1", late)
    await outbox.drain()
    assert (await state(pool, late))["status"] == "expired"
    assert (await state(pool, waiting))["status"] == "queued"
    monkeypatch.setattr("sms.failover.monotonic", lambda: 1e9)
    await outbox.drain()
    assert (await state(pool, waiting))["status"] == "sent"


async def test_while_one_gateway_is_stopped_the_next_sends(pool: Pool, queue: Queue) -> None:
    texts = [await queue() for _ in range(3)]
    first, second = Scripted(*[REFUSED] * 3, code="first"), Scripted(code="second")
    await outbox_of(pool, first, second).drain()
    assert {(await state(pool, text))["gateway"] for text in texts} == {"second"}
    assert len(second.ledger) == 3


async def test_the_second_attempt_is_made_by_the_next_gateway(pool: Pool, queue: Queue) -> None:
    text = await queue()
    first, second = Scripted(RETRY, code="first"), Scripted(code="second")
    for _ in range(2):
        await outbox_of(pool, first, second).drain()
        await overdue(pool)
    assert (len(first.ledger), len(second.ledger)) == (1, 1)
    assert (await state(pool, text))["gateway"] == "second"


async def test_an_unknown_text_does_not_change_gateways(pool: Pool, queue: Queue) -> None:
    await queue()
    first, second = Scripted(UNKNOWN, code="first"), Scripted(code="second")
    for _ in range(2):
        await outbox_of(pool, first, second).drain()
        await overdue(pool)
    assert second.ledger == []


async def test_a_text_that_cannot_be_written_fails_and_holds_up_nobody(pool: Pool, queue: Queue) -> None:
    poison, other = await queue("nonsense"), await queue("joined")
    await outbox_of(pool, Scripted()).drain()
    row = await state(pool, poison)
    assert (row["status"], row["error"], row["body"]) == ("failed", "cannot_be_written", None)
    assert (await state(pool, other))["status"] == "sent"
