"""Managing who works here: an admin in the organization, a manager the staff of the own branch and himself."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Literal
from uuid import uuid4

from db.queries import load
from queue_core.core import Act, Core, perform
from queue_core.errors import Refused
from queue_core.hashing import hash_of
from queue_core.staff import LOGIN, Role, new_password

SQL = load("accounts")

MOST_NAME = 40  # letters of a staff member's name


@dataclass(frozen=True, slots=True)
class Person:
    """`branch` is a code, None for every branch; `phone` the last four digits of the one that he works from."""

    id: str
    login: str
    name: str
    role: Role
    branch: str | None
    active: bool
    must_change_password: bool
    has_totp: bool
    phone: str | None
    phone_state: Literal["unconfirmed", "enrolled", "locked", "blocked"] | None
    phone_counter: str | None


async def people(core: Core, act: Act) -> list[Person]:
    """Whom the actor manages: branch by branch, those of every branch first."""
    return [Person(**row) for row in await core.pool.fetch(SQL.people, act.as_json())]


async def add_person(core: Core, act: Act, login: str, name: str, role: Role, branch: str | None) -> str:
    """The first password, to be shown once and changed at the first login. `branch` is a code; None, for an admin, all.

    Raises Refused: bad_login, bad_name, login_taken, no_branch, not_allowed (a role that the actor cannot give),
    repeated (this request was answered before, and with it the password).
    """
    login, name = login.strip().lower(), _clean(name)
    if not LOGIN.fullmatch(login):
        raise Refused("bad_login")
    return await _with_new_password(core, SQL.add_person, act, login, name, role, branch)


async def change_person(core: Core, act: Act, login: str, name: str, role: Role, branch: str | None) -> None:
    """Another name, role or branch. Another role or branch ends the person's sessions.

    Raises Refused: no_staff, bad_name, no_branch, not_allowed, last_admin.
    """
    await perform(core, SQL.change_person, act, login, _clean(name), role, branch)


async def set_active(core: Core, act: Act, login: str, *, active: bool) -> None:
    """Who is not active cannot log in nor work by phone, from this moment on. Raises Refused: no_staff, last_admin."""
    await perform(core, SQL.set_active, act, login, active)


async def reset_password(core: Core, act: Act, login: str) -> str:
    """A new first password for somebody else. It ends his sessions, his second factor and what wrong tries did.

    Raises Refused: no_staff, yourself, repeated.
    """
    return await _with_new_password(core, SQL.reset_password, act, login)


async def _with_new_password(core: Core, sql: str, act: Act, *args: str | None) -> str:
    password, mark = new_password(), uuid4().hex
    answer = await perform(core, sql, act, *args, await hash_of(password), mark)
    if answer["mark"] != mark:
        raise Refused("repeated")
    return password


def _clean(name: str) -> str:
    """No line ends and nothing else that cannot be seen."""
    cleaned = " ".join(name.split())
    if not 1 <= len(cleaned) <= MOST_NAME or any(unicodedata.category(letter)[0] == "C" for letter in cleaned):
        raise Refused("bad_name")
    return cleaned
