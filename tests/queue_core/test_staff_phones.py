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


async def test_who_no_longer_works_here_has_no_phone(world: World) -> None:
    await enrolled(world)
    await world.pool.execute("update staff set active = false where login = 'clinic1'")
    assert await staff_phones.of(world.core, AMINA) is None
    assert not (await check(world, PIN)).right


async def test_two_people_cannot_be_enrolled_with_one_phone_at_once(world: World) -> None:
    await asyncio.gather(
        *(staff_phones.enrol(world.core, act(), login, AMINA, None) for login in ("clinic1", "manager", "admin"))
    )
    assert await world.pool.fetchval("select count(*) from staff_phones") == 1
