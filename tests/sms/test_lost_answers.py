from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import UUID, uuid4

import pytest

from db.pool import Pool
from sms import delivery
from sms.gateways.africastalking import AfricasTalking
from sms.gateways.console import Console
from sms.sending import Gateway, Report, SendFailed, Sent
from telco_sim.testing import RunningTelco
from tests.sms.conftest import (
    AMINA,
    API_KEY,
    RETRY,
    UNKNOWN,
    Queue,
    Scripted,
    Slow,
    attempts,
    handed_over,
    outbox_of,
    state,
)
from tests.sms.provider import TwilioAccount, asking_twilio
from tests.sms.test_outbox import overdue
from tests.sms.test_outbox_running import until


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sms.delivery.LOOK_PAUSES", (0, *[0.1] * 50))


def named(text: UUID, status: str, name: str = "id-1", reason: str | None = None) -> Report:
    """A report that gives back our own id."""
    return Report(name, status, AMINA, reason, {}, text)


async def told(pool: Pool, *reports: Report) -> None:
    for report in reports:
        await delivery.record(pool, "scripted", report)


@pytest.mark.parametrize("answer", [Sent("id-1"), Sent(None), UNKNOWN, RETRY, SendFailed("invalid_phone", "final")])
@pytest.mark.parametrize("order", list(permutations(("sent", "delivered", "answered"))))
async def test_a_report_with_our_id_finds_its_text_before_and_after_any_answer(
    order: Sequence[str], answer: Sent | SendFailed, pool: Pool, queue: Queue
) -> None:
    text = await queue(phone=AMINA)
    provider = Slow(answer)
    sending = asyncio.create_task(outbox_of(pool, provider).drain())
    await provider.asked.wait()
    for event in order:
        if event == "answered":
            provider.may_answer.set()
            await sending
        else:
            await told(pool, named(text, event), named(text, event))
    await overdue(pool)
    await outbox_of(pool, provider).drain()
    row = await state(pool, text)
    assert (row["status"], row["provider_id"]) == ("delivered", "id-1")
    assert len(provider.ledger) == 1


@pytest.mark.parametrize("outcome", ["queued", "dead", "expired", "suppressed"])
async def test_a_text_that_was_given_up_and_is_reported_all_the_same_is_told_as_it_is(
    outcome: str, pool: Pool, queue: Queue
) -> None:
    text = await queue(phone=AMINA)
    await outbox_of(pool, Scripted(RETRY)).drain()
    await pool.execute("update notifications set status = $1, finished_at = now(), due_at = now()", outcome)
    await told(pool, named(text, "delivered"))
    provider = Scripted()
    await outbox_of(pool, provider).drain()
    assert (await state(pool, text))["status"] == "delivered"
    assert provider.ledger == []


async def test_a_report_with_an_id_of_ours_settles_no_other_text_to_the_same_phone(pool: Pool, queue: Queue) -> None:
    lost, other = await queue(phone=AMINA), await queue(phone=AMINA)
    await outbox_of(pool, Scripted(UNKNOWN, UNKNOWN)).drain()
    await told(pool, named(other, "delivered"), named(uuid4(), "delivered", "id-2"))
    assert [(await state(pool, text))["status"] for text in (lost, other)] == ["unknown", "delivered"]


@pytest.mark.parametrize("gateway", ["another", "scripted"])
async def test_a_report_about_a_text_that_never_went_that_way_changes_nothing(
    gateway: str, pool: Pool, queue: Queue
) -> None:
    text = await queue(phone=AMINA)
    if gateway == "another":
        await outbox_of(pool, Scripted(RETRY)).drain()
    before = await state(pool, text)
    await delivery.record(pool, gateway, named(text, "delivered"))
    assert await state(pool, text) == before


async def test_a_second_name_for_a_text_changes_nothing(pool: Pool, queue: Queue) -> None:
    text = await queue(phone=AMINA)
    await outbox_of(pool, Scripted(Sent("id-1"))).drain()
    await told(pool, named(text, "failed", "id-2"))
    row = await state(pool, text)
    assert (row["status"], row["provider_id"]) == ("sent", "id-1")


@pytest.mark.parametrize(
    ("reports", "end"), [(("expired", "sent"), "expired"), (("delivered", "expired"), "delivered")]
)
async def test_a_text_that_the_provider_dropped_in_time_is_expired(
    reports: tuple[str, ...], end: str, pool: Pool, queue: Queue
) -> None:
    for order in (reports, reports[::-1]):
        text = await queue(phone=AMINA)
        await outbox_of(pool, Scripted(Sent(str(text)))).drain()
        await told(pool, *(named(text, status, str(text)) for status in order))
        row = await state(pool, text)
        assert row["status"] == end
        assert row["finished_at"]


async def test_a_report_settles_the_text_of_a_worker_that_died_before_or_after_it(pool: Pool, queue: Queue) -> None:
    early, late = await queue(phone=AMINA), await queue(phone=AMINA)
    await handed_over(pool)
    await told(pool, named(early, "delivered"))
    await outbox_of(pool, Scripted()).tidy()
    await told(pool, named(late, "delivered", "id-2"))
    assert {(await state(pool, text))["status"] for text in (early, late)} == {"delivered"}


async def test_a_twilio_text_is_dropped_when_it_stops_being_true(pool: Pool, queue: Queue) -> None:
    provider = TwilioAccount()
    async with asking_twilio(provider) as gateway:
        for template, expires in (("turn", "3 minutes"), ("near", "10 minutes"), ("joined", "30 minutes")):
            await queue(template, expires=expires)
        await outbox_of(pool, gateway, in_flight=1).drain()
    for row, longest in zip(provider.ledger, (180, 600, 1800), strict=True):
        assert longest - 60 < int(row["validity"]) <= longest


@pytest.mark.parametrize("ending", ["cut", "hang"])
async def test_a_twilio_text_whose_answer_was_lost_is_looked_up_and_never_sent_again(
    ending: str, pool: Pool, queue: Queue
) -> None:
    provider = TwilioAccount(ending)
    async with asking_twilio(provider) as gateway:
        text = await queue("turn", phone=AMINA)
        outbox = outbox_of(pool, gateway)
        await outbox.drain()
        await until(pool, text, "sent")
        await outbox.drain()
        row = await state(pool, text)
    assert (row["provider_id"], row["error"]) == (f"SM{0:032}", None)
    assert len(provider.ledger) == 1
    assert await attempts(pool, text) == [(1, "unknown", "answer_lost")]


async def test_two_lost_texts_with_the_same_words_are_two(pool: Pool, queue: Queue) -> None:
    provider = TwilioAccount("cut", "cut")
    async with asking_twilio(provider) as gateway:
        texts = [await queue("turn", phone=AMINA) for _ in range(2)]
        await outbox_of(pool, gateway, in_flight=1).drain()
        for text in texts:
            await until(pool, text, "sent")
    assert {(await state(pool, text))["provider_id"] for text in texts} == {f"SM{n:032}" for n in range(2)}


async def test_the_text_of_a_worker_that_died_is_looked_up(pool: Pool, queue: Queue) -> None:
    provider = TwilioAccount("cut")
    async with asking_twilio(provider) as gateway:
        text = await queue("turn", phone=AMINA)
        dying = outbox_of(pool, gateway)
        await dying.drain()
        await pool.execute(
            "update notifications set status = 'sending', provider_id = null, leased_until = now() - '1 s'::interval"
        )
        await pool.execute("delete from notification_attempts")
        await outbox_of(pool, gateway).tidy()
        await until(pool, text, "sent")
    assert len(provider.ledger) == 1


async def test_what_twilio_does_not_know_stays_unknown(pool: Pool, queue: Queue) -> None:
    provider = TwilioAccount()
    async with asking_twilio(provider) as gateway:
        text = await queue("turn", phone=AMINA)
        await outbox_of(pool, Scripted(UNKNOWN, code="twilio")).drain()
        lookups = delivery.Lookups(pool)
        lookups.begin(gateway, text, AMINA, "Come now", datetime.now(UTC))
        while len(provider.requests) < 2:  # noqa: ASYNC110 - a request wakes nobody
            await asyncio.sleep(0.01)
    assert (await state(pool, text))["status"] == "unknown"


class Failing(Scripted):
    """Breaks at the first look-up, and finds the text at the second."""

    async def look_up(self, phone: str, body: str, since: datetime) -> list[Report]:
        self.answers.append(RETRY)
        if len(self.answers) == 1:
            raise RuntimeError("a fault of the gateway's author")
        return [Report("id-1", "delivered", phone)]


async def test_a_look_up_that_breaks_is_made_again(pool: Pool, queue: Queue) -> None:
    text = await queue(phone=AMINA)
    await outbox_of(pool, Failing(UNKNOWN)).drain()
    await until(pool, text, "delivered")


async def test_stopping_stops_looking(pool: Pool, queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sms.delivery.LOOK_PAUSES", (3600,))
    text = await queue(phone=AMINA)
    outbox = outbox_of(pool, Failing(UNKNOWN))
    await outbox.drain()
    stop = asyncio.Event()
    stop.set()
    async with asyncio.timeout(10):
        await outbox.run(stop)
    await asyncio.sleep(0)
    assert not [task for task in asyncio.all_tasks() if "Lookups" in repr(task)]
    assert (await state(pool, text))["status"] == "unknown"


async def test_a_person_who_opted_out_at_twilio_is_left_alone(pool: Pool, queue: Queue) -> None:
    text = await queue(phone=AMINA)
    await outbox_of(pool, Scripted(Sent("id-1"))).drain()
    await told(pool, named(text, "failed", reason="opted_out"))
    turn = await queue("turn", phone=AMINA, expires=str(timedelta(minutes=3)))
    await outbox_of(pool, Scripted()).drain()
    assert (await state(pool, turn))["error"] == "opted_out"


async def test_who_cannot_be_asked_is_asked_once(telco: RunningTelco) -> None:
    gateways: list[Gateway] = [AfricasTalking("sandbox", API_KEY, base_url=telco.url, threads=1), Console()]
    assert [await gateway.look_up(AMINA, "Come now", datetime.now(UTC)) for gateway in gateways] == [None, None]
    for gateway in gateways:
        await gateway.close()


async def test_who_lost_the_lease_during_a_send_changes_nothing(pool: Pool, queue: Queue) -> None:
    text = await queue(phone=AMINA)
    provider = Slow(Sent("id-1"))
    sending = asyncio.create_task(outbox_of(pool, provider).drain())
    await provider.asked.wait()
    await pool.execute("update notifications set lease_token = gen_random_uuid()")
    before = await state(pool, text)
    provider.may_answer.set()
    await sending
    assert await state(pool, text) == before
