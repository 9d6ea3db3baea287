"""A Redis that is emptied, killed, hung or started again in the middle of a conversation costs nobody his place."""

from __future__ import annotations

import asyncio
import os
import signal

import httpx
import pytest

from tests.disturbing import PATIENCE
from tests.faults.conftest import Cellar
from tests.faults.phones import CLINIC, DIALECTS, Phone
from tests.faults.traces import all_is_well, answer
from tests.invariants import Answer
from tests.terminal import Process, Terminal

# What is dialled after the service code, and what is pressed until there is a number.
WALKS = [("", ("1", CLINIC, "1", "1")), (CLINIC, ("2", "1")), ("", ("1", "kili", "1", "3", "1"))]
LONGEST = max(len(keys) for _, keys in WALKS)


class Walker:
    """Somebody on his way to a number, who stops to wait after `gap` keys."""

    def __init__(self, caller: Phone, path: str, keys: tuple[str, ...], gap: int) -> None:
        self.caller = caller
        self._path = path
        self._left = list(keys)
        self._gap = gap

    async def start(self) -> None:
        await self.caller.dial(self._path)
        for _ in range(self._gap):
            await self.press()

    async def press(self) -> None:
        """The next key, if he has no number yet."""
        if self._left:
            await self.caller.press(self._left.pop(0))

    async def finish(self) -> Answer:
        while self._left:
            await self.press()
        return answer(self.caller, self.caller.screen)


def everybody(cellar: Cellar, url: str) -> list[Walker]:
    """One for each gap between two keys of each walk, through each gateway."""
    return [
        Walker(Phone(url, cellar.number(), dialect), path, keys, gap)
        for dialect in DIALECTS
        for path, keys in WALKS
        for gap in range(len(keys))
    ]


async def all_get_there(cellar: Cellar, walkers: list[Walker]) -> None:
    answers = await asyncio.gather(*(walker.finish() for walker in walkers))
    await all_is_well(cellar.urls.database_url, [walker.caller for walker in walkers], answers)


async def test_a_redis_that_is_emptied_between_any_two_keys_costs_nobody_his_place(
    cellar: Cellar, upstairs: Terminal
) -> None:
    with upstairs.serving() as server:
        walkers = everybody(cellar, server.url)
        await asyncio.gather(*(walker.start() for walker in walkers))
        for _ in range(LONGEST):
            await cellar.empty_valkey()
            await asyncio.gather(*(walker.press() for walker in walkers))
        await all_get_there(cellar, walkers)
        assert "Traceback" not in server.said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_a_redis_that_goes_and_comes_back_between_any_two_keys_costs_nobody_his_place(
    cellar: Cellar, upstairs: Terminal, number: int
) -> None:
    with upstairs.serving() as server:
        walkers = everybody(cellar, server.url)
        await asyncio.gather(*(walker.start() for walker in walkers))
        await cellar.stop_valkey(number)
        await asyncio.gather(*(walker.press() for walker in walkers))
        await is_called(server, "away")
        cellar.start(cellar.valkey)
        await is_called(server, "ok")
        await all_get_there(cellar, walkers)
        assert "Traceback" not in server.said


async def test_a_redis_that_hangs_for_a_while_costs_nobody_his_place(cellar: Cellar, upstairs: Terminal) -> None:
    with upstairs.serving() as server:
        walkers = everybody(cellar, server.url)
        await asyncio.gather(*(walker.start() for walker in walkers))
        process = await cellar.signal_valkey(signal.SIGSTOP)
        try:
            await asyncio.gather(*(walker.press() for walker in walkers))
            await is_called(server, "away")
        finally:
            os.kill(process, signal.SIGCONT)
        await is_called(server, "ok")
        await all_get_there(cellar, walkers)
        assert "Traceback" not in server.said


async def test_people_who_dial_while_redis_is_away_join_and_hear_of_it_after_its_return(
    cellar: Cellar, upstairs: Terminal
) -> None:
    with upstairs.serving() as server:
        await cellar.stop_valkey(signal.SIGKILL)
        walkers = everybody(cellar, server.url)
        await asyncio.gather(*(walker.start() for walker in walkers))
        answers = [await walker.finish() for walker in walkers]
        cellar.start(cellar.valkey)
        await is_called(server, "ok")
        again = [answer(walker.caller, await walker.caller.again()) for walker in walkers]
        assert [one.said for one in again] == [one.said for one in answers]
        await all_get_there(cellar, walkers)


async def is_called(server: Process, state: str) -> None:
    """Until the server itself says so of Redis; it serves all the while."""
    async with asyncio.timeout(PATIENCE), httpx.AsyncClient(base_url=server.url) as client:
        while (ready := await client.get("/readyz")).json()["redis"] != state:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.05)
    assert ready.status_code == 200
