"""What a wall may show of a branch, and what changed there since: numbers only, never a name or a phone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from db.queries import load
from queue_core.core import Core
from queue_core.hours import next_opening
from queue_core.instants import instant

SQL = load("board")


@dataclass(frozen=True, slots=True)
class AtCounter:
    """A counter and whom it has; without a label, nobody."""

    name: str
    label: str | None
    status: Literal["called", "serving"] | None
    called_at: datetime | None


@dataclass(frozen=True, slots=True)
class BoardLine:
    """A line. `next` are the numbers that are called next, the first few of those that wait."""

    code: str
    name: str
    status: Literal["open", "paused", "closed"]
    paused_until: datetime | None
    waiting: int
    full: bool
    next: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """A branch at one moment. `languages` to speak in, the organization's first; `opens_at` on the branch's clock."""

    code: str
    name: str
    timezone: str
    is_open: bool
    opens_at: datetime | None
    languages: tuple[str, ...]
    version: int
    counters: tuple[AtCounter, ...]
    lines: tuple[BoardLine, ...]

    def local(self, at: datetime) -> datetime:
        return at.astimezone(ZoneInfo(self.timezone))


async def board(core: Core, code: str) -> Board | None:
    """The branch of a 4-digit code, in one question."""
    row = await core.pool.fetchval(SQL.board, code)
    return _board(row) if row else None


def _board(row: dict[str, Any]) -> Board:
    hours, first = row.pop("opening_hours"), row.pop("language")
    counters = tuple(AtCounter(**{**one, "called_at": instant(one["called_at"])}) for one in row.pop("counters"))
    lines = tuple(
        BoardLine(**{**one, "paused_until": instant(one["paused_until"]), "next": tuple(one["next"])})
        for one in row.pop("lines")
    )
    row["opens_at"] = next_opening(hours, row["timezone"], datetime.now(UTC))
    return Board(**row, languages=tuple(dict.fromkeys((first, "en"))), counters=counters, lines=lines)


@dataclass(frozen=True, slots=True)
class Place:
    """Where something that can be followed is: its branch, the lines there that concern it, the branch's version."""

    branch_id: str
    lines: tuple[str, ...]
    version: int


async def find_branch(core: Core, code: str) -> Place | None:
    return await _find(core, SQL.branch, code)


async def find_line(core: Core, branch: str, code: str) -> Place | None:
    return await _find(core, SQL.line, branch, code)


async def find_ticket(core: Core, ticket_id: str) -> Place | None:
    return await _find(core, SQL.ticket, ticket_id)


async def _find(core: Core, sql: str, *args: str) -> Place | None:
    row = await core.pool.fetchrow(sql, *args)
    return Place(row["branch_id"], tuple(row["lines"]), row["version"]) if row else None


@dataclass(frozen=True, slots=True)
class Call:
    """A person was called to a counter, or `again`. `called_at` tells two calls apart; None if it was undone since."""

    label: str
    counter: str | None
    called_at: datetime | None
    again: bool


@dataclass(frozen=True, slots=True)
class LineMoved:
    """A line in which something happened, as it is now. `last` is the audit id of what happened last."""

    id: str
    code: str
    status: str
    waiting: int
    last: int
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class BranchMoved:
    """A branch, its version, and its lines in which something happened."""

    branch_id: str
    code: str
    version: int
    lines: tuple[LineMoved, ...]


async def moved(core: Core, after: Mapping[str, int], known: Mapping[str, int]) -> list[BranchMoved]:
    """What happened in these branches after an audit id each, without what is `known` of a line (its last audit id).

    In one line audit ids rise as changes are committed; in a branch a smaller one may be seen later than a greater.
    """
    rows = await core.pool.fetch(SQL.moved, list(after), list(after.values()), dict(known))
    return [BranchMoved(row["branch_id"], row["code"], row["version"], _lines(row["lines"])) for row in rows]


def _lines(rows: list[dict[str, Any]]) -> tuple[LineMoved, ...]:
    return tuple(LineMoved(**{**row, "calls": tuple(map(_call, row["calls"]))}) for row in rows)


def _call(row: dict[str, Any]) -> Call:
    return Call(**{**row, "called_at": instant(row["called_at"])})


@dataclass(frozen=True, slots=True)
class TicketNow:
    """What anybody who holds a ticket's id may know of it."""

    id: str
    queue_id: str
    status: str
    ahead: int
    minutes: int | None


async def tickets(core: Core, ids: Iterable[str]) -> list[TicketNow]:
    return [TicketNow(**row) for row in await core.pool.fetch(SQL.tickets, list(ids))]
