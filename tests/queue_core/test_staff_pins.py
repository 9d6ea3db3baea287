"""The PIN of a staff member's phone: guessed, locked, asked for again, and what it opens."""

from __future__ import annotations

import asyncio

import pytest

from queue_core import staff_phones
from queue_core.errors import Refused
from queue_core.staff_phones import PinAnswer
from tests.queue_core.test_staff_phones import AMINA, PIN, act, audit, check, enrolled
from tests.world import World, phone


async def test_five_wrong_pins_lock_for_longer_each_time_and_a_right_one_forgives(world: World) -> None:
    await enrolled(world)
    for minutes in (15, 30, 60, 60):
        for left in (4, 3, 2, 1):
            assert await check(world, "000001") == PinAnswer(right=False, tries_left=left, locked_minutes=0)
        assert await check(world, "000001") == PinAnswer(right=False, tries_left=0, locked_minutes=minutes)
        assert await check(world, PIN) == PinAnswer(right=False, tries_left=0, locked_minutes=minutes)
        await world.later(minutes + 1)
    assert (await check(world, PIN)).right
    assert (await check(world, "000001")).tries_left == 4
    tries = [await check(world, "000001") for _ in range(4)]
    assert tries[-1].locked_minutes == 15


async def test_the_fifth_try_may_be_the_right_one(world: World) -> None:
    await enrolled(world)
    for _ in range(4):
        await check(world, "000001")
    assert (await check(world, PIN)).right
    assert (await check(world, "000001")).tries_left == 4


async def test_of_many_tries_at_once_five_are_judged(world: World) -> None:
    await enrolled(world)
    answers = await asyncio.gather(*(check(world, f"0000{n:02}") for n in range(20)))
    assert sorted(answer.tries_left for answer in answers if not answer.locked_minutes) == [1, 2, 3, 4]
    assert not any(answer.right for answer in answers)
    assert (await check(world, PIN)).locked_minutes == 15
    assert await world.pool.fetchval("select lockouts from staff_phones") == 1


async def test_a_try_that_is_told_again_counts_once(world: World) -> None:
    await enrolled(world)
    for _ in range(7):
        assert await check(world, "000001", request="pin:1") == PinAnswer(right=False, tries_left=4, locked_minutes=0)
    assert (await check(world, PIN, request="pin:2")).right


async def test_an_unknown_phone_or_another_pepper_is_simply_wrong(world: World) -> None:
    await enrolled(world)
    assert await check(world, PIN, phone(999)) == PinAnswer(right=False, tries_left=4, locked_minutes=0)
    assert not (await staff_phones.check_pin(world.core, AMINA, PIN, b"another")).right


async def test_unlocking_ends_a_lock_and_blocking_ends_everything(world: World) -> None:
    found = await enrolled(world)
    for _ in range(5):
        await check(world, "000001")
    locked = await staff_phones.of(world.core, AMINA)
    assert locked
    assert locked.locked_minutes == 15
    with pytest.raises(Refused, match="no_staff"):
        await staff_phones.unlock(world.core, world.clerk(branch="5084"), "clinic1")
    with pytest.raises(Refused, match="no_phone"):
        await staff_phones.unlock(world.core, act(), "manager")
    await staff_phones.unlock(world.core, act(), "clinic1")
    assert (await check(world, PIN)).right
    await staff_phones.block(world.core, AMINA, found.act("sms", "no-1"))
    await staff_phones.block(world.core, AMINA, found.act("sms", "no-2"))
    assert await staff_phones.of(world.core, AMINA) is None
    assert not (await check(world, PIN)).right
    with pytest.raises(Refused, match="blocked"):
        await staff_phones.unlock(world.core, act(), "clinic1")
    assert [action for action, _ in await audit(world)] == ["enrol", "confirm", "unlock", "block"]


async def test_a_challenge_is_answered_once_in_time_and_with_its_own_digits(world: World) -> None:
    await enrolled(world)
    queue = world.queue_ids["A"]
    assert await staff_phones.take_challenge(world.core, AMINA, "10") is None
    digits = await staff_phones.new_challenge(world.core, AMINA, "pause", queue)
    assert len(digits) == 2
    answers = await asyncio.gather(*(staff_phones.take_challenge(world.core, AMINA, digits) for _ in range(3)))
    assert sorted(answers, key=bool) == [None, None, ("pause", queue)]
    digits = await staff_phones.new_challenge(world.core, AMINA, "close", queue)
    assert await staff_phones.take_challenge(world.core, AMINA, digits[::-1] + "x") is None
    assert await staff_phones.take_challenge(world.core, AMINA, digits) is None
    digits = await staff_phones.new_challenge(world.core, AMINA, "close", queue)
    await world.pool.execute(
        "update staff_phones set challenge = challenge || jsonb_build_object('until', clock_timestamp())"
    )
    assert await staff_phones.take_challenge(world.core, AMINA, digits) is None


async def test_what_became_of_a_ticket_is_asked_once_and_then_answered(world: World) -> None:
    await enrolled(world)
    one, two = [ticket.id for ticket in await world.line(1, 2)]
    tickets = (one, one, one, two, one)
    for _ in range(2):  # made again, a request gets its first answer
        asked = [
            await staff_phones.ask_about(world.core, AMINA, ticket, f"{place}") for place, ticket in enumerate(tickets)
        ]
        assert asked == [False, True, False, False, False]
    await world.later(11)
    assert not await staff_phones.ask_about(world.core, AMINA, one, "later")


async def test_the_first_use_of_a_day_is_known(world: World) -> None:
    await enrolled(world, "admin", counter=None)
    uses = await asyncio.gather(*(staff_phones.first_use_today(world.core, AMINA) for _ in range(3)))
    assert sorted(uses) == [False, False, True]
    await world.next_day()
    assert await staff_phones.first_use_today(world.core, AMINA)


async def test_a_rolling_code_is_good_once_and_a_wrong_one_is_a_wrong_pin(world: World) -> None:
    await enrolled(world)
    assert not (await staff_phones.check_rolling(world.core, AMINA, "0000")).right
    code = await staff_phones.new_rolling_code(world.core, AMINA)
    answers = await asyncio.gather(*(staff_phones.check_rolling(world.core, AMINA, code) for _ in range(3)))
    assert sorted(answer.right for answer in answers) == [False, False, True]
    assert not (await staff_phones.check_rolling(world.core, phone(999), code)).right
