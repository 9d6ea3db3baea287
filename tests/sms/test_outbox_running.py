from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from db.pool import Pool, connect
from sms.outbox import Outbox
from tests.sms.conftest import Queue, Scripted, Slow, outbox_of, state


@contextlib.asynccontextmanager
async def running(outbox: Outbox) -> AsyncIterator[asyncio.Event]:
    stop = asyncio.Event()
    task = asyncio.create_task(outbox.run(stop))
    yield stop
    stop.set()
    async with asyncio.timeout(10):
        await task


async def until(pool: Pool, text: UUID, status: str) -> None:
    async with asyncio.timeout(10):
        while (await state(pool, text))["status"] != status:  # noqa: ASYNC110 - a row wakes nobody
            await asyncio.sleep(0.01)


async def test_who_queues_a_text_wakes_the_outbox(pool: Pool, queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sms.outbox.POLL_SECONDS", 3600)
    outbox = outbox_of(pool, Scripted())
    async with running(outbox):
        await until(pool, await _queued(queue, outbox), "sent")
        await until(pool, await _queued(queue, outbox), "sent")


async def _queued(queue: Queue, outbox: Outbox) -> UUID:
    text = await queue()
    outbox.wake()
    return text


async def test_a_text_that_nobody_announced_is_found_by_the_poll(
    pool: Pool, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sms.outbox.POLL_SECONDS", 0.02)
    async with running(outbox_of(pool, Scripted())):
        await until(pool, await queue(), "sent")


async def test_a_crowd_goes_through_a_narrow_door_without_waiting_for_the_poll(
    pool: Pool, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sms.outbox.POLL_SECONDS", 3600)
    texts = [await queue() for _ in range(50)]
    async with running(outbox_of(pool, Scripted(), in_flight=3)):
        for text in texts:
            await until(pool, text, "sent")


async def test_an_urgent_text_does_not_wait_for_slow_ones(pool: Pool, queue: Queue) -> None:
    provider = Slow()
    await queue("joined")
    outbox = outbox_of(pool, provider, in_flight=2)
    async with running(outbox):
        await provider.asked.wait()
        turn = await queue("turn")
        outbox.wake()
        await until(pool, turn, "sending")
        provider.may_answer.set()


async def test_stopping_finishes_what_is_in_hand_and_takes_nothing_new(pool: Pool, queue: Queue) -> None:
    first = await queue()
    provider = Slow()
    outbox = outbox_of(pool, provider)
    async with running(outbox) as stop:
        await provider.asked.wait()
        stop.set()
        second = await queue()
        outbox.wake()
        await asyncio.sleep(0)
        provider.may_answer.set()
    assert (await state(pool, first))["status"] == "sent"
    assert (await state(pool, second))["status"] == "queued"


async def test_stopping_does_not_wait_for_ever(
    pool: Pool, queue: Queue, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("sms.outbox.STOP_SECONDS", 0.05)
    text = await queue()
    provider = Slow()
    async with running(outbox_of(pool, provider)):
        await provider.asked.wait()
    assert (await state(pool, text))["status"] == "sending"
    assert "1 texts were handed over" in caplog.text


async def test_a_lost_database_connection_stops_nothing(
    database_url: str, pool: Pool, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sms.outbox.POLL_SECONDS", 0.02)
    own = await connect(database_url)
    async with running(outbox_of(own, Scripted())):
        for _ in range(5):
            await pool.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
            await until(pool, await queue(), "sent")
    await own.close()


async def test_a_fault_of_the_program_is_not_swallowed(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_area: str) -> None:
        raise ZeroDivisionError

    outbox = outbox_of(pool, Scripted())
    monkeypatch.setattr(outbox, "tidy", broken)
    with pytest.raises(ExceptionGroup):
        await outbox.run(asyncio.Event())
