"""What the provider received while nobody answered is read from its list, and handled once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from db.queries import load
from queue_core import customers
from sms import missed as missed_module
from sms.gateways.africastalking import AfricasTalking
from sms.inbox import Inbox
from sms.missed import Missed
from telco_sim.config import TelcoConfig
from telco_sim.testing import RunningTelco, running
from tests.disturbing import WAITS_FOR_LOCK, until
from tests.texting.conftest import Texter
from tests.world import KEY as SECRET
from tests.world import World

KEY = "key-of-nobody"


@pytest.fixture
async def telco() -> AsyncIterator[RunningTelco]:
    async with running(TelcoConfig(api_key=KEY, inbound_retries=(0.01,))) as telco:
        yield telco


@pytest.fixture
async def missed(world: World, inbox: Inbox, telco: RunningTelco) -> AsyncIterator[Missed]:
    gateway = AfricasTalking("sandbox", KEY, base_url=telco.url, threads=1)
    yield Missed(world.pool, inbox, gateway)
    await gateway.close()


async def test_lost_texts_are_handled_once_and_in_order(amina: Texter, missed: Missed, telco: RunningTelco) -> None:
    for text in ("JOIN 4071 A", "STATUS"):
        await telco.text(amina.number, text, to="20880", times=0)
    assert await missed.catch_up() == 2
    told = await amina.told()
    assert ["your number is A001" in text for text in told] == [True, False]
    assert await missed.catch_up() == 0
    assert await amina.told() == told


async def test_what_was_delivered_as_well_is_not_handled_twice(
    amina: Texter, missed: Missed, telco: RunningTelco, world: World
) -> None:
    await telco.text(amina.number, "STATUS", to="20880", times=0)
    (row,) = [row for row in telco.state.ledger.rows if row.kind == "inbound"]
    at = row.time
    before = amina.message("STATUS", sent_at=at)
    await amina.send(before)
    await missed.catch_up()
    assert len(await amina.told()) == 1
    await world.pool.execute("delete from inbound_messages; delete from fetch_cursors; delete from notifications")
    await missed.catch_up()
    await amina.send(before)  # the callback comes after all
    assert len(await amina.told()) == 1


async def test_the_listed_copy_that_comes_while_the_callback_is_stored_waits_for_it(
    amina: Texter, world: World
) -> None:
    message = amina.message("STATUS")
    async with world.pool.acquire() as callback, callback.transaction():
        await callback.fetch(load("inbound").receive, message.as_json(), timedelta(minutes=1))
        listed = asyncio.create_task(amina.inbox.receive(replace(message, provider_id="fetched-1")))
        waits = asyncio.create_task(until(world.pool, WAITS_FOR_LOCK))
        await asyncio.wait({listed, waits}, return_when="FIRST_COMPLETED")
        waits.cancel()
    await listed
    assert await world.pool.fetchval("select count(*) from inbound_messages") == 1


async def test_the_listed_copy_of_a_text_that_was_erased_since_does_nothing(
    amina: Texter, missed: Missed, telco: RunningTelco, world: World
) -> None:
    await telco.text(amina.number, "JOIN 4071 A", to="20880", times=0)
    (row,) = [row for row in telco.state.ledger.rows if row.kind == "inbound"]
    await amina.send(amina.message("JOIN 4071 A", sent_at=row.time))
    await customers.erase(world.core, world.customer(), amina.number, SECRET)
    await missed.catch_up()
    assert await world.order() == []
    assert await world.texts(1) == ["data_gone"]


async def test_a_text_of_long_ago_is_let_be(
    amina: Texter, missed: Missed, telco: RunningTelco, monkeypatch: pytest.MonkeyPatch
) -> None:
    await telco.text(amina.number, "JOIN 4071 A", to="20880", times=0)
    monkeypatch.setattr(missed_module, "TOO_OLD", timedelta())
    assert await missed.catch_up() == 0
    monkeypatch.undo()
    assert await missed.catch_up() == 0, "and never looked at again"
    assert await amina.told() == []


async def test_a_provider_that_is_away_is_asked_again_later(missed: Missed) -> None:
    missed._gateway._service._baseUrl = "http://127.0.0.1:1/version1"  # noqa: SLF001
    with pytest.raises(OSError, match="refused"):
        await missed.catch_up()
