"""Who works here, as the operator adds them."""

from __future__ import annotations

import json
import re

from argon2 import PasswordHasher

from tests.terminal import Terminal, refused
from tests.world import World

PASSWORD = re.compile(r"[a-z2-9]{4}(-[a-z2-9]{4}){3}")


async def test_a_password_is_printed_once_and_kept_nowhere_in_clear(terminal: Terminal, world: World) -> None:
    added = terminal.ask("staff", "add", "amina", "--branch", "4071", "--name", "Amina")
    password = added["password"]
    assert added == {"login": "amina", "password": password}
    assert PASSWORD.fullmatch(password)
    row = await world.row("select * from staff where login = 'amina'")
    assert PasswordHasher().verify(row["password_hash"], password)
    assert row["must_change_password"]
    assert password not in str(row)
    listed = terminal.zamu("staff", "list").stdout
    assert re.search(r"^amina +staff +4071 +Amina$", listed, re.MULTILINE)
    assert password not in listed


async def test_a_manager_and_an_admin_are_added_for_people_to_read(terminal: Terminal, world: World) -> None:
    told = terminal.zamu("staff", "add", "otieno", "--role", "manager", "--branch", "5084").stdout
    assert re.fullmatch(rf"otieno was added\. First password: {PASSWORD.pattern}\n", told)
    assert terminal.ask("staff", "add", "wanjiru", "--role", "admin")["login"] == "wanjiru"
    assert (await world.row("select branch_id, role from staff where login = 'wanjiru'")) == {
        "branch_id": None,
        "role": "admin",
    }


async def test_who_cannot_be_added_is_refused_with_the_reason(terminal: Terminal, world: World) -> None:
    before = await world.pool.fetchval("select count(*) from staff")
    assert refused(terminal.zamu("staff", "add", "clinic1", "--branch", "4071")).startswith("clinic1 was not added")
    told = terminal.zamu("staff", "add", "x", "--branch", "9999", "--json")
    assert (told.returncode, json.loads(told.stdout)["refused"]) == (1, "not_added")
    for wrong in ([], ["--branch", "4071", "--role", "manager", "--name", "\udcff"]):
        assert terminal.zamu("staff", "add", "Amina Otieno", *wrong).returncode == 2
    assert await world.pool.fetchval("select count(*) from staff") == before
