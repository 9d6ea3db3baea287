"""Accounts that end, passwords that are reset, and the last admin, who stays."""

from __future__ import annotations

import asyncio

import pytest

from queue_core import people
from queue_core.errors import Refused
from tests.members import PASSWORD, Members
from tests.queue_core.test_people import add_second_admin, person


async def test_who_is_made_inactive_is_out_at_once(members: Members) -> None:
    one, other = await members.log_in(), await members.log_in()
    manager = await members.act("manager")
    await people.set_active(members.core, manager, "clinic1", active=False)
    assert (await members.over(one), await members.over(other)) == (True, True)
    with pytest.raises(Refused, match="wrong_login"):
        await members.log_in()
    assert not (await person(members, "clinic1")).active
    again = await members.act("manager")
    await people.set_active(members.core, again, "clinic1", active=True)
    await people.set_active(members.core, await members.act("manager"), "clinic1", active=True)
    assert await members.over(one)
    assert await members.log_in()
    assert await members.audit() == ["deactivate", "activate"]


async def test_a_reset_password_ends_sessions_and_what_wrong_tries_did(members: Members) -> None:
    token = await members.log_in()
    for _ in range(5):
        with pytest.raises(Refused, match="wrong_login"):
            await members.log_in(password="another password")
    act = await members.act("manager")
    password = await people.reset_password(members.core, act, "clinic1")
    assert await members.over(token)
    with pytest.raises(Refused, match="wrong_login"):
        await members.log_in()
    session = await members.session(await members.log_in(password=password))
    assert session.member.must_change_password
    with pytest.raises(Refused, match="repeated"):
        await people.reset_password(members.core, act, "clinic1")
    assert await members.audit() == ["reset_password"]
    for table in ("audit_log", "requests", "staff"):
        assert password not in str(await members.world.pool.fetch(f"select * from {table}"))  # noqa: S608


async def test_ones_own_password_is_changed_with_the_old_one_only(members: Members) -> None:
    for login in ("admin", "manager"):
        with pytest.raises(Refused, match="yourself"):
            await people.reset_password(members.core, await members.act(login), login)
        assert await members.log_in(login, PASSWORD)


async def test_the_last_admin_stays(members: Members) -> None:
    with pytest.raises(Refused, match="last_admin"):
        await people.set_active(members.core, await members.act("admin"), "admin", active=False)
    await add_second_admin(members)
    await people.set_active(members.core, await members.act("admin"), "admin", active=False)
    with pytest.raises(Refused, match="last_admin"):
        await people.change_person(members.core, await members.act("second"), "second", "Achieng", "manager", "4071")


async def test_two_admins_cannot_put_each_other_out_at_once(members: Members) -> None:
    await add_second_admin(members)
    acts = {login: await members.act(login) for login in ("admin", "second")}
    answers = await asyncio.gather(
        people.set_active(members.core, acts["admin"], "second", active=False),
        people.change_person(members.core, acts["second"], "admin", "Wanjiru", "staff", "4071"),
        return_exceptions=True,
    )
    assert sum(answer is None for answer in answers) == 1
    admins = "select count(*) from staff where role = 'admin' and active"
    assert await members.world.pool.fetchval(admins) == 1


async def test_whoever_has_the_printed_password_still_manages_nobody(members: Members) -> None:
    act = await members.act("admin")
    await members.world.pool.execute("update staff set must_change_password = true where login = 'admin'")
    assert await people.people(members.core, act) == []
    with pytest.raises(Refused, match="no_staff"):
        await people.set_active(members.core, act, "clinic1", active=False)


async def test_an_act_of_who_was_an_admin_manages_nobody(members: Members) -> None:
    await add_second_admin(members)
    act = await members.act("admin")
    await people.change_person(members.core, await members.act("second"), "admin", "Wanjiru", "staff", "4071")
    assert await people.people(members.core, act) == []
    with pytest.raises(Refused, match="not_allowed"):
        await people.add_person(members.core, act, "njeri", "Njeri", "admin", None)
