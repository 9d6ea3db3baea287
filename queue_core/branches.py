"""What managers look at: each branch and line today, the texts that did not arrive, the settings, and who did what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from db.queries import load
from queue_core.core import Act, Core
from queue_core.errors import Refused
from queue_core.instants import instant
from queue_core.panel import DeskLine

SQL = load("branches")

LISTED = 50  # changes, and texts that did not arrive, on one page
Status = Literal["open", "paused", "closed"]


@dataclass(frozen=True, slots=True)
class LineDay(DeskLine):
    """What managers see besides: average minutes of those who were called today, None while nobody was."""

    wait: int | None
    service: int | None


@dataclass(frozen=True, slots=True)
class BranchDay:
    """A branch today, at one moment. `untold` counts the texts of today that did not reach anybody.

    `version` is the branch's last audited change.
    """

    id: str
    code: str
    name: str
    timezone: str
    is_open: bool
    at: datetime
    version: int
    wait: int | None
    service: int | None
    untold: int
    lines: tuple[LineDay, ...]

    @property
    def waiting(self) -> int:
        return sum(line.waiting for line in self.lines)

    @property
    def served(self) -> int:
        return sum(line.served for line in self.lines)

    @property
    def no_shows(self) -> int:
        return sum(line.no_shows for line in self.lines)


@dataclass(frozen=True, slots=True)
class Untold:
    """A text that did not reach anybody: refused or never taken by the networks, or too late to be true.

    Without a label it was about no ticket.
    """

    at: datetime
    template: str
    status: Literal["failed", "dead", "expired"]
    label: str | None
    name: str | None
    queue: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """One row of the audit: who did what to what, when, by which channel, and why.

    `counter` is where a ticket is by it; `details` are as the verb wrote them, a changed setting as [old, new].
    """

    at: datetime
    entity: Literal["ticket", "queue", "staff", "branch", "counter", "organization"]
    action: str
    what: str
    counter: str | None
    details: dict[str, Any]
    actor: Literal["customer", "staff", "system"]
    who: str | None
    channel: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class LineSettings:
    """A line as its manager sets it: `call_expiry` and `grace` in minutes; no `daily_limit` is none."""

    id: str
    code: str
    name: str
    status: Status
    alert_threshold: int
    call_expiry: int
    grace: int
    max_skips: int
    daily_limit: int | None


@dataclass(frozen=True, slots=True)
class CounterSettings:
    """A counter, the ids of the lines that it serves, and the number of whoever is there."""

    id: str
    name: str
    label: str | None
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BranchSettings:
    """A branch as its manager sets it. `opening_hours` is {"mon": [["08:30", "17:00"]], …} in local time.

    `version` rises with every change of any of this.
    """

    id: str
    code: str
    name: str
    phone: str
    address: str
    asks_name: bool
    asks_rating: bool
    is_open: bool
    opening_hours: dict[str, list[list[str]]]
    version: int
    lines: tuple[LineSettings, ...]
    counters: tuple[CounterSettings, ...]


@dataclass(frozen=True, slots=True)
class Organization:
    """`language` is what people are spoken to who have not chosen one."""

    name: str
    language: str


async def overview(core: Core, act: Act) -> list[BranchDay]:
    """The actor's branches by code, each with its day so far, in one question."""
    return [_day(row[0]) for row in await core.pool.fetch(SQL.overview, act.as_json(), None)]


async def day(core: Core, act: Act, code: str) -> BranchDay:
    """One branch and its day so far. Raises Refused: no_branch."""
    row = await core.pool.fetchval(SQL.overview, act.as_json(), code)
    if row is None:
        raise Refused("no_branch")
    return _day(row)


async def untold(core: Core, act: Act, code: str) -> list[Untold]:
    """Today's texts that did not reach anybody, the latest first, 50 at most."""
    return [Untold(**row) for row in await core.pool.fetch(SQL.untold, act.as_json(), code, LISTED)]


async def history(core: Core, act: Act, code: str) -> list[Change]:
    """The last 50 changes in a branch, the latest first."""
    return [Change(**row) for row in await core.pool.fetch(SQL.history, act.as_json(), code, LISTED)]


async def settings(core: Core, act: Act, code: str) -> BranchSettings:
    """What may be set in a branch, in one question. Raises Refused: no_branch."""
    row = await core.pool.fetchval(SQL.settings, act.as_json(), code)
    if row is None:
        raise Refused("no_branch")
    lines = tuple(LineSettings(**line) for line in row["lines"])
    counters = tuple(CounterSettings(**counter | {"lines": tuple(counter["lines"])}) for counter in row["counters"])
    return BranchSettings(**row | {"lines": lines, "counters": counters})


async def organization(core: Core, act: Act) -> Organization:
    """The organization of a staff member. Raises Refused: no_staff."""
    row = await core.pool.fetchrow(SQL.organization, act.as_json())
    if row is None:
        raise Refused("no_staff")
    return Organization(**row)


def _day(row: dict[str, Any]) -> BranchDay:
    lines = (LineDay(**line | {"paused_until": instant(line["paused_until"])}) for line in row["lines"])
    return BranchDay(**row | {"at": datetime.fromisoformat(row["at"]), "lines": tuple(lines)})
