"""Lines and places: find them, list them, open, pause, resume and close them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from db.queries import load
from queue_core.core import Act, Core, perform
from queue_core.errors import Refused
from queue_core.hours import next_opening, when
from queue_core.instants import instant

SQL = load("queues")

LONGEST_NUMBER = 9  # digits that the database takes as a number


@dataclass(frozen=True, slots=True)
class Line:
    """One queue as a person about to join sees it. `minutes` is the estimate for a newcomer, None when not known."""

    id: str
    code: str
    name: str
    status: Literal["open", "paused", "closed"]
    waiting: int
    minutes: int | None
    paused_until: datetime | None
    full: bool


@dataclass(frozen=True, slots=True)
class Place:
    """A branch with its lines. `opens_at` is the next opening after now, on the branch's wall clock."""

    id: str
    code: str
    name: str
    phone: str
    timezone: str
    is_open: bool
    asks_name: bool
    opens_at: datetime | None
    lines: tuple[Line, ...]

    def local(self, at: datetime) -> datetime:
        return at.astimezone(ZoneInfo(self.timezone))


@dataclass(frozen=True, slots=True)
class QueueChanged:
    """A line after a change. `affected` counts whom it told (pause, resume) or sent home."""

    queue: str
    was: str
    status: str
    affected: int
    waiting: int


async def place(core: Core, code: str) -> Place | None:
    """The branch of a 4-digit code."""
    row = await core.pool.fetchval(SQL.place, code)
    return _place(row) if row else None


async def open_places(core: Core, starts_with: str = "", limit: int = 15) -> list[tuple[str, str]]:
    """(code, name) of branches that take people now, by name; those with a word that starts so, in any case."""
    return [(row["code"], row["name"]) for row in await core.pool.fetch(SQL.open_places, starts_with, limit)]


def _place(row: dict[str, Any]) -> Place:
    hours = row.pop("opening_hours")
    lines = tuple(Line(**{**line, "paused_until": instant(line["paused_until"])}) for line in row.pop("lines"))
    return Place(**row, lines=lines, opens_at=next_opening(hours, row["timezone"], datetime.now(UTC)))


def opening_of(refusal: Refused) -> datetime | None:
    """When the place of a refused join opens next."""
    return next_opening(refusal.facts["opening_hours"], refusal.facts["timezone"], datetime.now(UTC))


async def find(core: Core, act: Act, name: str) -> dict[str, Any]:
    """The queue named `4071/A`: id, name, status, waiting, timezone, opening hours. Raises Refused: no_queue."""
    branch, _, code = name.partition("/")
    row = await core.pool.fetchrow(SQL.find, branch, code.upper(), act.as_json())
    if row is None:
        raise Refused("no_queue")
    return dict(row)


async def find_ticket(core: Core, act: Act, name: str) -> str:
    """The id of today's ticket named `4071/A047`. Raises Refused: no_ticket."""
    branch, _, label = name.partition("/")
    code = label.rstrip("0123456789")
    number = label[len(code) :]
    found = 0 < len(number) <= LONGEST_NUMBER and await core.pool.fetchval(
        SQL.find_ticket, branch, code.upper(), int(number), act.as_json()
    )
    if not found:
        raise Refused("no_ticket")
    return str(found)


async def listing(core: Core, act: Act) -> list[dict[str, Any]]:
    """Every queue that the actor may touch, with how many wait and who was called last."""
    return [dict(row) for row in await core.pool.fetch(SQL.listing, act.as_json())]


async def open_(core: Core, act: Act, queue_id: str) -> QueueChanged:
    """Take people (again). After a pause, whoever waits is told."""
    return await _change(core, act, queue_id, "open")


async def pause(core: Core, act: Act, queue_id: str, until: datetime | None = None) -> QueueChanged:
    """No new joins until about `until`; those in line are told, keep their place and are still called."""
    facts = await _facts(core, act, queue_id)
    local = until.astimezone(ZoneInfo(facts["timezone"])) if until else None
    return await _change(core, act, queue_id, "pause", until, {"until": f"{local:%H:%M}" if local else None})


async def close(core: Core, act: Act, queue_id: str, *, send_home: bool, seen: int | None = None) -> QueueChanged:
    """End the day: no new joins. Those waiting are served out, or sent home and told when it opens again.

    `seen` is how many waited when that was decided. Raises Refused: more_wait (facts: queue, waiting), no_queue.
    """
    facts = await _facts(core, act, queue_id)
    opening = when(next_opening(facts["opening_hours"], facts["timezone"], datetime.now(UTC)))
    return await _change(core, act, queue_id, "send_home" if send_home else "serve_out", None, opening, seen)


async def _facts(core: Core, act: Act, queue_id: str) -> dict[str, Any]:
    row = await core.pool.fetchrow(SQL.facts, queue_id, act.as_json())
    if row is None:
        raise Refused("no_queue")
    return dict(row)


async def _change(
    core: Core,
    act: Act,
    queue_id: str,
    verb: str,
    until: datetime | None = None,
    more: dict[str, Any] | None = None,
    seen: int | None = None,
) -> QueueChanged:
    answer = await perform(core, SQL.change_queue, act, queue_id, verb, until, more or {}, seen)
    core.announce(queue_id)
    return QueueChanged(*(answer[key] for key in ("queue", "was", "status", "affected", "waiting")))
