"""The invariants of the queue, checked from the outside: by SQL over the tables and by the log of what was answered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from db.pool import Connection, Pool
from db.queries import load

SQL = load("invariants", Path(__file__).parent)
TABLES = ("I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10", "I12", "I22", "F41")
LOST = "lost"  # the outcome of a delivery that got no answer


@dataclass(frozen=True, slots=True)
class Answer:
    """One delivery of a request, as whoever sent it lived it.

    `asked` and `answered` are seconds since the epoch, by the clock of the database's machine. `outcome` is `joined`,
    `already`, `called`, `empty`, `lost`, `refused: <code>` or another word; `label` is the ticket answered with (A047),
    `queue` the line (4071/A), `said` all that was said, to be compared between the deliveries of one request.
    """

    request: str
    verb: str
    asked: float
    answered: float
    outcome: str
    queue: str | None = None
    phone: str | None = None
    label: str | None = None
    said: object = None


async def broken(pool: Pool, *, answers: Sequence[Answer] = ()) -> list[str]:
    """What does not hold, each finding with the name of its invariant in front; empty when all is well."""
    heard = [answer for answer in answers if answer.outcome != LOST]
    async with pool.acquire() as conn, conn.transaction(isolation="repeatable_read"):
        await conn.execute("set local statement_timeout = '30s'")
        await conn.execute(SQL.history)
        await conn.execute(SQL.legal_steps)
        return [
            *[finding for name in TABLES for finding in await _found(conn, name)],
            *_called_by_one_request(heard),
            *_answered_in_two_ways(heard),
            *await _given_to_others(conn, heard),
            *await _overlooked(conn, answers),
        ]


async def _found(conn: Connection, name: str) -> list[str]:
    return [f"{name}: {row[0]}" for row in await conn.fetch(getattr(SQL, name), timeout=30)]


def _by_request(answers: Iterable[Answer]) -> dict[str, list[Answer]]:
    requests: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        requests[answer.request].append(answer)
    return requests


def _called_by_one_request(answers: list[Answer]) -> list[str]:
    called = _by_request(answer for answer in answers if answer.outcome == "called")
    return [
        f"I9: request {request} called {len(labels)} people"
        for request, group in called.items()
        if len(labels := {answer.label for answer in group}) > 1
    ]


def _answered_in_two_ways(answers: list[Answer]) -> list[str]:
    return [
        f"I11: request {request} to {group[0].verb} was answered {[answer.outcome for answer in group]}"
        for request, group in _by_request(answers).items()
        if any((a.outcome, a.label, a.said) != (group[0].outcome, group[0].label, group[0].said) for a in group)
    ]


async def _given_to_others(conn: Connection, answers: list[Answer]) -> list[str]:
    told = {(a.phone, a.label) for a in answers if a.outcome in ("joined", "already") and a.phone}
    return [
        f"I12: {label} was given to somebody who does not have it"
        for phone, label in told
        if not await conn.fetchval(SQL.has_that_ticket, phone, label)
    ]


async def _overlooked(conn: Connection, answers: Sequence[Answer]) -> list[str]:
    """Who waited while a request found no one: from its first asking to its first answer, between which it acted."""
    findings = []
    for request, group in _by_request(answers).items():
        heard = [answer for answer in group if answer.outcome != LOST]
        if not heard or heard[0].outcome != "empty":
            continue
        asked, answered = min(answer.asked for answer in group), min(answer.answered for answer in heard)
        number = await conn.fetchval(SQL.waited_throughout, heard[0].queue, asked, answered)
        if number is not None:
            findings.append(f"I13: request {request} found no one in {heard[0].queue} while number {number} waited")
    return findings
