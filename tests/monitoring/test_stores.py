"""What the stores say on a scrape: the numbers of the database, and that one is away."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis

from db.pool import connect
from monitoring import stores
from monitoring.held import Held
from monitoring.stores import FAMILIES, Samples, Stores
from tests.world import World, phone


def made(world: World, redis: Redis) -> Stores:
    return Stores(world.pool, redis, lambda: Held(2, 61.0, 1), "1.2.3")


def value(samples: Samples, name: str, **labels: str) -> float:
    (found,) = [value for given, value in samples.found[name] if given == labels]
    return found


async def test_the_numbers_are_those_of_the_rows(world: World, redis: Redis) -> None:
    await world.line(1, 2, 3)
    await world.line(4, queue="P")
    await world.leave(3)
    for person, status in ((1, "dead"), (2, "unknown"), (4, "unknown")):
        await world.pool.execute("update notifications set status = $2 where phone = $1", phone(person), status)
    samples = await made(world, redis).look()
    assert value(samples, "zamu_waiting", branch="4071", line="A") == 2
    assert value(samples, "zamu_waiting", branch="4071", line="P") == 1
    assert value(samples, "zamu_waiting_all") == 3
    assert value(samples, "zamu_tickets_today", channel="ussd") == 4
    assert value(samples, "zamu_ended_today", status="cancelled") == 1
    assert value(samples, "zamu_ended_today", status="no_show") == 0
    assert value(samples, "zamu_texts_in_doubt", state="dead") == 1
    assert value(samples, "zamu_texts_in_doubt", state="unknown") == 2
    due = await world.pool.fetchval("select count(*) from notifications where status = 'queued' and due_at <= now()")
    assert value(samples, "zamu_texts_queued") == due
    assert (value(samples, "zamu_spool_texts"), value(samples, "zamu_spool_broken")) == (2, 1)
    assert value(samples, "zamu_build_info", version="1.2.3") == 1
    assert set(samples.found) <= set(FAMILIES)
    assert not [name for name, given in samples.found.items() if phone(1)[4:] in str((name, given))]


async def test_only_the_longest_lines_have_a_series_of_their_own(
    world: World, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "MOST_LINES", 1)
    await world.line(1, 2)
    await world.line(3, queue="P")
    samples = await made(world, redis).look()
    assert samples.found["zamu_waiting"] == [({"branch": "4071", "line": "A"}, 2)]
    assert value(samples, "zamu_waiting_all") == 3


async def test_many_who_scrape_at_once_ask_the_stores_once(world: World, redis: Redis) -> None:
    together = made(world, redis)
    assert len({id(samples) for samples in await asyncio.gather(*(together.look() for _ in range(20)))}) == 1


async def test_a_store_that_is_away_is_told_of_and_holds_up_nobody(world: World, database: str, redis: Redis) -> None:
    gone = await connect(database, size=1)
    await gone.close()
    samples = await Stores(gone, redis, Held, "1").look()
    assert value(samples, "zamu_database_up") == 0
    assert value(samples, "zamu_redis_up") == 1
    async with Redis.from_url("redis://127.0.0.1:1") as nobody:
        samples = await Stores(world.pool, nobody, Held, "1").look()
    assert value(samples, "zamu_redis_up") == 0
    assert value(samples, "zamu_database_up") == 1


async def test_the_question_of_a_scrape_goes_through_no_table_of_texts(world: World) -> None:
    """Texts of half a year lie there, and it is asked every few seconds."""
    async with world.pool.acquire() as connection:
        await connection.execute("set enable_seqscan = off")  # the tables are empty here
        (plan,) = await connection.fetchval(f"explain (format json) {stores.SQL.samples}", 200)
    assert {"notifications", "inbound_messages"}.isdisjoint(_searched(plan["Plan"]))


def _searched(plan: dict[str, Any]) -> set[str]:
    """The tables that are read from end to end."""
    own = {plan["Relation Name"]} if plan["Node Type"] == "Seq Scan" else set()
    return own.union(*map(_searched, plan.get("Plans", ())))
