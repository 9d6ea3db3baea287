"""The time of a simulated day: it stands still until it is told to pass, here and in the database."""

from __future__ import annotations

import pytest

from sms import delivery, failover, outbox
from tests.world import World


class Clock:
    """Rows are moved into the past, and what measures time in this process is given ours."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self._world = world
        self.seconds = 1_000_000.0
        monkeypatch.setattr(failover, "monotonic", lambda: self.seconds)
        monkeypatch.setattr(outbox, "MARK_PAUSES", (0,) * len(outbox.MARK_PAUSES))
        monkeypatch.setattr(delivery, "LOOK_PAUSES", (0,))

    async def pass_(self, minutes: float) -> None:
        self.seconds += minutes * 60
        await self._world.later(minutes)
