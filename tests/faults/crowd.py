"""A crowd on its way to its numbers, each as a patient person with a phone whose gateway repeats what failed."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence

from tests.disturbing import PATIENCE
from tests.faults.phones import DIALECTS, Phone, Screen
from tests.invariants import Answer

MOST_KEYS = 12
LONGEST_PAUSE = 1.0  # seconds; who dials ten times in a row is asked to wait


def crowd(url: str, numbers: Iterable[str]) -> list[Phone]:
    """Phones, every second one at the other gateway."""
    return [Phone(url, number, DIALECTS[turn % 2]) for turn, number in enumerate(numbers)]


async def join_all(callers: Sequence[Phone]) -> list[Answer]:
    """All at once, however often each has to ask."""
    return list(await asyncio.gather(*map(join, callers)))


async def join(caller: Phone) -> Answer:
    """From the dial to a number."""
    asked = time.time()
    async with asyncio.timeout(PATIENCE):
        await insist(caller, caller.dial)
        for _ in range(MOST_KEYS):
            if caller.screen.label:
                break
            if caller.screen.over:
                caller.redial()
                await insist(caller, caller.dial)
            else:
                await insist(caller, lambda: caller.press("1"))
    assert caller.screen.label, caller.screen
    return Answer(caller.session, "join", asked, time.time(), "already", phone=caller.number, label=caller.screen.label)


async def join_at_once(caller: Phone) -> Answer:
    """The same with nothing going wrong on the way: one answer to each request, and no apology."""
    asked = time.time()
    for key in ("", "1", "1"):
        screen = await (caller.press(key) if key else caller.dial())
        assert not screen.not_now, screen
    assert caller.screen.text.startswith("Your number is"), caller.screen
    return Answer(caller.session, "join", asked, time.time(), "joined", phone=caller.number, label=caller.screen.label)


async def insist(caller: Phone, ask: Callable[[], Awaitable[Screen]]) -> None:
    """Ask, and ask the same again and again, until it is answered and the system is not busy."""
    for turn in itertools.count():
        try:
            screen = await ask()
        except OSError:
            screen = None
        if screen and not screen.not_now:
            return
        await asyncio.sleep(min(0.1 * 2**turn, LONGEST_PAUSE))
        ask = caller.again
