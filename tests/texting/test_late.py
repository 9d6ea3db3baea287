"""Texts that come late: what may have stopped being wanted is not done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.texting.conftest import CLERK, PIN, Texter, Texters, enrol
from tests.world import World


@pytest.fixture
async def clerk(texters: Texters) -> Texter:
    return await enrol(texters(CLERK))


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


@pytest.mark.parametrize("text", [f"NEXT DOC {PIN}", f"OPEN DOC {PIN}", "UNDO DOC"])
@pytest.mark.parametrize("age", [121, 1200, -31, -3600])
async def test_a_command_of_another_time_is_not_done(clerk: Texter, world: World, text: str, age: int) -> None:
    await world.line(1, 2)
    await world.called()
    await world.pause()
    before = [await world.pool.fetch(f"select * from {table} order by 1") for table in ("tickets", "queues")]  # noqa: S608
    assert "came late, so we did not do it." in (await clerk.text(text, sent_at=ago(age)))[0]
    after = [await world.pool.fetch(f"select * from {table} order by 1") for table in ("tickets", "queues")]  # noqa: S608
    assert after == before


async def test_a_clock_that_is_a_little_fast_is_forgiven(clerk: Texter, world: World) -> None:
    await world.line(1)
    assert (await clerk.text(f"NEXT DOC {PIN}", sent_at=ago(-10)))[0].startswith("NOW A001")


async def test_the_owner_is_not_told_of_what_was_not_done(clerk: Texter, world: World) -> None:
    await world.pool.execute("update staff_phones set used_on = used_on - 1")
    assert len(await clerk.text(f"NEXT DOC {PIN}", sent_at=ago(1200))) == 1
    assert len(await clerk.text(f"DONE DOC {PIN}")) == 1
    assert len(await clerk.text(f"NEXT DOC {PIN}")) == 2


async def test_a_customers_text_of_hours_ago_is_let_be(amina: Texter, world: World) -> None:
    assert await amina.text("JOIN 4071 A", sent_at=ago(3700)) == []
    assert await world.ticket(1) is None
    assert await world.pool.fetchval("select outcome from inbound_messages") == "too_old"
    await amina.text("JOIN 4071 A", sent_at=ago(3500))
    assert await world.order() == ["A001"]


async def test_stop_is_heard_however_late_it_comes(amina: Texter, world: World) -> None:
    assert len(await amina.text("STOP", sent_at=ago(7200))) == 1
    assert await world.pool.fetchval("select count(opted_out_at) from customers") == 1
