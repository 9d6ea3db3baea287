"""Wherever a sender of texts is killed, the next one sends each text once, or our row says that nobody knows."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable

import pytest

from queue_core import customers
from telco_sim.faults import SmsFault
from tests.disturbing import WAITS_FOR_LOCK, held, until
from tests.faults.senders import LAPSE, Senders, deaf, report
from tests.faults.test_killed import NOTHING_RUNS, TERMINATE_WAITING
from tests.world import World, phone

CLAIMED = "select status = 'sending' and attempts = 0 from notifications where phone = $1"
HANDED_OVER = "select status = 'sending' and attempts = 1 from notifications where phone = $1"
SENT = "select array_agg(template) from notifications where phone = $1 and attempts > 0"
WAITS = """
select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
                                              and query like '%' || $1 || '%')
"""
CLAIM, MARK = "for update of n skip locked", "with held as"  # of each statement, what no other has
REPORTED = "select count(*) = $1 from delivery_reports"
AT_ITS_DOOR = 0.5  # seconds for which the telco keeps an answer: its loop is ours, so we act before it does
CROWD = 16


async def nothing(_world: World) -> None:
    return


async def opts_out(world: World) -> None:
    await customers.opt_out(world.core, phone(1))


async def leaves(world: World) -> None:
    await world.leave(1)


async def comes_too_late(world: World) -> None:
    await world.pool.execute("update notifications set expires_at = now()")


@pytest.mark.parametrize("gives_up", [True, False])
async def test_a_claim_cut_off_by_the_kill_is_made_again_and_its_text_sent_once(
    senders: Senders, database: str, *, gives_up: bool
) -> None:
    """The database may go on alone with what the sender asked for, or give up."""
    world = senders.world
    await world.join(1)
    async with held(database, "lock table notifications in exclusive mode"):
        with senders.worker() as worker:
            await until(world.pool, WAITS, CLAIM)
            worker.kill()
        if gives_up:
            await world.pool.execute(TERMINATE_WAITING)
    await until(world.pool, NOTHING_RUNS)
    await senders.taken_over("sent")
    assert senders.sent_to() == 1


@pytest.mark.parametrize(
    ("meanwhile", "end", "sent"),
    [
        (nothing, ("sent", None), ["joined"]),
        (opts_out, ("suppressed", "opted_out"), None),
        (leaves, ("suppressed", "no_longer_true"), ["left"]),
        (comes_too_late, ("expired", "too_late"), None),
    ],
)
async def test_a_text_claimed_by_a_sender_that_was_killed_is_sent_once_if_it_is_still_true(
    senders: Senders,
    database: str,
    meanwhile: Callable[[World], Awaitable[None]],
    end: tuple[str, str | None],
    sent: list[str] | None,
) -> None:
    world = senders.world
    await world.join(1)
    with senders.worker() as worker:
        async with held(database, "lock table customers in access exclusive mode"):
            await until(world.pool, CLAIMED, phone(1))
            worker.kill()
            await world.pool.execute(TERMINATE_WAITING)
    assert await world.pool.fetchval(CLAIMED, phone(1))
    await meanwhile(world)
    await senders.taken_over(end[0])
    assert await senders.text_of() == end
    assert await world.pool.fetchval(SENT, phone(1)) == sent
    assert senders.sent_to() == len(sent or [])


async def test_a_hand_over_that_the_database_ends_alone_is_owned_up_to_and_never_sent(
    senders: Senders, database: str
) -> None:
    world = senders.world
    await world.join(1)
    with senders.worker() as worker:
        async with held(database, "lock table customers in access exclusive mode"):
            await until(world.pool, CLAIMED, phone(1))
            await until(world.pool, WAITS_FOR_LOCK)
            worker.kill()
    await until(world.pool, NOTHING_RUNS)
    handed_over = await world.pool.fetchval(HANDED_OVER, phone(1))
    end = ("unknown", "worker_lost") if handed_over else ("sent", None)
    await senders.taken_over(end[0])
    assert await senders.text_of() == end
    assert senders.sent_to() == (0 if handed_over else 1)


async def test_a_text_whose_sender_was_killed_at_the_providers_door_is_unknown(senders: Senders) -> None:
    world = senders.world
    await world.join(1)
    with deaf() as url, senders.worker(url) as worker:
        await until(world.pool, HANDED_OVER, phone(1))
        worker.kill()
    await senders.taken_over("unknown")
    assert await senders.text_of() == ("unknown", "worker_lost")
    assert senders.sent_to() == 0


@pytest.mark.parametrize(
    ("reports", "end"), [("normal", "delivered"), ("reordered", "delivered"), ("failed", "failed"), ("none", "unknown")]
)
async def test_a_text_whose_sender_was_killed_while_the_provider_thought_is_sent_once_and_settled_by_its_reports(
    senders: Senders, reports: str, end: str
) -> None:
    world = senders.world
    senders.telco.faults.sms.append(SmsFault(ending="hang", reports=reports, phone=phone(1)))
    await world.join(1)
    with senders.serving() as server:
        with senders.worker() as worker:
            await senders.logged("sms.message")
            await until(world.pool, REPORTED, 0 if reports == "none" else 3)
            worker.kill()
        assert await world.pool.fetchval(HANDED_OVER, phone(1))
        await senders.taken_over(end)
        assert senders.sent_to() == 1
        (message,) = senders.telco.ledger.of("sms.message", phone(1))
        await report(server, message.data["messageId"], "Success")  # late
        assert (await senders.text_of())[0] == "delivered"
    await senders.all_is_well()


@pytest.mark.parametrize("wakes", [False, True])
async def test_a_text_that_was_accepted_and_not_marked_is_never_sent_again(senders: Senders, *, wakes: bool) -> None:
    """The sender may be killed, or only oversleep its lease: then it still knows what the provider said."""
    world = senders.world
    senders.telco.faults.sms.append(SmsFault(delay=AT_ITS_DOOR, reports="none", phone=phone(1)))
    await world.join(1)
    with senders.worker() as worker:
        await senders.logged("sms.message")
        worker.process.send_signal(signal.SIGSTOP)
        await senders.logged("sms.answer")
        if not wakes:
            worker.kill()
        assert await world.pool.fetchval(HANDED_OVER, phone(1))
        await senders.taken_over("unknown")
        assert await senders.text_of() == ("unknown", "worker_lost")
        if wakes:
            worker.process.send_signal(signal.SIGCONT)
            await senders.becomes("sent")
    assert senders.sent_to() == 1
    await senders.all_is_well()


@pytest.mark.parametrize("gives_up", [True, False])
async def test_a_mark_cut_off_by_the_kill_is_made_or_owned_up_to(
    senders: Senders, database: str, *, gives_up: bool
) -> None:
    world = senders.world
    await world.join(1)
    async with held(database, "lock table notification_attempts in exclusive mode"):
        with senders.worker() as worker:
            await until(world.pool, WAITS, MARK)
            worker.kill()
        if gives_up:
            await world.pool.execute(TERMINATE_WAITING)
    await until(world.pool, NOTHING_RUNS)
    left = await senders.text_of()
    assert left in ([("sending", None)] if gives_up else [("sending", None), ("sent", None)])
    end = left if left[0] == "sent" else ("unknown", "worker_lost")
    await senders.taken_over(end[0])
    assert await senders.text_of() == end
    assert senders.sent_to() == 1


async def test_a_report_that_comes_after_everybody_was_killed_is_heeded(senders: Senders) -> None:
    await senders.world.join(1)
    with senders.terminal.serving() as server, senders.worker() as worker:
        await senders.becomes("sent")
        worker.kill()
        server.kill()
    with senders.terminal.serving() as server:
        await report(server, await senders.name_of_text(), "Success")
        assert await senders.text_of() == ("delivered", None)
    await senders.taken_over("delivered")
    assert senders.sent_to() == 1


async def test_a_report_that_came_before_the_mark_is_heeded_though_the_sender_was_killed_after_it(
    senders: Senders, database: str
) -> None:
    world = senders.world
    senders.telco.faults.sms.append(SmsFault(delay=AT_ITS_DOOR, reports="early", phone=phone(1)))
    await world.join(1)
    with senders.serving():
        with senders.worker() as worker:
            await senders.logged("sms.message")
            worker.process.send_signal(signal.SIGSTOP)
            await senders.logged("sms.answer")
            async with held(database, "lock table delivery_reports in access exclusive mode"):
                worker.process.send_signal(signal.SIGCONT)
                await senders.becomes("sent")
                worker.kill()
                await world.pool.execute(TERMINATE_WAITING)
        assert await world.pool.fetchval(REPORTED, 3)
        assert await senders.text_of() == ("sent", None)
        await senders.taken_over("delivered")
    assert senders.sent_to() == 1


async def test_senders_killed_again_and_again_tell_each_of_a_crowd_once(senders: Senders) -> None:
    """Some leave, opt out or are called while nobody sends; the provider is slow, hangs, and reports as it likes."""
    world = senders.world
    with senders.serving():
        for turn, heard in enumerate((1, 3, 6, 10)):
            first = turn * CROWD + 1
            people = range(first, first + CROWD)
            for person in people:
                await world.join(person)
            for person, reports in zip(people, ("normal", "early", "duplicate", "reordered", "none"), strict=False):
                ending = "hang" if person % 2 else "answer"
                senders.telco.faults.sms.append(SmsFault(phone=phone(person), ending=ending, reports=reports))
            before = len(senders.telco.ledger.of("sms.message"))
            with senders.worker() as worker:
                await senders.logged("sms.message", before + heard)
                worker.kill()
            await senders.heard_out()
            await until(world.pool, NOTHING_RUNS)
            await world.leave(first + 7)
            await customers.opt_out(world.core, phone(first + 8))
            await world.serve()
            await world.pool.execute(LAPSE)
        await senders.taken_over("sent", "delivered", "unknown", "suppressed")
    for person in range(1, 4 * CROWD + 1):
        status, _ = await senders.text_of(person)
        told = [row for row in senders.telco.ledger.of("sms.message", phone(person)) if "A0" in row.data["text"]]
        assert status in ("sent", "delivered", "unknown", "suppressed"), (person, status)
        assert told or status in ("unknown", "suppressed"), (person, status)
