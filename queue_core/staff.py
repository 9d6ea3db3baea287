"""Who works here: roles, branches, passwords."""

from __future__ import annotations

import secrets
from typing import Any

from argon2 import PasswordHasher

from db.queries import load
from queue_core.core import Act, Core

SQL = load("staff")

# Easy to read aloud and to type: no letter that looks like a digit.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"

# OWASP's floor (19 MiB, 2 passes, 1 lane): a small host must survive several logins at once.
HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)


def new_password() -> str:
    """A first password of about 79 bits, to be printed once and changed at the first login."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(4))


async def add(core: Core, organization: str, branch_code: str | None, role: str, login: str, name: str) -> str | None:
    """A new staff member with a generated first password, which is returned and kept nowhere in clear.

    None when the login is taken. `branch_code` None means every branch (admins only; the database refuses the rest).
    """
    password = new_password()
    added = await core.pool.fetchval(SQL.add, organization, branch_code, role, login, name, HASHER.hash(password))
    return password if added else None


async def listing(core: Core, act: Act) -> list[dict[str, Any]]:
    return [dict(row) for row in await core.pool.fetch(SQL.listing, act.as_json())]
