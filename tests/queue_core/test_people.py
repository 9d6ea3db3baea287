"""Managing accounts: an admin everybody of the organization, a manager the staff of the branch."""

from __future__ import annotations

import pytest

from queue_core import people, staff_phones
from queue_core.core import Act
from queue_core.errors import Refused
from queue_core.people import Person
from queue_core.staff import Role
from tests.members import Members
from tests.world import phone

OPERATOR = Act("staff", "staff", reason="command line")
ROW = """
select a.action, a.details, a.actor_id::text, b.code as branch
  from audit_log a left join branches b on b.id = a.branch_id where a.entity = 'staff' order by a.id desc limit 1
"""


async def logins(members: Members, act: Act) -> list[str]:
    return [person.login for person in await people.people(members.core, act)]


async def person(members: Members, login: str) -> Person:
    (found,) = [person for person in await people.people(members.core, OPERATOR) if person.login == login]
    return found


async def refused(members: Members, by: str, login: str, role: str, branch: str | None) -> str:
    """Why somebody cannot be added."""
    act = await members.act(by)
    with pytest.raises(Refused) as refusal:
        await people.add_person(members.core, act, login, "Njeri", role, branch)  # type: ignore[arg-type]
    return refusal.value.code


async def add_second_admin(members: Members) -> None:
    await people.add_person(members.core, await members.act("admin"), "second", "Achieng", "admin", None)
    await members.world.pool.execute(
        """update staff set password_hash = admin.password_hash, must_change_password = false
             from staff admin where admin.login = 'admin' and staff.login = 'second'"""
    )


async def add_organization(members: Members) -> None:
    """Another one, with a branch, an admin and a clerk."""
    await members.world.pool.execute(
        """with o as (insert into organizations (name) values ('Other') returning id),
                b as (insert into branches (organization_id, code, name, phone) select id, '7777', 'Other', '1' from o
                      returning id, organization_id)
           insert into staff (organization_id, branch_id, role, login, name, password_hash)
           select organization_id, case role when 'staff' then id end, role, 'other-' || role, role, 'x'
             from b, unnest(array['admin', 'staff']) role"""
    )


async def test_each_sees_whom_he_manages(members: Members) -> None:
    await add_organization(members)
    for by, seen in (
        ("admin", ["admin", "clinic1", "manager", "bank1"]),
        ("manager", ["clinic1", "manager"]),
        ("clinic1", []),
    ):
        assert await logins(members, await members.act(by)) == seen
    assert len(await logins(members, OPERATOR)) == 6


async def test_a_person_is_shown_with_his_phone(members: Members) -> None:
    amina = await person(members, "clinic1")
    assert (amina.name, amina.role, amina.branch, amina.active) == ("Amina", "staff", "4071", True)
    assert (amina.must_change_password, amina.has_totp) == (False, False)
    assert (amina.phone, amina.phone_state, amina.phone_counter) == (None, None, None)
    await staff_phones.enrol(members.core, await members.act("manager"), "clinic1", phone(900), "Room 1")
    amina = await person(members, "clinic1")
    assert (amina.phone, amina.phone_state, amina.phone_counter) == ("9900", "unconfirmed", "Room 1")
    for column, state in (("enrolled_at", "enrolled"), ("locked_until", "locked"), ("blocked_at", "blocked")):
        await members.world.pool.execute(
            f"update staff_phones set pin_hash = 'x', {column} = clock_timestamp() + interval '1 minute'"  # noqa: S608
        )
        assert (await person(members, "clinic1")).phone_state == state


@pytest.mark.parametrize(
    ("by", "role", "branch"),
    [
        ("admin", "admin", None),
        ("admin", "manager", "5084"),
        ("admin", "staff", "4071"),
        ("manager", "staff", "4071"),
    ],
)
async def test_somebody_is_added_with_a_password_that_must_be_changed(
    members: Members, by: str, role: Role, branch: str | None
) -> None:
    act = await members.act(by)
    password = await people.add_person(members.core, act, " Njeri.2 ", " Njeri  Wa\nThiong'o ", role, branch)
    added = await person(members, "njeri.2")
    assert (added.name, added.role, added.branch, added.active) == ("Njeri Wa Thiong'o", role, branch, True)
    member = (await members.session(await members.log_in("njeri.2", password))).member
    assert member.must_change_password
    assert dict(await members.world.row(ROW)) == {
        "action": "add",
        "details": {"role": role, "branch": branch} if branch else {"role": role},
        "actor_id": act.actor_id,
        "branch": branch,
    }


async def test_who_may_not_give_a_role_or_a_branch_adds_nobody(members: Members) -> None:
    await add_organization(members)
    before = await members.world.pool.fetchval("select count(*) from staff")
    for by, role, branch, code in [
        ("clinic1", "staff", "4071", "not_allowed"),
        ("manager", "manager", "4071", "not_allowed"),
        ("manager", "admin", None, "not_allowed"),
        ("manager", "admin", "4071", "not_allowed"),
        ("manager", "staff", "5084", "no_branch"),
        ("admin", "staff", "7777", "no_branch"),
        ("admin", "staff", "9999", "no_branch"),
        ("admin", "staff", None, "no_branch"),
        ("admin", "admin", "9999", "no_branch"),
        ("admin", "king", "4071", "not_allowed"),
    ]:
        assert await refused(members, by, "njeri", role, branch) == code
    assert await refused(members, "admin", "clinic1", "staff", "4071") == "login_taken"
    assert await refused(members, "manager", "bank1", "staff", "4071") == "login_taken"
    assert await members.world.pool.fetchval("select count(*) from staff") == before
    assert await members.audit() == []


@pytest.mark.parametrize("login", ["", "a b", "-x", "x" * 33, "é", "a\0", "<b>"])
async def test_a_login_is_small_letters_and_digits(members: Members, login: str) -> None:
    assert await refused(members, "admin", login, "staff", "4071") == "bad_login"


@pytest.mark.parametrize("name", ["", " \n ", "x" * 41, "a\0b", "a\x1b[1mb", "\u202ekcab", "\udcff"])
async def test_a_name_is_what_can_be_seen(members: Members, name: str) -> None:
    with pytest.raises(Refused, match="bad_name"):
        await people.add_person(members.core, await members.act("admin"), "njeri", name, "staff", "4071")
    with pytest.raises(Refused, match="bad_name"):
        await people.change_person(members.core, await members.act("admin"), "clinic1", name, "staff", "4071")


async def test_a_request_that_comes_twice_adds_once_and_shows_no_false_password(members: Members) -> None:
    act = await members.act("admin")
    password = await people.add_person(members.core, act, "njeri", "Njeri", "staff", "4071")
    with pytest.raises(Refused, match="repeated"):
        await people.add_person(members.core, act, "njeri", "Njeri", "staff", "4071")
    assert await members.log_in("njeri", password)
    assert await members.audit() == ["add"]


async def test_a_change_says_what_it_changed(members: Members) -> None:
    act = await members.act("admin")
    await people.change_person(members.core, act, "clinic1", "Amina W", "manager", "5084")
    assert dict(await members.world.row(ROW)) == {
        "action": "change",
        "details": {"name": ["Amina", "Amina W"], "role": ["staff", "manager"], "branch": ["4071", "5084"]},
        "actor_id": act.actor_id,
        "branch": "5084",
    }
    amina = await person(members, "clinic1")
    assert (amina.name, amina.role, amina.branch) == ("Amina W", "manager", "5084")


async def test_a_change_of_nothing_is_none(members: Members) -> None:
    await people.change_person(members.core, await members.act("manager"), "clinic1", "Amina", "staff", "4071")
    assert await members.audit() == []


async def test_another_role_or_branch_ends_sessions_and_another_name_does_not(members: Members) -> None:
    token = await members.log_in()
    await people.change_person(members.core, await members.act("manager"), "clinic1", "Amina W", "staff", "4071")
    assert not await members.over(token)
    await people.change_person(members.core, await members.act("admin"), "clinic1", "Amina W", "staff", "5084")
    assert await members.over(token)


@pytest.mark.parametrize(
    ("by", "login", "role", "branch", "code"),
    [
        ("clinic1", "clinic1", "manager", "4071", "no_staff"),
        ("manager", "clinic1", "manager", "4071", "not_allowed"),
        ("manager", "clinic1", "staff", "5084", "no_branch"),
        ("manager", "clinic1", "staff", None, "no_branch"),
        ("manager", "manager", "admin", "4071", "not_allowed"),
        ("manager", "manager", "admin", None, "not_allowed"),
        ("manager", "bank1", "staff", "4071", "no_staff"),
        ("manager", "admin", "staff", "4071", "no_staff"),
        ("manager", "second-manager", "staff", "4071", "no_staff"),
        ("admin", "other-staff", "staff", "4071", "no_staff"),
        ("admin", "nobody", "staff", "4071", "no_staff"),
        ("admin", "clinic1", "staff", "7777", "no_branch"),
        ("admin", "admin", "manager", "4071", "last_admin"),
    ],
)
async def test_nobody_rises_above_his_own_role_nor_reaches_beyond_his_branch(
    members: Members, by: str, login: str, role: Role, branch: str | None, code: str
) -> None:
    await add_organization(members)
    await people.add_person(members.core, await members.act("admin"), "second-manager", "Second", "manager", "4071")
    before = await people.people(members.core, OPERATOR)
    with pytest.raises(Refused, match=code):
        await people.change_person(members.core, await members.act(by), login, "Renamed", role, branch)
    assert await people.people(members.core, OPERATOR) == before


@pytest.mark.parametrize(
    ("by", "login"),
    [
        ("clinic1", "clinic1"),
        ("manager", "admin"),
        ("manager", "bank1"),
        ("manager", "second-manager"),
        ("admin", "other-staff"),
        ("admin", "nobody"),
    ],
)
async def test_what_is_not_ones_own_to_manage_is_nobody(members: Members, by: str, login: str) -> None:
    await add_organization(members)
    await people.add_person(members.core, await members.act("admin"), "second-manager", "Second", "manager", "4071")
    before = await members.world.pool.fetch("select * from staff order by login")
    act = await members.act(by)
    for verb in (
        people.set_active(members.core, act, login, active=False),
        people.reset_password(members.core, Act(**{**act.as_json(), "request": "another"}), login),
        staff_phones.enrol(members.core, Act(**{**act.as_json(), "request": "a third"}), login, phone(900), None),
    ):
        with pytest.raises(Refused, match="no_staff"):
            await verb
    assert await members.world.pool.fetch("select * from staff order by login") == before


async def test_a_manager_keeps_his_own_name_true(members: Members) -> None:
    await people.change_person(members.core, await members.act("manager"), "manager", "Otieno J", "manager", "4071")
    assert (await person(members, "manager")).name == "Otieno J"
