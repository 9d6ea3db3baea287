"""A staff member's phone: enrolled with a code, opened by a PIN, locked by wrong ones."""

from __future__ import annotations

import asyncio

import pytest

from queue_core import staff_phones
from queue_core.core import Act
from queue_core.errors import Refused
from queue_core.staff_phones import PinAnswer, StaffPhone
from tests.world import World, phone

PEPPER = b"kept elsewhere than the hashes"
PIN = "483920"
AMINA = phone(900)
AUDIT = """
select action, s.login from audit_log a join staff s on s.id = entity_id where entity = 'staff' order by a.id
"""


def act() -> Act:
    return Act("staff", "staff", reason="test")


async def sent_code(world: World, number: str = AMINA) -> str:
    """What the text to this phone says."""
    row = await world.row(
        """select parameters from notifications where template = 'staff_code' and phone = $1
            order by created_at desc limit 1""",
        number,
    )
    return str(row["parameters"]["otp"])


async def enrolled(
    world: World, login: str = "clinic1", number: str = AMINA, counter: str | None = "Room 1"
) -> StaffPhone:
    await staff_phones.enrol(world.core, act(), login, number, counter)
    await staff_phones.confirm(world.core, act(), login, await sent_code(world, number), PIN, PEPPER)
    found = await staff_phones.of(world.core, number)
    assert found
    return found


async def check(world: World, pin: str, number: str = AMINA, request: str | None = None) -> PinAnswer:
    return await staff_phones.check_pin(world.core, number, pin, PEPPER, request)


async def audit(world: World) -> list[tuple[str, str]]:
    return [tuple(row) for row in await world.pool.fetch(AUDIT)]


async def test_a_phone_is_enrolled_by_the_code_that_it_got(world: World) -> None:
    await staff_phones.enrol(world.core, act(), "clinic1", "0711009900", "room 1")
    assert await staff_phones.of(world.core, AMINA) is None
    code = await sent_code(world)
    assert await staff_phones.confirm(world.core, act(), "clinic1", f" {code}", PIN, PEPPER) == PIN
    found = await staff_phones.of(world.core, AMINA)
    assert found
    assert (found.login, found.role, found.counter, found.branch) == ("clinic1", "staff", "Room 1", "Kilimani Clinic")
    assert (found.staff_id, found.branches) == (world.clerk_id, (world.branches["4071"],))
    assert await audit(world) == [("enrol", "clinic1"), ("confirm", "clinic1")]
    assert found.act("sms", "r1").as_json() == {
        "actor": "staff",
        "channel": "sms",
        "actor_id": world.clerk_id,
        "reason": None,
        "branches": [world.branches["4071"]],
        "request": "r1",
    }


async def test_neither_the_pin_nor_the_code_is_kept_with_the_phone(world: World) -> None:
    await staff_phones.enrol(world.core, act(), "clinic1", AMINA, None)
    code = await sent_code(world)
    assert code not in str(await world.row("select * from staff_phones"))
    await staff_phones.confirm(world.core, act(), "clinic1", code, PIN, PEPPER)
    row = str(await world.row("select * from staff_phones"))
    assert PIN not in row
    assert PIN not in str(await world.pool.fetch("select * from requests"))
    assert AMINA not in str(await world.pool.fetch("select * from audit_log"))
    with pytest.raises(Refused, match="code_over"):
        await staff_phones.confirm(world.core, act(), "clinic1", code, PIN, PEPPER)


async def test_an_admin_works_in_every_branch_of_the_organization(world: World) -> None:
    found = await enrolled(world, "admin", counter="Window 2")
    assert set(found.branches) == set(world.branches.values())
    assert (found.branch, found.counter) == (None, "Window 2")


async def test_who_and_what_cannot_be_enrolled_is_refused(world: World) -> None:
    await enrolled(world)
    bank = world.clerk(branch="5084")
    for by, login, number, counter, code in [
        (act(), "nobody", phone(901), None, "no_staff"),
        (bank, "clinic1", phone(901), None, "no_staff"),
        (bank, "admin", phone(901), None, "no_staff"),
        (act(), "manager", "911", None, "bad_phone"),
        (act(), "manager", AMINA, None, "phone_taken"),
        (act(), "manager", phone(901), "Window 1", "no_counter"),
    ]:
        with pytest.raises(Refused, match=code):
            await staff_phones.enrol(world.core, by, login, number, counter)
    assert await world.pool.fetchval("select count(*) from staff_phones") == 1


async def test_an_unconfirmed_phone_is_nobodys_and_the_new_phone_is_the_only_one(world: World) -> None:
    await staff_phones.enrol(world.core, act(), "manager", AMINA, None)
    await enrolled(world)
    await enrolled(world, number=phone(901))
    assert await staff_phones.of(world.core, AMINA) is None
    assert await staff_phones.of(world.core, phone(901))


async def test_a_phone_gets_three_codes_an_hour_and_six_a_day(world: World) -> None:
    async def enrol(person: str = "clinic1") -> int:
        """The seconds to wait before the next code; 0 where this one was sent."""
        try:
            await staff_phones.enrol(world.core, act(), person, AMINA, None)
        except Refused as refused:
            return int(refused.facts["seconds"])
        return 0

    assert sorted(map(bool, await asyncio.gather(*(enrol() for _ in range(5))))) == [False] * 3 + [True] * 2
    assert 3590 < await enrol("manager") <= 3600
    await staff_phones.enrol(world.core, act(), "clinic1", phone(901), None)
    await world.later(61)
    assert [await enrol() for _ in range(3)] == [0, 0, 0]
    await world.later(61)
    assert 20 * 3600 < await enrol() <= 22 * 3600
    await world.later(22 * 60)
    assert await enrol() == 0


async def test_another_organization_does_not_cancel_a_code_that_is_under_way(world: World) -> None:
    await world.pool.execute("""
        with other as (insert into organizations (name) values ('Other') returning id)
        insert into staff (organization_id, role, login, name, password_hash)
        select id, 'admin', 'other', 'Other', '' from other
    """)
    await staff_phones.enrol(world.core, act(), "clinic1", AMINA, None)
    with pytest.raises(Refused, match="phone_taken"):
        await staff_phones.enrol(world.core, act(), "other", AMINA, None)
    await world.later(11)
    await staff_phones.enrol(world.core, act(), "other", AMINA, None)
    with pytest.raises(Refused, match="phone_taken"):
        await staff_phones.enrol(world.core, act(), "clinic1", AMINA, None)


async def test_five_wrong_codes_or_ten_minutes_end_a_code(world: World) -> None:
    await staff_phones.enrol(world.core, act(), "clinic1", AMINA, None)
    code = await sent_code(world)
    for left in (4, 3, 2, 1, 0):
        with pytest.raises(Refused, match="wrong_code") as refused:
            await staff_phones.confirm(world.core, act(), "clinic1", "wrong", None, PEPPER)
        assert refused.value.facts == {"tries_left": left}
    with pytest.raises(Refused, match="code_over"):
        await staff_phones.confirm(world.core, act(), "clinic1", code, None, PEPPER)
    await staff_phones.enrol(world.core, act(), "clinic1", AMINA, None)
    await world.later(11)
    with pytest.raises(Refused, match="code_over"):
        await staff_phones.confirm(world.core, act(), "clinic1", await sent_code(world), None, PEPPER)
    with pytest.raises(Refused, match="code_over"):
        await staff_phones.confirm(world.core, act(), "manager", "000000", None, PEPPER)


@pytest.mark.parametrize(
    "pin",
    [
        "",
        "1234",
        "12345x",
        "111111",
        "121212",
        "123456",
        "987654",
        "890123",
        "483483",
        "\u0664\u0668\u0663\u0669\u0662\u0660",
    ],
)
async def test_a_pin_that_is_guessed_first_is_refused_and_costs_no_try(world: World, pin: str) -> None:
    assert staff_phones.is_weak(pin)
    if pin:
        with pytest.raises(Refused, match="weak_pin"):
            await staff_phones.confirm(world.core, act(), "clinic1", "000000", pin, PEPPER)


async def test_a_pin_is_made_for_who_brings_none(world: World) -> None:
    await staff_phones.enrol(world.core, act(), "clinic1", AMINA, None)
    pin = await staff_phones.confirm(world.core, act(), "clinic1", await sent_code(world), None, PEPPER)
    assert not staff_phones.is_weak(pin)
    assert (await check(world, pin)).right


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


async def test_who_no_longer_works_here_has_no_phone(world: World) -> None:
    await enrolled(world)
    await world.pool.execute("update staff set active = false where login = 'clinic1'")
    assert await staff_phones.of(world.core, AMINA) is None
    assert not (await check(world, PIN)).right


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


async def test_two_people_cannot_be_enrolled_with_one_phone_at_once(world: World) -> None:
    await asyncio.gather(
        *(staff_phones.enrol(world.core, act(), login, AMINA, None) for login in ("clinic1", "manager", "admin"))
    )
    assert await world.pool.fetchval("select count(*) from staff_phones") == 1
