"""The demo world, and adding staff with a first password."""

from __future__ import annotations

from typing import get_args

import asyncpg
import pytest

from db.pool import Pool
from queue_core import demo, queues, staff
from queue_core.core import Act, Core
from queue_core.hashing import HASHER
from tests.members import Members
from tests.world import World

STAFF = (
    "select s.login, s.role, b.code, must_change_password, active from staff s left join branches b on b.id = branch_id"
)


async def test_the_demo_world_is_made_once(pool: Pool) -> None:
    core = Core(pool)
    passwords = await demo.seed(core)
    assert list(passwords) == ["admin", "manager", "clinic1", "bank1"]
    assert len(set(passwords.values())) == 4
    tables = ("organizations", "branches", "queues", "counters", "counter_queues", "staff")
    counts = [await pool.fetchval(f"select count(*) from {table}") for table in tables]  # noqa: S608
    assert counts == [1, 2, 5, 7, 4 * 3 + 3 * 2, 4]
    assert await demo.seed(core) == {}
    assert [await pool.fetchval(f"select count(*) from {table}") for table in tables] == counts  # noqa: S608


async def test_the_demo_lines_are_open_and_in_their_order(world: World) -> None:
    place = await queues.place(world.core, "4071")
    assert place
    assert [(line.code, line.name, line.status) for line in place.lines] == [
        ("A", "Doctor", "open"),
        ("P", "Pharmacy", "open"),
        ("L", "Laboratory", "open"),
    ]


async def test_a_new_member_of_staff_gets_a_password_that_only_its_hash_remembers(world: World) -> None:
    password = await staff.add(world.core, demo.ORGANIZATION, "4071", "staff", "clinic2", "Njeri")
    assert password
    row = await world.row("select * from staff where login = 'clinic2'")
    assert HASHER.verify(row["password_hash"], password)
    assert password not in str(row)
    assert row["must_change_password"]
    listed = await staff.listing(world.core, Act("system", "system"))
    njeri = {"login": "clinic2", "name": "Njeri", "role": "staff", "branch": "4071", "active": True}
    assert njeri in listed


async def test_a_login_that_is_taken_is_not_given_again(world: World) -> None:
    before = await world.pool.fetchval("select password_hash from staff where login = 'clinic1'")
    assert await staff.add(world.core, demo.ORGANIZATION, "4071", "staff", "clinic1", "Njeri") is None
    assert await world.pool.fetchval("select password_hash from staff where login = 'clinic1'") == before


async def test_nobody_is_added_where_nothing_is(world: World) -> None:
    assert await staff.add(world.core, "Nowhere", None, "admin", "x", "X") is None
    assert await staff.add(world.core, demo.ORGANIZATION, "9999", "staff", "x", "X") is None


async def test_only_an_admin_belongs_to_every_branch(world: World) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await staff.add(world.core, demo.ORGANIZATION, None, "manager", "x", "X")
    assert await staff.add(world.core, demo.ORGANIZATION, None, "admin", "x", "X")


def test_a_first_password_is_easy_to_read_aloud_and_never_twice_the_same() -> None:
    passwords = {staff.new_password() for _ in range(100)}
    assert len(passwords) == 100
    for password in passwords:
        assert [len(part) for part in password.split("-")] == [4, 4, 4, 4]
        assert set(password) <= set(staff.ALPHABET) | {"-"}
    assert not set(staff.ALPHABET) & set("01lio")


@pytest.mark.parametrize(
    ("permission", "admin", "manager", "clerk"),
    [
        ("every_branch", True, False, False),
        ("own_branch", True, True, True),
        ("people", True, True, False),
        ("schedule", True, True, False),
        ("queues", True, True, True),
        ("system", True, False, False),
    ],
)
async def test_each_role_may_what_the_matrix_says(
    members: Members, permission: staff.Permission, *, admin: bool, manager: bool, clerk: bool
) -> None:
    sessions = [await members.session(await members.log_in(login)) for login in ("admin", "manager", "clinic1")]
    assert [session.member.may(permission) for session in sessions] == [admin, manager, clerk]


def test_the_matrix_has_eighteen_cells() -> None:
    assert set(staff.MAY) == set(get_args(staff.Permission))
    assert {role for roles in staff.MAY.values() for role in roles} == set(get_args(staff.Role))
    assert len(staff.MAY) * len(get_args(staff.Role)) == 18
