"""Who works here: roles, what each may do, first passwords."""

from __future__ import annotations

import re
import secrets
from typing import Any, Final, Literal

from db.queries import load
from queue_core.core import Act, Core
from queue_core.hashing import hash_of

SQL = load("staff")

Role = Literal["admin", "manager", "staff"]
Permission = Literal["every_branch", "own_branch", "people", "schedule", "queues", "system"]

# What each role may do, and nothing else. Where it may is `branches` of its acts; whose account, `may_manage` in SQL.
MAY: Final[dict[Permission, frozenset[Role]]] = {
    "every_branch": frozenset({"admin"}),
    "own_branch": frozenset({"admin", "manager", "staff"}),
    "people": frozenset({"admin", "manager"}),
    "schedule": frozenset({"admin", "manager"}),
    "queues": frozenset({"admin", "manager", "staff"}),
    "system": frozenset({"admin"}),
}

LOGIN = re.compile(r"[a-z0-9][a-z0-9.-]{0,31}")

# Easy to read aloud and to type: no letter that looks like a digit.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def new_password() -> str:
    """A first password of about 79 bits, to be printed once and changed at the first login."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(4))


async def add(core: Core, organization: str, branch_code: str | None, role: Role, login: str, name: str) -> str | None:
    """A new staff member with a generated first password, which is returned and kept nowhere in clear.

    None when the login is taken. `branch_code` None means every branch (admins only; the database refuses the rest).
    """
    password = new_password()
    hashed = await hash_of(password)
    added = await core.pool.fetchval(SQL.add, organization, branch_code, role, login, name, hashed)
    return password if added else None


async def listing(core: Core, act: Act) -> list[dict[str, Any]]:
    return [dict(row) for row in await core.pool.fetch(SQL.listing, act.as_json())]
