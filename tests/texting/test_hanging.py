"""A database that takes the question and never answers loses no text."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from db import embedded
from db.pool import connect
from queue_core.core import Core
from sms.inbox import Inbox
from sms.spool import Spool
from sms.staff import Desk
from tests.texting.conftest import HOUSE, PEPPER, Texter
from tests.world import World
from webhooks.texts import SECONDS as PROVIDER_SECONDS


@pytest.fixture
async def frozen(world: World, seeded: embedded.Servers, tmp_path: Path) -> AsyncIterator[Inbox]:
    """An inbox whose only connection leads to a process that stands still."""
    name = await world.pool.fetchval("select current_database()")
    pool = await connect(seeded.database_url.replace("/zamu?", f"/{name}?"), size=1)
    backend = await pool.fetchval("select pg_backend_pid()")
    os.kill(backend, signal.SIGSTOP)
    yield Inbox(Core(pool), HOUSE, Desk(Core(pool), PEPPER), Spool(tmp_path / "spool"))
    os.kill(backend, signal.SIGCONT)
    pool.terminate()


async def test_a_text_is_kept_on_disk_while_the_database_hangs(
    frozen: Inbox, amina: Texter, tmp_path: Path, world: World
) -> None:
    message = amina.message("JOIN 4071 A")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(PROVIDER_SECONDS):
            await frozen.receive(message)
    (kept,) = (tmp_path / "spool").iterdir()
    assert json.loads(kept.read_text())["text"] == "JOIN 4071 A"
    await amina.inbox.tidy()
    assert await world.order() == ["A001"]
