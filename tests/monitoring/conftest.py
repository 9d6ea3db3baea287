"""The demo world, a terminal on it, a telco, and somebody who scrapes."""

from __future__ import annotations

from tests.commands.conftest import sender, telco
from tests.terminal import database, terminal
from tests.world import seeded, world

__all__ = ["database", "seeded", "sender", "telco", "terminal", "world"]
