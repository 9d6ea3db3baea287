"""Sessions in PostgreSQL."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

import asyncpg

from db.pool import Pool
from db.queries import load
from ussd.batches import Batches

if TYPE_CHECKING:
    from ussd.session import Session

log = logging.getLogger("zamu.ussd")
SQL = load("ussd")
SECONDS = 0.5  # the caller waits for it, and Redis has the session too
AWAY_SECONDS = 1.0  # how long nothing is written after that

DOWN = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)

Row = tuple[str, str, str, str, str, int, float, bool]


class Rows:
    """The table `ussd_sessions`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._batches = Batches(self._save)
        self._away_until = 0.0

    @property
    def away(self) -> bool:
        """Whether a batch just failed: whoever has another place for a session need not wait for this one."""
        return time.monotonic() < self._away_until

    async def load(self, gateway: str, key: str) -> str | None:
        text: str | None = await self._pool.fetchval(SQL.session, gateway, key)
        return text

    async def dial_in(self, phone: str) -> tuple[dict[str, Any], str | None]:
        """What decides the first screen, and the phone's last session of the past ten minutes."""
        row = await self._pool.fetchrow(SQL.dial_in, phone)
        return (row["facts"], row["last"]) if row else ({}, None)

    async def drop(self, gateway: str, key: str) -> None:
        """Marks a session as cut off. Nothing depends on it, so a database that is away is no error."""
        try:
            await self._pool.execute(SQL.drop_session, gateway, key)
        except DOWN as error:
            log.warning("the end of session %s is not noted: %s", key, type(error).__name__)

    async def answers(self, keys: list[str]) -> dict[str, dict[str, Any]]:
        """What verbs with these request keys were answered, where they were."""
        return {row["key"]: row["answer"] for row in await self._pool.fetch(SQL.answers, keys)}

    def write(self, session: Session, text: str) -> asyncio.Future[bool]:
        """Saves the session with the next batch; the result says whether it worked."""
        done = self._batches.add(
            (
                *(session.gateway, session.key, session.phone, session.state, text, session.steps),
                *(session.started, session.ended),
            )
        )
        asyncio.get_running_loop().call_later(SECONDS, self._give_up, done)
        return done

    def _give_up(self, done: asyncio.Future[bool]) -> None:
        if not done.done():
            self._away_until = time.monotonic() + AWAY_SECONDS
            done.set_result(False)

    async def _save(self, batch: list[Row]) -> list[bool]:
        latest = {row[:2]: row for row in batch}  # one statement cannot change one row twice
        try:
            await self._pool.execute(SQL.save_sessions, *map(list, zip(*latest.values(), strict=True)))
        except asyncpg.DataError as error:
            if len(batch) > 1:  # one of them cannot be stored, and it must not take the others with it
                return [kept for row in batch for kept in await self._save([row])]
            log.warning("session %s cannot be stored: %s", batch[0][1], type(error).__name__)
            return [False]
        except DOWN as error:
            log.warning("%d sessions are in Redis alone: %s", len(batch), type(error).__name__)
            self._away_until = time.monotonic() + AWAY_SECONDS
            return [False] * len(batch)
        return [True] * len(batch)
