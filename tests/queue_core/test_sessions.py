"""Sessions of the staff panel: how long they last, what ends them, and changing one's password."""

from __future__ import annotations

import asyncio

import pytest

from queue_core import accounts
from queue_core.errors import Refused
from queue_core.staff import MAY
from tests.members import PASSWORD, Members

NEW = "seven lazy flamingos"


async def test_a_session_lasts_thirty_minutes_without_its_person(members: Members) -> None:
    token = await members.log_in()
    await members.world.later(29)
    assert not await members.over(token)
    await members.world.later(29)
    assert not await members.over(token)
    await members.world.later(31)
    assert await members.over(token)


async def test_what_a_page_asks_for_by_itself_keeps_no_session_alive(members: Members) -> None:
    token = await members.log_in()
    await members.world.later(20)
    assert await accounts.session(members.core, token, active=False)
    await members.world.later(11)
    assert await members.over(token)


async def test_a_session_ends_after_twelve_hours_in_any_case(members: Members) -> None:
    token = await members.log_in()
    for _ in range(12 * 3 - 1):
        await members.world.later(20)
        assert not await members.over(token)
    await members.world.later(20)
    assert await members.over(token)


async def test_a_session_that_is_over_is_not_woken(members: Members) -> None:
    token = await members.log_in()
    await members.world.later(31)
    assert await members.over(token)
    assert await accounts.session(members.core, token, active=False) is None


@pytest.mark.parametrize("token", ["", "x", "\0", "\udcff", "' or true --"])
async def test_no_other_token_is_a_session(members: Members, token: str) -> None:
    (session,) = [await members.session(await members.log_in())]
    assert await members.over(token)
    assert await members.over(session.id)


async def test_logging_out_ends_this_session_alone(members: Members) -> None:
    one, other = await members.log_in(), await members.log_in()
    await accounts.log_out(members.core, one)
    await accounts.log_out(members.core, one)
    assert (await members.over(one), await members.over(other)) == (True, False)


async def test_who_is_no_longer_active_has_no_session(members: Members) -> None:
    token = await members.log_in()
    await members.world.pool.execute("update staff set active = false where login = 'clinic1'")
    assert await members.over(token)


async def test_the_desk_is_remembered_for_this_session_and_the_next(members: Members) -> None:
    token, other = await members.log_in(), await members.log_in()
    row = await members.world.row("select id::text from counters where name = 'Room 2'")
    desk = (row["id"], members.world.queue_ids["P"])
    await accounts.remember_desk(members.core, (await members.session(token)).id, *desk)
    for session in (await members.session(token), await members.session(await members.log_in())):
        assert (session.counter_id, session.queue_id) == desk
    assert (await members.session(other)).counter_id is None
    token = await accounts.change_password(members.core, await members.session(token), PASSWORD, NEW)
    session = await members.session(token)
    assert (session.counter_id, session.queue_id) == desk
    await members.world.pool.execute("delete from counters where name = 'Room 2'")
    session = await members.session(token)
    assert (session.counter_id, session.queue_id) == (None, desk[1])


async def test_a_desk_of_another_branch_is_not_kept(members: Members) -> None:
    token = await members.log_in()
    clinic = await members.world.pool.fetchval("select id::text from counters where name = 'Room 1'")
    bank = await members.world.pool.fetchval("select id::text from counters where name = 'Window 1'")
    for counter, queue in ((bank, "C"), (clinic, "C"), (bank, "A")):
        session = await members.session(token)
        await accounts.remember_desk(members.core, session.id, counter, members.world.queue_ids[queue])
        assert await members.session(token) == session


async def test_a_changed_password_ends_all_sessions_and_gives_a_new_one(members: Members) -> None:
    one, other, colleague = await members.log_in(), await members.log_in(), await members.log_in("manager")
    token = await accounts.change_password(members.core, await members.session(one), PASSWORD, NEW)
    assert [await members.over(each) for each in (one, other, token, colleague)] == [True, True, False, False]
    with pytest.raises(Refused, match="wrong_login"):
        await members.log_in()
    assert await members.log_in(password=NEW)
    row = await members.world.row("select * from audit_log where entity = 'staff'")
    assert (row["action"], str(row["actor_id"]), row["details"]) == ("change_password", members.world.clerk_id, {})
    assert str(row["entity_id"]) == members.world.clerk_id


async def test_the_printed_password_must_be_changed_before_anything_else(members: Members) -> None:
    await members.world.pool.execute("update staff set must_change_password = true where login = 'admin'")
    token = await members.log_in("admin")
    session = await members.session(token)
    assert session.member.must_change_password
    assert not any(session.member.may(permission) for permission in MAY)
    with pytest.raises(Refused, match="weak_password") as refused:
        await accounts.change_password(members.core, session, PASSWORD, PASSWORD)
    assert refused.value.facts == {"why": "same"}
    token = await accounts.change_password(members.core, session, PASSWORD, NEW)
    member = (await members.session(token)).member
    assert all(member.may(permission) for permission in MAY)


@pytest.mark.parametrize(
    ("new", "why"),
    [
        ("short", "short"),
        ("clinic1 clinic1 !", "yours"),
        ("Afya Bora 2024 Amina", "yours"),
        ("password12345678", "common"),
    ],
)
async def test_a_weak_password_is_refused_and_says_why(members: Members, new: str, why: str) -> None:
    token = await members.log_in()
    with pytest.raises(Refused, match="weak_password") as refused:
        await accounts.change_password(members.core, await members.session(token), PASSWORD, new)
    assert refused.value.facts == {"why": why, "least": 15}
    assert not await members.over(token)


async def test_the_old_password_is_guessed_as_rarely_as_at_log_in(members: Members) -> None:
    session = await members.session(await members.log_in())
    answers = await asyncio.gather(
        *(accounts.change_password(members.core, session, f"guess {n}", NEW) for n in range(20)),
        return_exceptions=True,
    )
    assert sorted(str(answer) for answer in answers) == ["too_many"] * 15 + ["wrong_password"] * 5
    assert await members.log_in()  # whoever found an open desk does not keep its owner out


async def test_of_two_changes_at_once_one_counts(members: Members) -> None:
    session = await members.session(await members.log_in())
    answers = await asyncio.gather(
        *(accounts.change_password(members.core, session, PASSWORD, f"{NEW} {n}") for n in range(2)),
        return_exceptions=True,
    )
    assert [str(answer) for answer in answers if isinstance(answer, Refused)] == ["wrong_password"]
    assert await members.world.pool.fetchval("select count(*) from staff_sessions") == 1
    assert await members.audit() == ["change_password"]


async def test_a_session_that_was_ended_changes_no_password(members: Members) -> None:
    token = await members.log_in()
    session = await members.session(token)
    await accounts.log_out(members.core, token)
    with pytest.raises(Refused, match="wrong_password"):
        await accounts.change_password(members.core, session, PASSWORD, NEW)


async def test_the_sweeper_forgets_sessions_that_are_over_and_tries_of_yesterday(members: Members) -> None:
    token = await members.log_in()
    await members.log_in("manager")
    with pytest.raises(Refused, match="wrong_login"):
        await members.log_in(password="another password")
    await members.world.later(25)
    assert not await members.over(token)
    await members.world.later(10)
    await members.world.sweep()
    assert await members.world.pool.fetchval("select count(*) from staff_sessions") == 1
    assert not await members.over(token)
    assert await members.world.pool.fetchval("select count(*) from login_tries where kind = 'login'") == 1
    await members.world.next_day()
    await members.world.sweep()
    assert await members.world.pool.fetchval("select count(*) from staff_sessions") == 0
    assert await members.world.pool.fetchval("select count(*) from login_tries") == 0


async def test_strangers_at_the_door_keep_nobody_from_changing_his_password(members: Members) -> None:
    session = await members.session(await members.log_in())
    for _ in range(8):
        with pytest.raises(Refused):
            await members.log_in(password="a guess", source="198.51.100.7")
    assert await accounts.change_password(members.core, session, PASSWORD, "a quite different one 55")
