"""Several servers and workers on the same stores, started anew one after the other under load: nobody notices."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import pytest

from tests.cable import Cable, plugged
from tests.disturbing import PATIENCE, until
from tests.faults.crowd import crowd, join_all, join_at_once
from tests.faults.healing import Healing
from tests.faults.senders import ALL_ENDED, Senders
from tests.faults.traces import ALL, traces
from tests.invariants import Answer, broken
from tests.terminal import Process, Terminal
from tests.world import PASS_TIME, World, phone

AT_ONCE = 6
STARTED = "Application startup complete."
ONCE = "select count(*) from audit_log where action = $1"
CUT_OVER = """
select not exists (select from queue_days d join queues q on q.id = d.queue_id
                    where not d.over and d.service_date < today(q.branch_id))
"""
DAY_DONE = "select exists (select from heartbeats where name = 'retention')"
DAY_SAID = "forgotten and deleted for the day"


class Load:
    """People who join, so many at a time, until `stop`; any request that is not answered well ends it."""

    def __init__(self, url: str, first: int) -> None:
        self._people = itertools.count(first)
        self._url = url
        self._over = asyncio.Event()
        self.answers: list[Answer] = []
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._one_after_the_other())

    async def _one_after_the_other(self) -> None:
        while not self._over.is_set():
            (caller,) = crowd(self._url, [phone(next(self._people))])
            self.answers.append(await join_at_once(caller))

    async def reaches(self, joins: int) -> None:
        """Until so many more have joined."""
        target = len(self.answers) + joins
        async with asyncio.timeout(PATIENCE):
            while len(self.answers) < target and not self._task.done():  # noqa: ASYNC110 - an answer wakes nobody
                await asyncio.sleep(0.01)

    async def stop(self) -> list[Answer]:
        self._over.set()
        await self._task
        return self.answers


async def test_web_processes_are_replaced_one_after_the_other_without_one_request_failed(
    terminal: Terminal, world: World, healing: Healing
) -> None:
    """`kill -HUP` starts each anew; the address stays open all the while."""
    with terminal.serving("--workers", "2") as server:
        load = Load(server.url, 1)
        await load.reaches(10)
        started = server.said.count(STARTED)
        server.process.send_signal(signal.SIGHUP)
        healing.begin()
        async with asyncio.timeout(PATIENCE):
            while server.said.count(STARTED) < started + 2:  # noqa: ASYNC110 - a log wakes nobody
                await asyncio.sleep(0.05)
        healing.done()
        await load.reaches(10)
        answers = await load.stop()
        assert "Traceback" not in server.said
    assert await broken(world.pool, answers=answers) == []


@pytest.mark.long
async def test_servers_are_replaced_behind_a_proxy_without_one_request_failed(
    terminal: Terminal, world: World, healing: Healing
) -> None:
    """As a rolling deploy does: the next one answers, the proxy turns to it, the last one finishes what it has."""
    async with AsyncExitStack() as stack:
        cable = await stack.enter_async_context(plugged("http://127.0.0.1:9"))
        serving = ExitStack()
        stack.callback(serving.close)
        server = await _next_server(terminal, serving, cable)
        load = Load(cable.url, 1)
        for _ in range(3):
            await load.reaches(5)
            last, server = server, await _next_server(terminal, serving, cable)
            await asyncio.sleep(0.05)  # what was on its way to the last one has arrived
            status, _ = await asyncio.to_thread(last.stop)
            assert status == 0
        healing.begin()
        answers = await load.stop()
        healing.done()
        healing.times(3)
    assert await broken(world.pool, answers=answers) == []


async def _next_server(terminal: Terminal, serving: ExitStack, cable: Cable) -> Process:
    server = await asyncio.to_thread(serving.enter_context, terminal.serving())
    cable.server = server.url
    return server


@pytest.mark.long
async def test_web_processes_killed_one_after_the_other_cost_nobody_his_place(
    terminal: Terminal, world: World, healing: Healing
) -> None:
    with terminal.serving("--workers", "3") as server:
        callers = crowd(server.url, map(phone, range(1, 61)))
        joining = asyncio.create_task(join_all(callers))
        killed = 0
        for process in _web(server)[:2]:
            await asyncio.sleep(0.3)
            os.kill(process, signal.SIGKILL)
            killed += 1
        healing.begin()
        answers = await joining
        healing.done()
        healing.times(killed)
    assert await traces(world.pool, callers) == [ALL] * len(callers)
    assert await broken(world.pool, answers=answers) == []


async def test_web_processes_whose_parent_was_killed_end_and_leave_their_port(terminal: Terminal) -> None:
    with terminal.serving("--workers", "2") as server:
        server.kill()
        host, port = server.url.removeprefix("http://").split(":")
        async with asyncio.timeout(PATIENCE):
            while await _answers(host, int(port)):  # noqa: ASYNC110 - a port that is free wakes nobody
                await asyncio.sleep(0.05)
    with terminal.running("serve", "--port", port) as server:
        await asyncio.to_thread(server.wait_for, STARTED)


async def _answers(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(host, port)
    except ConnectionRefusedError:
        return False
    writer.close()
    return True


async def test_three_workers_do_what_the_clock_does_and_the_days_work_once(senders: Senders, healing: Healing) -> None:
    """Every text is sent once, every grace ends once, every day is cut over once; two of three are killed."""
    world = senders.world
    people = range(1, 13)
    await world.line(*people)
    for _ in people:
        await world.called("Room 1", finish="skip")
    await world.later(16)
    await world.pool.execute("delete from heartbeats")
    with ExitStack() as stack:
        workers = [stack.enter_context(senders.worker()) for _ in range(3)]
        await until(world.pool, f"select ({ONCE}) >= $2", "expire_grace", len(people) - 1)
        await until(world.pool, DAY_DONE)
        workers[0].kill()
        said = [line["message"] for worker in workers for line in worker.logged]
        assert sum(DAY_SAID in message for message in said) <= 1
        await world.pool.execute(PASS_TIME.format(by="interval ''1 day''", type="timestamp with time zone"))
        await world.pool.execute(PASS_TIME.format(by=1, type="date"))
        await world.line(*range(21, 33), queue="P")
        workers[1].kill()
        healing.begin()
        await until(world.pool, CUT_OVER)
        await until(world.pool, ALL_ENDED)
        healing.done()
        status, _ = await asyncio.to_thread(workers[2].stop)
        assert status == 0
    assert await world.pool.fetchval(ONCE, "expire_grace") == len(people) - 1
    for person in range(21, 33):
        assert senders.sent_to(person) <= 2  # his number, and that he is near
    assert await broken(world.pool) == []


def _web(server: Process) -> list[int]:
    """The processes that answer."""
    parent = server.process.pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]
