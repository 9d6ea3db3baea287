"""One busy place for all tests of this folder; and how many examples each of them tries."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from db import embedded
from tests.fuzz.place import Place, made
from tests.fuzz.talks import Known, known
from tests.world import seeded

__all__ = ["seeded"]


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def place(seeded: embedded.Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    async with made(seeded, tmp_path_factory.mktemp("fuzz")) as place:
        yield place


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def talks(place: Place) -> Known:
    return await known(place)
