"""The demo world, a terminal on it, and a telco that takes its texts."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from telco_sim.config import TelcoConfig
from telco_sim.testing import RunningTelco, running
from tests.terminal import database, terminal
from tests.world import seeded, world

__all__ = ["database", "seeded", "terminal", "world"]


@pytest.fixture
async def telco() -> AsyncIterator[RunningTelco]:
    async with running(TelcoConfig(api_key="key")) as made:
        yield made


@pytest.fixture
def sender(telco: RunningTelco) -> dict[str, str]:
    """The settings with which texts go to that telco."""
    return {"ZAMU_AT_BASE_URL": telco.url, "ZAMU_AT_API_KEY": "key", "ZAMU_AT_SENDER": "20880"}
