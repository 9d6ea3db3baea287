"""A line that takes nobody says why, and what else there is."""

from __future__ import annotations

import asyncio

from tests.ussd.caller import Caller
from tests.world import CLINIC, World


async def test_a_closed_place_says_when_it_opens(caller: Caller, world: World) -> None:
    await world.pool.execute("update branches set is_open = false where code = $1", CLINIC)
    await caller.dial("*384*40*4071#")
    caller.sees("Kilimani Clinic is closed now.", "Opens ", "You are not in line.")
    assert caller.over


async def test_a_place_without_hours_is_just_closed(caller: Caller, world: World) -> None:
    await world.pool.execute("update branches set is_open = false, opening_hours = '{}' where code = $1", CLINIC)
    await caller.dial("*384*40*4071#")
    caller.sees("Kilimani Clinic is closed now.\nYou are not in line.", "call 0700123456")


async def test_a_line_that_closes_between_two_screens_says_so(caller: Caller, world: World) -> None:
    await caller.dial("*384*40*4071*1#")
    await world.close("A")
    await caller.press("1")
    caller.sees("Kilimani Clinic is closed now.", "You are not in line.")
    assert await world.ticket(1) is None


async def test_a_line_that_pauses_between_two_screens_says_until_when(caller: Caller, world: World) -> None:
    await caller.dial("*384*40*4071*1#")
    await world.pause("A")
    await world.set("A", paused_until=await world.pool.fetchval("select '2030-01-01 07:30Z'::timestamptz"))
    await caller.press("1")
    caller.sees("Doctor at Kilimani Clinic is on a break until about 10:30.")


async def test_a_line_that_pauses_while_we_ask_says_until_when(caller: Caller, world: World) -> None:
    """The place was read before the line was locked; the refusal is explained with what is true after it."""
    await caller.dial("*384*40*4071*1#")
    async with world.pool.acquire() as staff, staff.transaction():
        await staff.execute(
            "update queues set status = 'paused', paused_until = '2030-01-01 07:30Z' where id = $1",
            world.queue_ids["A"],
        )
        press = asyncio.create_task(caller.press("1"))
        waits = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        while not await world.pool.fetchval(waits):
            assert not press.done()
    await press
    caller.sees("Doctor at Kilimani Clinic is on a break until about 10:30.")


async def test_a_paused_line_may_not_say_until_when(caller: Caller, world: World) -> None:
    await world.pause("A")
    await caller.dial("*384*40*4071*1#")
    caller.sees("Doctor at Kilimani Clinic is on a break.\nYou are not in line.")


async def test_a_full_line_offers_the_others(caller: Caller, world: World) -> None:
    await world.set("A", daily_limit=1)
    await caller.dial("*384*40*4071*1#")
    await world.join(2)
    await caller.press("1")
    caller.sees("Doctor at Kilimani Clinic is full for today.", "You are not in line.")
    await caller.press("1")
    caller.is_at("service")
    await caller.press("1")
    caller.is_at("full")
    await caller.press("00")
    caller.is_at("home")


async def test_the_only_line_being_full_leads_to_other_places(caller: Caller, world: World) -> None:
    await world.close("P")
    await world.close("L")
    await world.set("A", daily_limit=1)
    await world.join(2)
    await caller.dial("*384*40*4071#")
    caller.is_at("full")
    await caller.press("1")
    caller.is_at("code")
