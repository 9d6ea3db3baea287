"""One look at the database for all who ask for the same thing at about the same time."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

SECONDS = 0.25  # from the beginning of a look to that of the next one

Seen = TypeVar("Seen")


@dataclass(slots=True, eq=False)
class _Thing(Generic[Seen]):
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    began: float = float("-inf")
    coming: asyncio.Task[Seen] | None = None


class Looks(Generic[Seen]):
    """Of each thing one look at a time, and not too many a second, however many ask.

    Nobody is shown what was seen before he asked: a socket has just told him that it changed.
    """

    def __init__(self, look: Callable[[str], Awaitable[Seen]]) -> None:
        self._look = look
        self._things: defaultdict[str, _Thing[Seen]] = defaultdict(_Thing)

    async def now(self, name: str) -> Seen:
        """What the next look at it sees. Raises what that look raises."""
        thing = self._things[name]
        if thing.coming is None:
            thing.coming = asyncio.create_task(self._next(name, thing))
        return await asyncio.shield(thing.coming)

    async def _next(self, name: str, thing: _Thing[Seen]) -> Seen:
        loop = asyncio.get_running_loop()
        async with thing.turn:
            await asyncio.sleep(thing.began + SECONDS - loop.time())
            thing.began, thing.coming = loop.time(), None
            return await self._look(name)
