"""Whatever is frozen in the middle of its work and wakes up later, nobody loses a place or gets two."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.disturbing import PATIENCE, WAITS_FOR_LOCK, held, line_held, until
from tests.faults.conftest import Cellar
from tests.faults.crowd import crowd, join_all
from tests.faults.healing import Healing
from tests.faults.phones import DIALECTS, Dialect, Phone
from tests.faults.test_killed import HAS_TICKET, at_the_question, joined_once
from tests.faults.traces import all_is_well, answer, told
from tests.invariants import broken
from tests.terminal import Terminal
from tests.world import World, phone

SWEEPS = "select exists (select from pg_locks where locktype = 'advisory' and classid = 3 and objid = 0 and granted)"
SKIPPED = "select count(*) from audit_log where action = 'expire_call'"


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_server_frozen_in_mid_join_answers_when_it_wakes_and_has_joined_once(
    terminal: Terminal, world: World, database: str, dialect: Dialect, healing: Healing
) -> None:
    with terminal.serving() as server:
        caller = await at_the_question(Phone(server.url, phone(1), dialect))
        async with line_held(database, world.queue_ids["A"]):
            joining = asyncio.create_task(caller.press("1"))
            await until(world.pool, WAITS_FOR_LOCK)
            server.process.send_signal(signal.SIGSTOP)
        await until(world.pool, HAS_TICKET, caller.number)
        server.process.send_signal(signal.SIGCONT)
        healing.begin()
        await joining
        await joined_once(world, caller)
        healing.done()


async def test_while_one_server_is_frozen_another_has_its_callers_and_both_tell_the_same(
    terminal: Terminal, world: World, database: str, healing: Healing
) -> None:
    with terminal.serving() as frozen, terminal.serving() as other:
        callers = [await at_the_question(each) for each in crowd(frozen.url, map(phone, (1, 2)))]
        async with line_held(database, world.queue_ids["A"]):
            joining = [asyncio.create_task(caller.press("1")) for caller in callers]
            await until(world.pool, WAITS_FOR_LOCK)
            frozen.process.send_signal(signal.SIGSTOP)
        healing.begin()
        for caller in callers:
            caller.url = other.url
        heard = await asyncio.gather(*map(told, callers))
        healing.done()
        frozen.process.send_signal(signal.SIGCONT)
        await asyncio.gather(*joining)
        for caller in callers:
            caller.url = frozen.url
        again = await asyncio.gather(*map(told, callers))
    assert again == heard
    assert await broken(world.pool, answers=list(map(answer, callers, heard))) == []


@pytest.mark.parametrize("gap", [pytest.param(0, marks=pytest.mark.long), 1])
async def test_callers_get_words_while_the_database_is_frozen_and_their_place_when_it_wakes(
    cellar: Cellar, upstairs: Terminal, healing: Healing, gap: int
) -> None:
    with upstairs.serving() as server:
        callers = crowd(server.url, (cellar.number() for _ in range(6)))
        for caller in callers:
            await (at_the_question(caller) if gap else caller.dial())
        with frozen_postgres(cellar):
            screens = await asyncio.gather(*(caller.press("1") for caller in callers))
            assert not gap or all(screen.not_now for screen in screens)
        healing.begin()
        answers = await join_all(callers)
        healing.done()
    await all_is_well(cellar.urls.database_url, callers, answers)


@pytest.mark.long
async def test_a_worker_frozen_in_mid_sweep_keeps_the_others_from_sweeping_for_a_minute_at_most(
    terminal: Terminal, world: World, database: str, healing: Healing
) -> None:
    """Its connection is ended by the server, since it asks nothing; when it wakes, what it saw is done already."""
    await world.line(1, 2)
    await world.called()
    await world.later(6)
    with terminal.running("worker") as worker:
        async with held(database, "lock table queue_days in access exclusive mode"):
            await until(world.pool, SWEEPS)
            worker.process.send_signal(signal.SIGSTOP)
        healing.begin()
        async with asyncio.timeout(2 * PATIENCE):
            while not await world.sweep():  # noqa: ASYNC110 - a lock that is given back wakes nobody
                await asyncio.sleep(0.5)
        healing.done()
        worker.process.send_signal(signal.SIGCONT)
        await until(world.pool, SWEEPS)
    assert await world.pool.fetchval(SKIPPED) == 1
    assert await broken(world.pool) == []


@contextmanager
def frozen_postgres(cellar: Cellar) -> Iterator[None]:
    """Every process of it, so that no lock, no connection and no socket says anything."""
    postmaster = int((cellar.postgres.folder.path / "postgres/postmaster.pid").read_text().split()[0])
    everybody = [postmaster, *map(int, Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split())]
    for process in everybody:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in everybody:
            os.kill(process, signal.SIGCONT)
