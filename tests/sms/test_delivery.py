from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import permutations
from uuid import UUID

import pytest

from db.pool import Pool
from sms import delivery
from sms.gateways.africastalking import AfricasTalking, parse_report
from sms.sending import Report, SendFailed, Sent
from telco_sim.testing import RunningTelco
from tests.sms.conftest import AMINA, SQL, Queue, Scripted, Slow, attempts, handed_over, outbox_of, state

UNKNOWN = SendFailed("answer_lost", "unknown")


def report(status: str, name: str = "id-1", reason: str | None = None, phone: str | None = AMINA) -> Report:
    return Report(name, status, phone, reason, {"status": status})


async def told(pool: Pool, *reports: Report) -> None:
    for each in reports:
        await delivery.record(pool, "scripted", each)


async def kept(pool: Pool, status: str, reason: str | None = None) -> None:
    """A report whose process died before it applied it."""
    await pool.execute(SQL.keep_report, "scripted", "id-1", AMINA, status, reason, {})


async def sent(pool: Pool, queue: Queue, name: str = "id-1") -> UUID:
    text = await queue(phone=AMINA)
    await outbox_of(pool, Scripted(Sent(name))).drain()
    return text


async def happened(pool: Pool, queue: Queue, events: Sequence[str], name: str) -> str:
    """The end of a text whose marking and reports happened in this order."""
    text = await queue()
    provider = Slow(Sent(name))
    sending = asyncio.create_task(outbox_of(pool, provider).drain())
    await provider.asked.wait()
    for event in events:
        if event == "marked":
            provider.may_answer.set()
            await sending
        else:
            await told(pool, report(event, name, phone=None))
    status: str = (await state(pool, text))["status"]
    return status


@pytest.mark.parametrize(
    ("reports", "end"),
    [
        (("sent", "sent", "delivered"), "delivered"),
        (("sent", "failed", "failed"), "failed"),
        (("sent", "failed", "delivered"), "delivered"),
        (("sent", "Teleported", "queued"), "sent"),
        (("delivered", "Teleported", "delivered"), "delivered"),
    ],
)
async def test_in_whatever_order_reports_come_a_text_ends_the_same(
    reports: tuple[str, ...], end: str, pool: Pool, queue: Queue
) -> None:
    for number, order in enumerate(sorted(set(permutations((*reports, "marked"))))):
        assert await happened(pool, queue, order, f"id-{number}") == end, order


async def test_a_text_never_steps_back(pool: Pool, queue: Queue) -> None:
    text = await sent(pool, queue)
    seen = []
    for status in ("sent", "failed", "sent", "delivered", "failed", "sent", "delivered"):
        await told(pool, report(status))
        seen.append((await state(pool, text))["status"])
    assert seen == ["sent", "failed", "failed", *["delivered"] * 4]


async def test_a_report_and_the_mark_at_the_same_moment_lose_nothing(pool: Pool, queue: Queue) -> None:
    texts = [await queue() for _ in range(40)]
    names = [f"id-{number}" for number in range(40)]
    provider = Scripted(*[Sent(name) for name in names])
    await asyncio.gather(
        outbox_of(pool, provider).drain(),
        *(told(pool, report("sent", name), report("delivered", name)) for name in names),
    )
    assert {(await state(pool, text))["status"] for text in texts} == {"delivered"}


async def test_a_report_says_when_it_ended_and_why_it_failed(pool: Pool, queue: Queue) -> None:
    text = await sent(pool, queue)
    assert (await state(pool, text))["finished_at"] is None
    await told(pool, report("failed", reason="DeliveryFailure"))
    row = await state(pool, text)
    assert (row["status"], row["error"]) == ("failed", "DeliveryFailure")
    assert row["finished_at"]
    await told(pool, report("failed", reason="DeliveryFailure"))
    assert await state(pool, text) == row
    await told(pool, report("delivered"))
    assert (await state(pool, text))["error"] is None


async def test_every_report_is_kept_even_of_an_unknown_text_and_in_unknown_words(pool: Pool) -> None:
    await told(pool, report("Teleported", "nobody's", phone=None), report("delivered", "nobody's"))
    rows = await pool.fetch("select gateway, provider_id, phone, status, raw from delivery_reports order by id")
    assert [tuple(row) for row in rows] == [
        ("scripted", "nobody's", None, "Teleported", {"status": "Teleported"}),
        ("scripted", "nobody's", AMINA, "delivered", {"status": "delivered"}),
    ]


async def test_a_report_of_another_gateway_with_the_same_id_changes_nothing(pool: Pool, queue: Queue) -> None:
    text = await sent(pool, queue)
    await delivery.record(pool, "another", report("delivered"))
    assert (await state(pool, text))["status"] == "sent"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_a_report_of_a_blacklisted_person_opts_him_out_in_any_order(
    order: tuple[int, int], pool: Pool, queue: Queue
) -> None:
    await sent(pool, queue)
    reports = (report("failed", reason="opted_out"), report("delivered"))
    await told(pool, *(reports[number] for number in order))
    assert await _opted_out(pool) == [AMINA]


async def test_a_blacklisting_that_is_reported_early_counts_when_the_text_is_marked(pool: Pool, queue: Queue) -> None:
    await told(pool, report("failed", reason="opted_out"))
    assert await _opted_out(pool) == []
    await sent(pool, queue)
    assert await _opted_out(pool) == [AMINA]


async def _opted_out(pool: Pool) -> list[str]:
    rows = await pool.fetch("select phone from customers where opted_out_at is not null")
    return [row["phone"] for row in rows]


async def test_a_text_whose_answer_was_lost_is_settled_by_its_report(pool: Pool, queue: Queue) -> None:
    text = await queue(phone=AMINA)
    await outbox_of(pool, Scripted(UNKNOWN)).drain()
    await told(pool, report("sent"))
    assert (await state(pool, text))["status"] == "sent"
    await told(pool, report("delivered"))
    row = await state(pool, text)
    assert (row["status"], row["provider_id"], row["error"]) == ("delivered", "id-1", None)
    assert row["sent_at"] == row["attempted_at"]
    assert await attempts(pool, text) == [(1, "unknown", "answer_lost")]


async def test_a_report_that_came_before_the_answer_was_given_up_settles_the_text(pool: Pool, queue: Queue) -> None:
    text = await queue(phone=AMINA)
    provider = Slow(UNKNOWN)
    sending = asyncio.create_task(outbox_of(pool, provider).drain())
    await provider.asked.wait()
    await told(pool, report("delivered"))
    assert (await state(pool, text))["status"] == "sending"
    provider.may_answer.set()
    await sending
    assert (await state(pool, text))["status"] == "delivered"


@pytest.mark.parametrize("answer", [Sent("id-1"), UNKNOWN])
async def test_a_report_that_a_process_kept_and_died_is_applied_by_the_next_one(
    answer: Sent | SendFailed, pool: Pool, queue: Queue
) -> None:
    text = await queue(phone=AMINA)
    await outbox_of(pool, Scripted(answer)).drain()
    await kept(pool, "failed", "opted_out")
    await delivery.catch_up(pool)
    assert (await state(pool, text))["status"] == "failed"
    assert await _opted_out(pool) == [AMINA]
    await kept(pool, "sent")
    await delivery.catch_up(pool)
    assert (await state(pool, text))["status"] == "failed"


async def test_a_report_settles_the_text_of_a_worker_that_died(pool: Pool, queue: Queue) -> None:
    text = await queue(phone=AMINA)
    await handed_over(pool)
    await told(pool, report("delivered"))
    await outbox_of(pool, Scripted()).tidy()
    assert (await state(pool, text))["status"] == "delivered"


async def test_a_report_does_not_settle_a_lost_text_while_it_may_belong_to_another(pool: Pool, queue: Queue) -> None:
    lost = await queue(phone=AMINA)
    await outbox_of(pool, Scripted(UNKNOWN)).drain()
    other = await queue(phone=AMINA)
    provider = Slow(Sent("id-1"))
    sending = asyncio.create_task(outbox_of(pool, provider).drain())
    await provider.asked.wait()
    await told(pool, report("delivered"))
    provider.may_answer.set()
    await sending
    assert (await state(pool, lost))["status"] == "unknown"
    assert (await state(pool, other))["status"] == "delivered"


@pytest.mark.parametrize("phone", ["+254711000002", None])
async def test_a_report_to_another_phone_settles_no_lost_text(phone: str | None, pool: Pool, queue: Queue) -> None:
    lost = await queue(phone=AMINA)
    await outbox_of(pool, Scripted(UNKNOWN)).drain()
    await told(pool, report("delivered", phone=phone))
    assert (await state(pool, lost))["status"] == "unknown"


async def test_a_report_from_before_the_send_settles_no_lost_text(pool: Pool, queue: Queue) -> None:
    await told(pool, report("delivered"))
    lost = await queue(phone=AMINA)
    await outbox_of(pool, Scripted(UNKNOWN)).drain()
    assert (await state(pool, lost))["status"] == "unknown"


async def test_two_lost_texts_to_one_phone_are_settled_by_two_reports(pool: Pool, queue: Queue) -> None:
    texts = []
    for _ in range(2):
        texts.append(await queue(phone=AMINA))
        await outbox_of(pool, Scripted(UNKNOWN)).drain()
    await told(pool, report("delivered", "id-1"), report("sent", "id-2"), report("sent", "id-1"))
    assert [(await state(pool, text))["status"] for text in texts] == ["delivered", "sent"]


async def test_one_report_settles_neither_of_two_lost_texts_that_it_may_be_of(pool: Pool, queue: Queue) -> None:
    texts = []
    for _ in range(2):
        texts.append(await queue(phone=AMINA))
        await outbox_of(pool, Scripted(UNKNOWN)).drain()
    await told(pool, report("delivered"), report("delivered"))
    assert [(await state(pool, text))["status"] for text in texts] == ["unknown", "unknown"]


async def test_a_report_after_a_later_lost_text_settles_none_that_it_may_not_be_of(pool: Pool, queue: Queue) -> None:
    """Of three lost texts the first was never taken; the reports are of the others."""
    texts = []
    for name in (None, "id-2", "id-3"):
        texts.append(await queue(phone=AMINA))
        await outbox_of(pool, Scripted(UNKNOWN)).drain()
        await told(pool, *[report("delivered", name)] if name else [])
    assert [(await state(pool, text))["status"] for text in texts] == ["unknown"] * 3


async def test_the_reports_of_the_telco_are_understood(
    pool: Pool, queue: Queue, telco: RunningTelco, gateway: AfricasTalking
) -> None:
    text = await queue(phone=AMINA)
    await outbox_of(pool, gateway).drain()
    await telco.settle()
    for row in telco.ledger.of("sms.report", AMINA):
        form = {key: row.data[key] for key in ("id", "status", "phoneNumber", "networkCode")}
        parsed = parse_report(form)
        assert parsed is not None
        await delivery.record(pool, "africastalking", parsed)
    assert (await state(pool, text))["status"] == "delivered"
