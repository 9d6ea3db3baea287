"""Who works here, as the operator adds them."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import termios

import pytest
from argon2 import PasswordHasher

from queue_core import staff_phones
from tests.story.town import CLEAN, ZAMU
from tests.terminal import Terminal, refused
from tests.world import World, phone

PEPPER = ("k" * 32).encode()  # the secret key of this terminal
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


async def test_a_password_is_made_anew_and_printed_once(terminal: Terminal, world: World) -> None:
    before = await world.pool.fetchval("select password_hash from staff where login = 'clinic1'")
    answer = terminal.ask("staff", "reset-password", "clinic1")
    assert answer == {"login": "clinic1", "password": answer["password"]}
    row = await world.row("select * from staff where login = 'clinic1'")
    assert row["password_hash"] != before
    assert PasswordHasher().verify(row["password_hash"], answer["password"])
    assert row["must_change_password"]
    told = terminal.zamu("staff", "reset-password", "clinic1").stdout
    assert re.fullmatch(rf"clinic1 is logged out everywhere\. First password: {PASSWORD.pattern}\n", told)
    actions = await world.pool.fetch("select action, reason from audit_log where entity = 'staff'")
    assert [tuple(action) for action in actions] == [("reset_password", "command line")] * 2


async def sent_code(world: World) -> str:
    row = await world.row("select parameters from notifications where template = 'staff_code'")
    return str(row["parameters"]["otp"])


async def test_a_phone_is_enrolled_and_unlocked(terminal: Terminal, world: World) -> None:
    told = terminal.zamu("staff", "enrol", "clinic1", phone(1), "--counter", "room 1").stdout
    assert told.endswith("Within 10 minutes: `zamu staff confirm clinic1 CODE`.\n")
    answer = terminal.ask("staff", "confirm", "clinic1", await sent_code(world), "--generate")
    assert answer.keys() == {"login", "pin"}
    assert (await staff_phones.check_pin(world.core, phone(1), answer["pin"], PEPPER)).right
    assert answer["pin"] not in str(await world.pool.fetch("select * from staff_phones"))
    for _ in range(5):
        await staff_phones.check_pin(world.core, phone(1), "000000", PEPPER)
    assert terminal.ask("staff", "unlock", "clinic1") == {"login": "clinic1"}
    assert (await staff_phones.check_pin(world.core, phone(1), answer["pin"], PEPPER)).right


def type_pins(terminal: Terminal, code: str, *pins: str) -> tuple[int, str]:
    """What is seen on a terminal where the PIN is typed, as often as it is asked for."""
    ours, theirs = pty.openpty()
    settings = termios.tcgetattr(theirs)
    settings[3] |= termios.ECHO
    termios.tcsetattr(theirs, termios.TCSANOW, settings)
    command = [str(ZAMU), "staff", "confirm", "clinic1", code]
    seen = ""
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=CLEAN | terminal.environ, start_new_session=True
    ) as process:
        os.close(theirs)
        typed = iter(pins)
        while True:
            try:
                seen += os.read(ours, 1024).decode()
            except OSError:  # nobody writes any more
                break
            if seen.endswith(": ") and (pin := next(typed, "")):
                os.write(ours, f"{pin}\n".encode())
    os.close(ours)
    return process.returncode, seen


async def test_a_pin_is_typed_twice_and_not_seen(terminal: Terminal, world: World) -> None:
    terminal.ask("staff", "enrol", "clinic1", phone(1))
    status, seen = type_pins(terminal, await sent_code(world), "483920", "483920")
    assert status == 0, seen
    assert "483920" not in seen
    assert "clinic1 can work by phone." in seen
    assert (await staff_phones.check_pin(world.core, phone(1), "483920", PEPPER)).right


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        ("enrol nobody +254711000001", "no_staff", "`zamu staff list` shows all logins."),
        ("enrol clinic1 911", "bad_phone", "Write it like +254711000001."),
        ("enrol clinic1 +254711000001 --counter Nowhere", "no_counter", "No counter of that name is there."),
        ("confirm clinic1 123456 --generate", "code_over", "`zamu staff enrol` sends a new one."),
        ("reset-password nobody", "no_staff", "`zamu staff list` shows all logins."),
        ("unlock clinic1", "no_phone", "`zamu staff enrol` adds one."),
    ],
)
def test_what_cannot_be_done_with_a_phone_is_refused_with_the_reason(
    terminal: Terminal, words: str, code: str, why: str
) -> None:
    told = terminal.zamu("staff", *words.split(), "--json")
    assert (told.returncode, told.stderr) == (1, "")
    answer = json.loads(told.stdout)
    assert answer["refused"] == code
    assert why in answer["reason"]
