"""What every verb needs: the database, and somebody to tell that a line changed."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import uuid4

import asyncpg

from db.pool import Connection, Pool, once_more
from queue_core.errors import Refused

Channel = Literal["ussd", "sms", "web", "staff", "api"]

# Whether a verb asked for in this context may have changed something: it did, or its answer was lost.
written: ContextVar[bool] = ContextVar("written", default=False)
TEXTS = "texts"  # announced instead of a queue's id where no line changed, and texts wait to be sent
LOST = ("08", "57P")  # SQL states that end a connection: perhaps after the commit


def _nobody_listens(_queue_id: str) -> None:
    """Scripts and tests change lines without a worker to wake."""


@dataclass(frozen=True, slots=True)
class Core:
    """The pool that verbs run on. `announce` is called with a queue's id after a change of it, or with TEXTS."""

    pool: Pool
    announce: Callable[[str], None] = _nobody_listens


@dataclass(frozen=True, slots=True)
class Act:
    """Who asks, by which channel.

    `request` names the request so that a second delivery of it gets the first one's answer and changes nothing; two
    requests never share one. `branches` are the ids that a staff member may touch; None means that nothing is out of
    bounds (a customer's own ticket, the operator at the server).
    """

    actor: Literal["customer", "staff", "system"]
    channel: Channel | Literal["system"]
    actor_id: str | None = None
    reason: str | None = None
    branches: tuple[str, ...] | None = None
    request: str = field(default_factory=lambda: uuid4().hex)

    def as_json(self) -> dict[str, Any]:
        return {
            "actor": self.actor,
            "channel": self.channel,
            "actor_id": self.actor_id,
            "reason": self.reason,
            "branches": None if self.branches is None else list(self.branches),
            "request": self.request,
        }


async def perform(core: Core, sql: str, act: Act, *args: Any) -> dict[str, Any]:
    """Run one verb: a statement that takes the act first and answers one JSON object.

    A verb is one transaction in one round trip, so no lock is ever held while a client thinks, and the act's request
    makes it safe to ask again when the connection dies in between. Raises Refused.
    """
    before = written.get()
    answer: dict[str, Any] = await once_more(core.pool, lambda conn: _ask(conn, sql, act, args))
    if "refused" in answer:
        written.set(before)
        raise Refused(answer.pop("refused"), answer)
    return answer


async def _ask(connection: Connection, sql: str, act: Act, args: tuple[object, ...]) -> dict[str, Any]:
    before = written.get()
    written.set(True)
    try:
        answer: dict[str, Any] = await connection.fetchval(sql, act.as_json(), *args)
    except asyncpg.PostgresError as error:
        if not str(error.sqlstate).startswith(LOST):
            written.set(before)  # the server answered, and the answer was no
        raise
    return answer
