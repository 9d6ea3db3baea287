"""What people text while PostgreSQL is away is kept on disk, and has its effect once when it is back."""

from __future__ import annotations

import asyncio
import os
import signal
from urllib.parse import urlencode

import pytest

from db.pool import connect
from telco_sim.exchange import post
from tests.disturbing import until
from tests.faults.conftest import Cellar
from tests.faults.healing import Healing
from tests.faults.senders import FORM
from tests.invariants import broken
from tests.terminal import SECRET, Terminal

TEXTS = "select count(*) = $2 from tickets where phone = any($1)"
AT_ONCE = 20


@pytest.mark.parametrize("texts", [40, pytest.param(1000, marks=pytest.mark.long)])
async def test_texts_that_came_while_the_database_was_away_have_their_effect_once(
    cellar: Cellar, upstairs: Terminal, healing: Healing, texts: int
) -> None:
    """The provider repeats each that was answered with 503, so each comes twice."""
    people = [cellar.number() for _ in range(texts)]
    with upstairs.serving() as server:
        hook = f"{server.url}/hooks/africastalking/sms/{SECRET}"
        await cellar.stop_postgres(signal.SIGINT)
        assert await _text_all(hook, people) == {503}
        await asyncio.to_thread(cellar.start, cellar.postgres)
        healing.begin()
        async with await connect(cellar.urls.database_url, size=2) as pool:
            await until(pool, TEXTS, people, texts)
            healing.done()
            healing.times(texts)
            assert await _text_all(hook, people) == {200}
            assert await pool.fetchval(TEXTS, people, texts)
            assert await broken(pool) == []


async def _text_all(hook: str, people: list[str]) -> set[int]:
    """Each texts JOIN once; what they were answered."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def text(person: str) -> int:
        form = {
            "id": f"kept-{os.getpid()}-{person}",
            "from": person,
            "to": "20880",
            "text": "JOIN 4071 A",
            "date": "2999-01-01 00:00:00",
        }
        async with gate:
            return (await post(hook, urlencode(form).encode(), FORM)).status

    return set(await asyncio.gather(*map(text, people)))
