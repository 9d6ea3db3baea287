"""One delivery of a session at a time, within this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from ussd.request import Page, Request


@dataclass(slots=True, eq=False)
class Turn:
    """A session that is being answered. `page` is what its last delivery was answered."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    request: Request | None = None
    page: Page | None = None
    users: int = 0


class Turns:
    """The sessions that are being answered right now."""

    def __init__(self) -> None:
        self._turns: dict[tuple[str, str], Turn] = {}

    @asynccontextmanager
    async def take(self, request: Request) -> AsyncIterator[tuple[Turn, bool]]:
        """The session's turn, once it is free; True with it if the same delivery was under way on arrival."""
        name = request.gateway, request.session_key
        turn = self._turns.setdefault(name, Turn())
        doubled = turn.request == request
        turn.users += 1
        try:
            async with turn.lock:
                turn.request = request
                try:
                    yield turn, doubled
                finally:
                    turn.request = None
        finally:
            turn.users -= 1
            if not turn.users:
                del self._turns[name]
