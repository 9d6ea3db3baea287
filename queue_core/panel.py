"""What the desk shows: a counter with its lines, who is at it, who waits, who may come back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from db.queries import load
from queue_core.core import Act, Core
from queue_core.errors import Refused
from queue_core.phones import mask

SQL = load("panel")

LISTED = 50  # people of one line on one page

Silent = Literal["no_phone", "opted_out", "not_told"]


@dataclass(frozen=True, slots=True)
class DeskBranch:
    id: str
    code: str
    name: str
    timezone: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class DeskCounter:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class DeskLine:
    """A line and its day: `served` and `no_shows` of today. `average` is minutes a person, None while not measured."""

    id: str
    code: str
    name: str
    status: Literal["open", "paused", "closed"]
    paused_until: datetime | None
    waiting: int
    served: int
    no_shows: int
    average: int | None
    full: bool


@dataclass(frozen=True, slots=True)
class DeskTicket:
    """A person as the desk sees him.

    `silent` says why no text reaches him, so that he must be called by name: he has no phone, wants no texts, or the
    last one failed.
    """

    id: str
    label: str
    name: str | None
    status: str
    version: int
    queue_id: str
    queue: str
    created_at: datetime
    called_at: datetime | None
    started_at: datetime | None
    deadline: datetime | None
    coming: bool
    priority: bool
    silent: Silent | None
    can_take_back: bool


@dataclass(frozen=True, slots=True)
class Desk:
    """One counter and one line that it serves, in one moment.

    `version` is the branch's last audited change. `current` is whoever is called or being served at the counter, from
    whatever line; `waiting` the first 50 of the line in order of call; `skipped` those of the line who may come back,
    latest first, 50 at most.
    """

    version: int
    at: datetime
    branch: DeskBranch
    counter: DeskCounter
    lines: tuple[DeskLine, ...]
    line: DeskLine
    current: DeskTicket | None
    waiting: tuple[DeskTicket, ...]
    skipped: tuple[DeskTicket, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One change of a ticket. `name` is the staff member's who made it; `status` what the ticket was from then on."""

    at: datetime
    action: str
    status: str
    actor: Literal["customer", "staff", "system"]
    name: str | None
    channel: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """One ticket: the phone masked, people ahead, the other lines of its branch, and all that happened to it."""

    ticket: DeskTicket
    phone: str | None
    ahead: int
    lines: tuple[DeskLine, ...]
    history: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class ChoiceLine:
    id: str
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class ChoiceCounter:
    """A counter to work at. One without a line can be no desk."""

    id: str
    name: str
    lines: tuple[ChoiceLine, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """A branch that the actor may work in."""

    id: str
    code: str
    name: str
    counters: tuple[ChoiceCounter, ...]


async def desk(core: Core, act: Act, counter_id: str, queue_id: str) -> Desk:
    """What a counter shows of a line that it serves. Raises Refused: no_counter, no_queue."""
    row = await core.pool.fetchval(SQL.desk, act.as_json(), counter_id, queue_id, LISTED)
    if row is None:
        raise Refused("no_counter")
    if row["line"] is None:
        raise Refused("no_queue")
    lines = tuple(_line(line) for line in row["lines"])
    return Desk(
        version=row["version"],
        at=datetime.fromisoformat(row["at"]),
        branch=DeskBranch(**row["branch"]),
        counter=DeskCounter(**row["counter"]),
        lines=lines,
        line=next(line for line in lines if line.id == row["line"]),
        current=_ticket(row["current"]) if row["current"] else None,
        waiting=tuple(map(_ticket, row["waiting"])),
        skipped=tuple(map(_ticket, row["skipped"])),
    )


async def ticket(core: Core, act: Act, ticket_id: str) -> Found:
    """One ticket, active or ended. Raises Refused: no_ticket."""
    row = await core.pool.fetchval(SQL.ticket, act.as_json(), ticket_id)
    if row is None:
        raise Refused("no_ticket")
    return Found(
        ticket=_ticket(row["ticket"]),
        phone=row["phone"] and mask(row["phone"]),
        ahead=row["ahead"],
        lines=tuple(map(_line, row["lines"])),
        history=tuple(Step(**step | {"at": datetime.fromisoformat(step["at"])}) for step in row["history"]),
    )


async def choices(core: Core, act: Act) -> list[Choice]:
    """Where the actor may work: his branches by code, each with its counters and their lines."""
    return [_choice(row[0]) for row in await core.pool.fetch(SQL.choices, act.as_json())]


def _choice(branch: dict[str, Any]) -> Choice:
    counters = (
        ChoiceCounter(**counter | {"lines": tuple(ChoiceLine(**line) for line in counter["lines"])})
        for counter in branch["counters"]
    )
    return Choice(**branch | {"counters": tuple(counters)})


def _line(facts: dict[str, Any]) -> DeskLine:
    return DeskLine(**_with_instants(facts, "paused_until"))


def _ticket(facts: dict[str, Any]) -> DeskTicket:
    return DeskTicket(**_with_instants(facts, "created_at", "called_at", "started_at", "deadline"))


def _with_instants(facts: dict[str, Any], *keys: str) -> dict[str, Any]:
    return facts | {key: facts[key] and datetime.fromisoformat(facts[key]) for key in keys}
