"""Looks at the database that many ask for at once."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from queue_core import board
from queue_core.board import Board
from queue_core.core import Core
from staff_web import looks
from staff_web.looks import Looks
from tests.disturbing import PATIENCE
from tests.staff_web.conftest import Open
from tests.world import World


class Truth:
    """What changes. `looks` counts who looked, `now` how many do at this moment, `most` how many ever did at once."""

    def __init__(self) -> None:
        self.value = self.looks = self.now = self.most = 0

    async def look(self, name: str) -> str:
        value = self.value
        self.looks, self.now = self.looks + 1, self.now + 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.01)
        self.now -= 1
        return f"{name}{value}"


async def test_many_who_ask_at_once_are_shown_one_look() -> None:
    truth = Truth()
    shared = Looks(truth.look)
    assert await asyncio.gather(*(shared.now("a") for _ in range(100))) == ["a0"] * 100
    assert truth.looks == 1


async def test_nobody_is_shown_what_was_seen_before_he_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "SECONDS", 0.03)
    truth = Truth()
    shared = Looks(truth.look)

    async def ask() -> None:
        before = truth.value = truth.value + 1
        assert int((await shared.now("a"))[1:]) >= before

    for _ in range(10):
        await asyncio.gather(*(ask() for _ in range(5)), asyncio.sleep(0.01))
    assert truth.most == 1
    assert truth.looks <= 11


async def test_who_hangs_up_takes_the_look_from_nobody() -> None:
    shared = Looks(Truth().look)
    first, second = asyncio.create_task(shared.now("a")), asyncio.create_task(shared.now("a"))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == "a0"


async def test_a_look_that_fails_is_the_failure_of_those_who_waited_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "SECONDS", 0.0)
    broken = [OSError("away")]

    async def look(name: str) -> str:
        if broken:
            raise broken.pop()
        return name

    shared = Looks(look)
    answers = await asyncio.gather(shared.now("a"), shared.now("a"), return_exceptions=True)
    assert [type(answer) for answer in answers] == [OSError, OSError]
    assert await shared.now("a") == "a"


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The branches that the application looks at, once it was made after this."""
    codes: list[str] = []
    look = board.board

    async def counted(core: Core, code: str) -> Board | None:
        codes.append(code)
        return await look(core, code)

    monkeypatch.setattr(board, "board", counted)
    return codes


async def test_a_crowd_at_the_wall_is_few_looks(world: World, looked: list[str], browser: Open) -> None:
    del world
    window = browser()
    async with asyncio.timeout(PATIENCE):
        answers = await asyncio.gather(*(window.get("/display/4071") for _ in range(50)))
    assert {answer.status_code for answer in answers} == {httpx.codes.OK}
    assert 1 <= len(looked) <= 10
