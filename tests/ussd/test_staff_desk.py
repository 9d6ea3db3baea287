"""A clerk at the counter with any phone: next, not here, done; and what a key on a stale screen does: nothing."""

from __future__ import annotations

import asyncio

import pytest

from queue_core import calling, queues
from queue_core.core import Act
from tests.ussd.caller import Caller
from tests.ussd.clerk import CLERK, DESK, PIN, at_desk, enrol, statuses
from tests.ussd.conftest import Callers
from tests.world import World, phone


async def test_the_day_of_a_clerk(clerk: Caller, world: World) -> None:
    await world.join(1, name="Wanjiku")
    await world.line(2, 3)
    await world.join(None)
    await clerk.dial(DESK)
    clerk.sees("Staff Kilimani Clinic", "Type your PIN")
    await clerk.press(PIN)
    clerk.sees("Doctor Room 1\nNow - Waiting 4\n1 Next")
    await clerk.press("1")
    clerk.sees("NOW A001 Wanjiku\n...0001 Waiting 3\n1 Next")
    await clerk.press("2")
    clerk.sees("Doctor: A001 was called again.\nNow A001 Waiting 3")
    await clerk.press("0", "4")
    clerk.sees("Doctor: A001 is done.\nNow - Waiting 3")
    await clerk.press("1")
    clerk.sees("NOW A002\n...0002")
    await clerk.press("3")
    clerk.sees("Doctor: A002 is marked not here.")
    await clerk.press("1", "1")
    clerk.sees("A003 was called and has not started.")
    await clerk.press("1")
    clerk.sees("NOW A004\nno phone Waiting 0")
    await clerk.press("1", "1")
    clerk.sees("No one is waiting in Doctor.")
    await clerk.press("1")
    clerk.sees("Now - Waiting 0")
    assert await statuses(world) == ["completed", "no_show", "completed", "completed"]
    assert await world.texts(1) == ["joined", "turn", "last_call"]
    rows = await world.pool.fetch("select distinct channel, actor, actor_id::text from audit_log where action = 'call'")
    assert [tuple(row) for row in rows] == [("ussd", "staff", world.clerk_id)]


async def test_a_line_is_paused_opened_and_closed(clerk: Caller, world: World) -> None:
    await world.line(1, 2)
    await at_desk(clerk)
    await clerk.press("5", "3")
    clerk.sees("Doctor: on a break. 2 people were told.")
    await clerk.press("0", "5")
    clerk.sees("3 Open")
    await clerk.press("3")
    clerk.sees("Doctor: open. 2 people were told.")
    await clerk.press("0", "5", "4")
    clerk.sees("Doctor has 2 waiting. Close for today? They will get an SMS.")
    await clerk.press("1", "5", "4", "2")
    clerk.sees("Doctor: closed. 2 people were told.\nNow - Waiting 0")
    assert await world.texts(1) == ["joined", "paused", "resumed", "closed_early"]
    assert await world.pool.fetchval("select status from queues where code = 'A'") == "closed"


async def test_who_waits_is_listed_page_by_page(clerk: Caller, world: World) -> None:
    await at_desk(clerk)
    await clerk.press("5", "1")
    clerk.sees("Waiting 0\n-")
    await clerk.press("0")
    for person in range(1, 8):
        await world.join(person, name="Oluwaseunayomide")
    await clerk.press("5", "1")
    clerk.sees("Waiting 7\nA001 Oluwaseunayomide", "A005", "98 More", "0 Back")
    await clerk.press("98")
    clerk.sees("A006 Oluwaseunayomide\nA007")
    assert "98" not in clerk.screen
    await clerk.press("9")
    clerk.sees("Not a choice.", "A006")
    await clerk.press("98")
    clerk.sees("A001")


async def test_what_became_of_somebody_called_is_asked(clerk: Caller, world: World) -> None:
    await world.line(1, 2, 3)
    await at_desk(clerk)
    await clerk.press("1", "1", "2")
    clerk.sees("NOW A002")
    await clerk.press("1", "3")
    clerk.sees("NOW A003")
    assert await statuses(world) == ["no_show", "skipped", "called"]
    await clerk.press("1", "0", "5", "2")
    clerk.sees("No one is waiting in Doctor.")
    assert await statuses(world) == ["no_show", "skipped", "skipped"]


async def test_next_while_serving_completes_and_nobody_is_skipped_then(clerk: Caller, world: World) -> None:
    await world.line(1, 2)
    await at_desk(clerk)
    await clerk.press("1")
    await world.do("start", await world.holds(1))
    await clerk.press("0")
    await clerk.dial(DESK)
    await clerk.press(PIN, "5", "2")
    clerk.sees("A001 is being served. Nothing was done.")
    await clerk.press("0", "2")
    clerk.sees("A001 is being served. Nothing was done.")
    await clerk.press("1")
    clerk.sees("NOW A002")
    assert await statuses(world) == ["completed", "called"]


@pytest.mark.parametrize("key", ["2", "3", "4"])
async def test_with_nobody_called_there_is_nobody_to_do_it_to(clerk: Caller, world: World, key: str) -> None:
    await world.line(1)
    await at_desk(clerk)
    await clerk.press(key)
    clerk.sees("Doctor: no one is called. Nothing was done.\nNow - Waiting 1")
    await clerk.press("0", "5", "2")
    clerk.sees("Doctor: no one is called. Nothing was done.")
    assert await statuses(world) == ["waiting"]


@pytest.mark.parametrize("keys", [("1",), ("2",), ("3",), ("4",), ("5", "2")])
async def test_a_key_on_a_stale_screen_changes_nothing_and_shows_the_truth(
    clerk: Caller, world: World, keys: tuple[str, ...]
) -> None:
    """A colleague at the same counter, in a browser, was quicker."""
    await world.line(1, 2, 3)
    await at_desk(clerk)
    await clerk.press("1", *keys[:-1])
    await world.do("complete", await world.holds(1))
    await world.called("Room 1")
    before = await statuses(world)
    await clerk.press(keys[-1])
    clerk.sees("Doctor: this has changed meanwhile. Nothing was done.\nNow A002 Waiting 1")
    assert await statuses(world) == before


async def test_a_screen_without_anybody_is_stale_as_well(clerk: Caller, world: World) -> None:
    await world.line(1, 2)
    await at_desk(clerk)
    await world.do("start", await world.called("Room 1"))
    await clerk.press("1")
    clerk.sees("Nothing was done.\nNow A001 Waiting 1")
    await clerk.press("1")
    clerk.sees("NOW A002")


async def test_a_pause_that_was_made_meanwhile_is_not_made_again(clerk: Caller, world: World) -> None:
    await world.line(1)
    await at_desk(clerk)
    await clerk.press("5")
    await world.pause()
    await clerk.press("3")
    clerk.sees("this has changed meanwhile")
    assert (await world.texts(1)).count("paused") == 1


async def test_two_clerks_call_two_people(callers: Callers, world: World) -> None:
    await world.line(1, 2, 3)
    await enrol(world, "clinic1", CLERK, "Room 1", "A")
    await enrol(world, "manager", CLERK + 1, "Room 2", "A")
    one, two = await at_desk(callers(CLERK)), await at_desk(callers(CLERK + 1))
    await asyncio.gather(one.press("1"), two.press("1"))
    assert {one.screen[:8], two.screen[:8]} == {"NOW A001", "NOW A002"}
    one.sees("Waiting 1" if one.screen.startswith("NOW A002") else "Waiting")
    await one.press("4")
    await two.press("2")
    two.sees("was called again")


async def test_a_phone_without_a_counter_calls_to_the_free_one_and_stays_there(callers: Callers, world: World) -> None:
    await enrol(world, counter=None)
    clerk = callers(CLERK)
    await world.line(1, 2)
    await world.line(3, queue="P")
    await calling.call_next(world.core, Act("staff", "staff"), world.queue_ids["P"], "Room 1")
    await clerk.dial(DESK)
    await clerk.press(PIN)
    clerk.sees("Choose a line (waiting)\n1 Doctor (2)\n2 Pharmacy (0)")
    await clerk.press("1")
    clerk.sees("Doctor\nNow - Waiting 2")
    await clerk.press("1", "1", "1")
    clerk.sees("NOW A002")
    assert (await world.holds(2)).counter == "Room 2"
    await clerk.press("5", "5", "2")
    clerk.sees("Pharmacy\nNow - Waiting 0")
    await clerk.press("1")
    clerk.sees("No one is waiting in Pharmacy.")


async def test_with_every_counter_taken_it_is_said(callers: Callers, world: World) -> None:
    await enrol(world, counter=None)
    clerk = callers(CLERK)
    await world.line(1, 2, 3, 4, 5)
    for room in range(1, 5):
        await calling.call_next(world.core, Act("staff", "staff"), world.queue_ids["A"], f"Room {room}")
    await clerk.dial(DESK)
    await clerk.press(PIN, "1", "1")
    clerk.sees("Doctor: no counter is free. Nothing was done.")


async def test_next_delivered_again_calls_once(clerk: Caller, world: World) -> None:
    await world.line(1, 2)
    await at_desk(clerk)
    await clerk.press("1")
    await clerk.send(times=3)
    clerk.sees("NOW A001")
    assert await world.order() == ["A002"]


async def test_kiswahili_is_spoken_at_the_desk(clerk: Caller, world: World) -> None:
    await world.pool.execute("insert into customers (phone, language) values ($1, 'sw')", phone(CLERK))
    await world.line(1)
    await at_desk(clerk)
    clerk.sees("Sasa - Wanasubiri 1")
    await clerk.press("anayefuata", "amemaliza")
    clerk.sees("Doctor: A001 amemaliza.")


async def test_a_line_that_is_closed_cannot_be_paused(clerk: Caller, world: World) -> None:
    await at_desk(clerk)
    await clerk.press("5")
    await queues.close(world.core, world.clerk(), world.queue_ids["A"], send_home=False)
    await clerk.press("3")
    clerk.sees("Doctor: this has changed meanwhile. Nothing was done.")
