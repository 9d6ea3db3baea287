"""What a customer does: join, look, be late, come back, leave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from db.queries import load
from queue_core.core import Act, Core, perform

SQL = load("tickets")


@dataclass(frozen=True, slots=True)
class Ticket:
    """All that any channel shows of a ticket, true at the moment of the answer.

    `label` is the number as people read it (A047). `ahead` counts the waiting tickets that would be called before this
    one; `minutes` is the estimate rounded up to 5, None while nothing was measured. `today` is False for a place given
    for a coming service day. `deadline` ends a call or a grace.
    """

    id: str
    label: str
    number: int
    status: str
    version: int
    phone: str | None
    name: str | None
    language: str
    service_date: date
    today: bool
    queue_id: str
    queue: str
    queue_code: str
    queue_status: str
    branch_id: str
    branch: str
    branch_code: str
    branch_phone: str
    timezone: str
    counter: str | None
    called_at: datetime | None
    coming: bool
    deadline: datetime | None
    defer_count: int
    skip_count: int
    alert_threshold: int
    ahead: int
    minutes: int | None

    @property
    def near(self) -> bool:
        return self.status == "waiting" and self.ahead <= self.alert_threshold

    def local(self, at: datetime) -> datetime:
        """An instant on the wall clock of the ticket's branch."""
        return at.astimezone(ZoneInfo(self.timezone))


def from_facts(facts: dict[str, Any]) -> Ticket:
    """A ticket from the JSON of the database function `ticket_facts`."""
    times = {key: facts[key] and datetime.fromisoformat(facts[key]) for key in ("called_at", "deadline")}
    return Ticket(**{**facts, **times, "service_date": date.fromisoformat(facts["service_date"])})


@dataclass(frozen=True, slots=True)
class Joined:
    """The answer to a join. `new` is False when the phone already had this ticket."""

    ticket: Ticket
    new: bool


@dataclass(frozen=True, slots=True)
class DialIn:
    """All that decides which screen a caller sees first."""

    ticket: Ticket | None
    shut: Ticket | None
    ratable: Ticket | None
    language: str | None
    opted_out: bool


async def join(
    core: Core,
    act: Act,
    queue_id: str,
    phone: str | None,
    *,
    name: str | None = None,
    language: str | None = None,
    replace: bool = False,
) -> Joined:
    """A place in a line, or the place that the phone already holds anywhere.

    With `replace` a place in another line is given up for the new one in the same transaction; if the new line takes
    nobody, the old place stays. Without a phone it is a walk-in. Raises Refused: closed, paused, full, no_queue.
    """
    person = {"phone": phone, "name": name, "language": language}
    return _joined(core, await perform(core, SQL.join, act, queue_id, person, replace))


async def join_first(core: Core, act: Act, phone: str, day: date) -> Joined:
    """First in line on a coming day, for whom an early close left unserved. Raises Refused: no_ticket."""
    return _joined(core, await perform(core, SQL.join_first, act, phone, day))


def _joined(core: Core, answer: dict[str, Any]) -> Joined:
    ticket = from_facts(answer["ticket"])
    core.announce(ticket.queue_id)
    if left := answer.get("left_queue"):
        core.announce(left)
    return Joined(ticket, new=answer["outcome"] == "joined")


async def status(core: Core, phone: str) -> Ticket | None:
    """The phone's active ticket."""
    facts = await core.pool.fetchval(SQL.status, phone)
    return from_facts(facts) if facts else None


async def look(core: Core, ticket_id: str) -> Ticket:
    """A ticket by its id, active or ended."""
    return from_facts(await core.pool.fetchval(SQL.look, ticket_id))


async def dial_in(core: Core, phone: str) -> DialIn:
    return dial_in_from(await core.pool.fetchval(SQL.dial_in, phone))


def dial_in_from(facts: dict[str, Any]) -> DialIn:
    """From the JSON of the database function `dial_in`."""
    for key in ("ticket", "shut", "ratable"):
        facts[key] = from_facts(facts[key]) if facts[key] else None
    return DialIn(**facts)


async def leave(core: Core, act: Act, phone: str) -> Ticket:
    """Give the place up, for good. Raises Refused: no_ticket."""
    return await _change(core, SQL.leave, act, phone)


async def defer(core: Core, act: Act, phone: str, minutes: int) -> Ticket:
    """Keep the number, let pass as many as are served in `minutes`. Raises Refused: no_ticket, moved_twice."""
    return await _change(core, SQL.defer, act, phone, minutes)


async def come_back(core: Core, act: Act, phone: str) -> Ticket:
    """A skipped person returns behind the next two people. Raises Refused: no_ticket."""
    return await _change(core, SQL.come_back, act, phone)


async def coming(core: Core, act: Act, phone: str) -> Ticket:
    """Say "I am coming": stops the timer of this call. Raises Refused: no_ticket."""
    return await _change(core, SQL.coming, act, phone)


async def _change(core: Core, sql: str, act: Act, *args: Any) -> Ticket:
    ticket = from_facts((await perform(core, sql, act, *args))["ticket"])
    core.announce(ticket.queue_id)
    return ticket
