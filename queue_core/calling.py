"""What staff do with people: call them, recall, start, complete, skip, no-show, take back, send on, move in line."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

from db.queries import load
from queue_core.core import Act, Core, perform
from queue_core.text import plain_name
from queue_core.tickets import Ticket, from_facts

SQL = load("calling")

Finish = Literal["complete", "skip", "no_show"]


@dataclass(frozen=True, slots=True)
class Called:
    """The answer to call next. `ticket` is None when no one waits; `finished` is whom the counter had before."""

    ticket: Ticket | None
    finished: Ticket | None
    counter: str
    waiting: int


@dataclass(frozen=True, slots=True)
class Seen:
    """Whom the staff member saw at the counter: that ticket, in that version; without one, nobody."""

    id: str | None = None
    version: int | None = None


async def call_next(
    core: Core,
    act: Act,
    queue_id: str,
    counter: str | None = None,
    finish: Finish | None = None,
    seen: Seen | None = None,
) -> Called:
    """Call the first waiting person to a counter (by default the first free one that serves the line).

    Whom the counter was serving is completed. Somebody only called and not started is not: without `finish` that is
    Refused: outstanding, with the ticket. Also Refused: no_counter, no_free_counter, no_queue, and stale where `seen`
    is given and somebody else is at the counter, or nobody.
    """
    return _called(core, queue_id, await perform(core, SQL.call_next, act, queue_id, counter, finish, _json(seen)))


async def call_named(
    core: Core,
    act: Act,
    ticket_id: str,
    counter_id: str,
    finish: Finish | None = None,
    seen: int | None = None,
    at_counter: Seen | None = None,
) -> Called:
    """Call one person out of turn, who waits or was skipped today. `act.reason` says why.

    `seen` is the ticket's version, `at_counter` whom staff saw at the counter; the rest is as with `call_next`.
    Refused: no_ticket, no_counter, no_reason, stale, wrong_state, outstanding.
    """
    answer = await perform(core, SQL.call_named, act, ticket_id, counter_id, finish, seen, _json(at_counter))
    return _called(core, answer["ticket"]["queue_id"], answer)


def _json(seen: Seen | None) -> dict[str, Any] | None:
    return asdict(seen) if seen else None


def _called(core: Core, queue_id: str, answer: dict[str, Any]) -> Called:
    finished = from_facts(answer["finished"]) if answer["finished"] else None
    core.announce(queue_id)
    if finished and finished.queue_id != queue_id:
        core.announce(finished.queue_id)
    return Called(
        ticket=from_facts(answer["ticket"]) if answer["outcome"] == "called" else None,
        finished=finished,
        counter=answer["counter"],
        waiting=answer["waiting"],
    )


@dataclass(frozen=True, slots=True)
class Changed:
    """A ticket after a staff verb, and how many wait in its line."""

    ticket: Ticket
    waiting: int


class Verb(Protocol):
    """What the verbs on one ticket have in common."""

    __name__: str

    async def __call__(self, core: Core, act: Act, ticket_id: str, seen: int | None = None) -> Changed: ...


async def start(core: Core, act: Act, ticket_id: str, seen: int | None = None) -> Changed:
    """The called person is here. `seen` is the version that staff looked at; Refused: stale if it moved on."""
    return await _change(core, act, ticket_id, "start", seen)


async def complete(core: Core, act: Act, ticket_id: str, seen: int | None = None) -> Changed:
    """The person was served. The gap since the last completion goes into the estimate."""
    return await _change(core, act, ticket_id, "complete", seen)


async def skip(core: Core, act: Act, ticket_id: str, seen: int | None = None) -> Changed:
    """Called and not there: may come back within the grace; beyond the queue's max_skips it is a no-show."""
    return await _change(core, act, ticket_id, "skip", seen)


async def no_show(core: Core, act: Act, ticket_id: str, seen: int | None = None) -> Changed:
    """Not there, final at once."""
    return await _change(core, act, ticket_id, "no_show", seen)


async def recall(core: Core, act: Act, ticket_id: str, seen: int | None = None) -> Changed:
    """Call the same person again; at least two minutes are left from now."""
    return await _change(core, act, ticket_id, "recall", seen)


async def take_back(core: Core, act: Act, ticket_id: str, seen: int | None = None) -> Changed:
    """Undo a call: the person waits again at the old place, or who was skipped before it has a new grace to come back.

    Refused: too_late, when it was called over a minute ago, by somebody else, or the person has said "I am coming".
    """
    return await _change(core, act, ticket_id, "take_back", seen)


async def leave_for(core: Core, act: Act, ticket_id: str, seen: int | None = None) -> Changed:
    """Staff give a place up for somebody who asks at the desk."""
    return await _change(core, act, ticket_id, "leave", seen)


async def come_back_for(core: Core, act: Act, ticket_id: str, seen: int | None = None) -> Changed:
    """Staff put a skipped person back, behind the next two people."""
    return await _change(core, act, ticket_id, "come_back", seen)


async def defer_for(core: Core, act: Act, ticket_id: str, minutes: int, seen: int | None = None) -> Changed:
    """Staff let pass as many as are served in `minutes`; waiting or called. Refused: moved_twice, as for the person."""
    return await _change(core, act, ticket_id, "defer", seen, minutes=minutes)


async def move(core: Core, act: Act, ticket_id: str, passed: int, seen: int | None = None) -> Changed:
    """Put a waiting person behind the first `passed` others, 0 for first in line. `act.reason` says why.

    Refused: no_reason without one.
    """
    return await _change(core, act, ticket_id, "move", seen, passed=passed)


async def rename(core: Core, act: Act, ticket_id: str, name: str, seen: int | None = None) -> Changed:
    """What to call the person, made plain and cut to 16 characters; what is no name at all leaves the number alone."""
    return await _change(core, act, ticket_id, "rename", seen, name=plain_name(name))


@dataclass(frozen=True, slots=True)
class Moved:
    """A person sent on: the ticket that ended, the new one, and how many wait in its line."""

    old: Ticket
    new: Ticket
    waiting: int


async def transfer(
    core: Core, act: Act, ticket_id: str, to_queue_id: str, seen: int | None = None, *, first: bool = False
) -> Moved:
    """Send a person on to another line of the branch: a new number at its end, or behind the next two with `first`.

    The old ticket is cancelled in the same transaction, and whoever was being served in the old line counts as served
    there. A paused line takes whom staff send; Refused: closed, full, same_queue, no_queue,
    no_ticket, stale, wrong_state.
    """
    answer = await perform(core, SQL.transfer, act, ticket_id, to_queue_id, seen, first)
    moved = Moved(from_facts(answer["old"]), from_facts(answer["new"]), answer["waiting"])
    core.announce(moved.old.queue_id)
    core.announce(moved.new.queue_id)
    return moved


async def expire(core: Core, act: Act, ticket_id: str, verb: str, seen: int) -> Changed:
    """The clock's own verbs: expire_call, expire_grace, last_call."""
    return await _change(core, act, ticket_id, verb, seen)


async def _change(core: Core, act: Act, ticket_id: str, verb: str, seen: int | None, **given: object) -> Changed:
    answer: dict[str, Any] = await perform(core, SQL.change_ticket, act, ticket_id, verb, seen, given)
    ticket = from_facts(answer["ticket"])
    core.announce(ticket.queue_id)
    return Changed(ticket, answer["waiting"])
