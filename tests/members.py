"""The clinic's staff with passwords of their own, logging in."""

from __future__ import annotations

import pytest

from db.pool import Pool
from queue_core import accounts
from queue_core.accounts import Session
from queue_core.core import Act
from queue_core.hashing import HASHER
from tests.world import World

PASSWORD = "tusk river umbrella 9"
SOURCE = "198.51.100.7"
AUDIT = "select action from audit_log where entity = 'staff' order by id"


class Members:
    """Everybody of the demo world has the password PASSWORD, and has changed the printed one."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.core = world.core

    async def log_in(
        self, login: str = "clinic1", password: str = PASSWORD, code: str = "", source: str = SOURCE
    ) -> str:
        return await accounts.log_in(self.core, login, password, code, source)

    async def session(self, token: str) -> Session:
        """Of a token that is still good."""
        session = await accounts.session(self.core, token, active=True)
        assert session
        return session

    async def over(self, token: str) -> bool:
        return await accounts.session(self.core, token, active=True) is None

    async def act(self, login: str) -> Act:
        """An act of somebody who logs in for it."""
        return (await self.session(await self.log_in(login))).member.act()

    async def audit(self) -> list[str]:
        """What was done to accounts."""
        return [row["action"] for row in await self.world.pool.fetch(AUDIT)]


@pytest.fixture
async def members(world: World) -> Members:
    """The staff of the clinic and the bank, and their organization's admin."""
    await choose_passwords(world.pool)
    return Members(world)


async def choose_passwords(pool: Pool) -> None:
    """Everybody has PASSWORD from now on."""
    await pool.execute("update staff set password_hash = $1, must_change_password = false", HASHER.hash(PASSWORD))
