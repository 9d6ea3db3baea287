"""Whom an early close left unserved is first in line on a coming day."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from queue_core import customers, tickets
from queue_core.errors import Refused
from queue_core.tickets import Joined
from tests.world import World, phone


async def _first(world: World, person: int) -> Joined:
    """The offer is taken: tomorrow, first in line."""
    today = await world.pool.fetchval("select today(branch_id) from queues limit 1")
    return await tickets.join_first(world.core, world.customer(), phone(person), today + timedelta(days=1))


async def test_a_line_that_closed_early_offers_the_first_place_of_another_day(world: World) -> None:
    (sent_home,) = await world.line(1)
    assert (await tickets.dial_in(world.core, phone(1))).shut is None
    await world.close(send_home=True)
    shut = (await tickets.dial_in(world.core, phone(1))).shut
    assert shut
    assert (shut.id, shut.status) == (sent_home.id, "expired")
    joined = await _first(world, 1)
    assert joined.new
    assert (joined.ticket.label, joined.ticket.ahead, joined.ticket.today) == ("A001", 0, False)
    assert (await tickets.dial_in(world.core, phone(1))).shut is None


async def test_on_that_day_they_are_called_first(world: World) -> None:
    await world.line(1)
    await world.close(send_home=True)
    await world.open()
    day = (await world.line(3, 4))[0].service_date
    joined = await tickets.join_first(world.core, world.customer(), phone(1), day)
    assert (joined.ticket.number, joined.ticket.ahead) == (4, 0)
    assert await world.order() == ["A004", "A002", "A003"]
    assert (await world.called()).phone == phone(1)


async def test_the_first_of_them_stays_first(world: World) -> None:
    await world.line(1, 2)
    await world.close(send_home=True)
    await world.open()
    (third,) = await world.line(3)
    for person in (2, 1):
        await tickets.join_first(world.core, world.customer(), phone(person), third.service_date)
    assert await world.order() == ["A004", "A005", "A003"]


async def test_name_and_language_are_kept(world: World) -> None:
    await world.join(1, name="Amina", language="sw")
    await world.close(send_home=True)
    ticket = (await _first(world, 1)).ticket
    assert (ticket.name, ticket.language) == ("Amina", "sw")


async def test_nobody_is_sent_to_a_counter_that_is_free_today(world: World) -> None:
    await world.line(1, 2)
    await world.serve()
    await world.close(send_home=True)
    await _first(world, 2)
    assert await world.texts(2) == ["joined", "closed_early", "joined"]


async def test_who_was_served_left_or_expired_otherwise_has_no_such_claim(world: World) -> None:
    await world.line(1, 2)
    await world.serve()
    await world.leave(2)
    await world.close(send_home=True)
    for person in (1, 2, 3):
        with pytest.raises(Refused) as refusal:
            await _first(world, person)
        assert refusal.value.code == "no_ticket"


async def test_the_offer_ends_with_the_day_with_a_no_and_with_its_use(world: World) -> None:
    await world.line(1, 2)
    await world.close(send_home=True)
    shut = (await tickets.dial_in(world.core, phone(1))).shut
    assert shut
    await customers.shut_answered(world.core, shut.id)
    with pytest.raises(Refused):
        await _first(world, 1)
    await world.next_day()
    with pytest.raises(Refused):
        await _first(world, 2)


async def test_who_has_a_place_already_keeps_that_one(world: World) -> None:
    await world.line(1)
    await world.close(send_home=True)
    elsewhere = (await world.join(1, "P")).ticket
    answer = await _first(world, 1)
    assert (answer.new, answer.ticket.id) == (False, elsewhere.id)


async def test_taking_it_twice_at_once_gives_one_place(world: World) -> None:
    await world.line(1)
    await world.close(send_home=True)
    answers = await asyncio.gather(*(_first(world, 1) for _ in range(3)))
    assert sorted(answer.new for answer in answers) == [False, False, True]
    assert len({answer.ticket.id for answer in answers}) == 1


async def test_a_place_for_tomorrow_survives_tonight(world: World) -> None:
    await world.line(1)
    await world.close(send_home=True)
    ticket = (await _first(world, 1)).ticket
    await world.sweep()
    assert await world.state(ticket) == "waiting"
    assert (await world.call()).ticket is None
