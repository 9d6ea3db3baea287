"""What a customer's text does, and what is answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from queue_core import customers, queues, tickets
from queue_core.core import Act, Core
from queue_core.errors import Refused
from queue_core.hours import when
from queue_core.queues import Line, Place
from queue_core.text import plain_name
from queue_core.tickets import DialIn, Ticket
from sms.commands import Command, code_of, is_ticket
from sms.texts import languages
from sms.typed import amount, echo

USUAL_MINUTES = 10
MOST_MINUTES = 60
MOST_STARS = 5
LONGEST_ECHO = 8
MOST_LINES = 4  # what one text has room for; the others can be joined by their letters too


@dataclass(frozen=True, slots=True)
class Reply:
    """The text that answers, by its template; `said` for one that the queue itself queued with the event."""

    template: str
    parameters: dict[str, Any] = field(default_factory=dict)
    ticket: Ticket | None = None
    language: str | None = None
    said: bool = False


@dataclass(frozen=True, slots=True)
class Texter:
    """Somebody who texts us, and what is true of him at that moment. `key` marks who was erased."""

    core: Core
    phone: str
    language: str
    facts: DialIn
    ratable: Ticket | None
    act: Act
    key: bytes = field(repr=False)

    @property
    def ticket(self) -> Ticket | None:
        return self.facts.ticket


Answer = Callable[[Texter, Command], Awaitable[Reply]]


async def answer(texter: Texter, command: Command, *, leave_asked: bool) -> Reply:
    """Do what a text asks for. Whatever the rules refuse is answered with the reason.

    `leave_asked`: the person was asked a moment ago whether to leave; the bare word then is his answer.
    """
    if command.verb == "leave":
        return await _leave(texter, command, again=leave_asked and not command.rest)
    if not command.sure:
        return Reply("did_you_mean", {"guess": GUESSES[command.verb]})
    return await VERBS[command.verb](texter, command)


async def _join(texter: Texter, command: Command) -> Reply:
    if texter.ticket:
        return Reply("already", about(texter.ticket), texter.ticket)
    code, taken = code_of(command.rest)
    if code is None:
        typed = echo(command.rest[0], LONGEST_ECHO) if command.rest else ""
        return Reply("bad_code", {"code": typed}) if typed else Reply("status_none")
    place = await queues.place(texter.core, code)
    if place is None:
        return Reply("bad_code", {"code": code})
    return await _join_at(texter, place, command.rest[taken:], command.said[taken:])


async def _join_at(texter: Texter, place: Place, rest: tuple[str, ...], said: tuple[str, ...]) -> Reply:
    line = _named(place, rest[0]) if rest else None
    if line:
        said = said[1:]
    taking = [one for one in place.lines if one.status == "open" and not one.full]
    if line is None and (len(place.lines) == 1 or (len(taking) == 1 and not rest)):
        line = (taking or place.lines)[0]
    if line is None:
        if not place.is_open or all(one.status == "closed" for one in place.lines):
            return _closed(place)
        named = ", ".join(f"{one.code} {one.name}" for one in (taking or place.lines)[:MOST_LINES])
        return Reply("which_line", _of_place(place) | {"lines": named})
    try:
        joined = await tickets.join(
            texter.core, texter.act, line.id, texter.phone, name=plain_name(" ".join(said)), language=texter.language
        )
    except Refused as refusal:
        return _refused(place, line, refusal)
    template = "joined" if joined.new else "already"
    return Reply(template, about(joined.ticket), joined.ticket, said=joined.new)


def _named(place: Place, word: str) -> Line | None:
    """The line of a code or of the first three letters of its name or more."""
    for line in place.lines:
        if line.code == word:
            return line
    meant = [line for line in place.lines if len(word) >= 3 and line.name.upper().replace(" ", "").startswith(word)]
    return meant[0] if len(meant) == 1 else None


def _refused(place: Place, line: Line, refusal: Refused) -> Reply:
    named = _of_place(place) | {"svc": line.name}
    facts = named | when(place.opens_at)
    others = [one for one in place.lines if one.id != line.id]
    other = next((one.name for one in others if one.status == "open" and not one.full), None)
    if refusal.code == "paused":
        until = line.paused_until
        return Reply("join_paused", facts | {"until": f"{place.local(until):%H:%M}" if until else None})
    if refusal.code == "full":
        return Reply("full", facts | {"svc2": other})
    if place.is_open and any(one.status != "closed" for one in others):
        return Reply("line_closed", named | {"svc2": other})
    return _closed(place)


def _closed(place: Place) -> Reply:
    return Reply("closed", _of_place(place) | when(place.opens_at))


async def _status(texter: Texter, _command: Command) -> Reply:
    return state(texter.ticket) if texter.ticket else Reply("status_none")


def state(ticket: Ticket) -> Reply:
    """What is true of a ticket now."""
    if ticket.status == "skipped":
        left = (ticket.deadline - datetime.now(UTC)).total_seconds() if ticket.deadline else 0
        return Reply("skipped", about(ticket) | {"min5": max(1, round(left / 60))}, ticket)
    return Reply("status_waiting" if ticket.status == "waiting" else "status_called", about(ticket), ticket)


async def _leave(texter: Texter, command: Command, *, again: bool) -> Reply:
    ticket = texter.ticket
    if ticket is None:
        return Reply("status_none")
    if not command.sure or not (again or is_ticket(command.rest, ticket.label)):
        return Reply("leave_ask", about(ticket), ticket)
    try:
        left = await tickets.leave(texter.core, texter.act, texter.phone)
    except Refused:
        return Reply("status_none")
    return Reply("left", about(left), left, said=True)


async def _leave_or_stop(texter: Texter, _command: Command) -> Reply:
    if texter.ticket is None:
        return await stop(texter)
    return Reply("leave_or_stop", about(texter.ticket), texter.ticket)


async def _late(texter: Texter, command: Command) -> Reply:
    if texter.ticket is None:
        return Reply("status_none")
    minutes = amount(command.rest[0], MOST_MINUTES) if command.rest else None
    try:
        ticket = await tickets.defer(texter.core, texter.act, texter.phone, minutes or USUAL_MINUTES)
    except Refused as refusal:
        if refusal.code == "moved_twice":
            return Reply("late_no", about(texter.ticket), texter.ticket)
        return state(texter.ticket)
    return Reply("late_ok", about(ticket), ticket, said=True)


async def _back(texter: Texter, command: Command) -> Reply:
    try:
        ticket = await tickets.come_back(texter.core, texter.act, texter.phone)
    except Refused:
        return await _status(texter, command)
    return state(ticket)


async def _here(texter: Texter, command: Command) -> Reply:
    """Whoever was called and says so stops the clock of the call."""
    if texter.ticket and texter.ticket.status == "called":
        try:
            return state(await tickets.coming(texter.core, texter.act, texter.phone))
        except Refused:  # not called any more
            now = await tickets.status(texter.core, texter.phone)
            return state(now) if now else Reply("status_none")
    return await _status(texter, command)


async def _rate(texter: Texter, command: Command) -> Reply:
    stars = amount(command.rest[0], MOST_STARS + 1) if command.rest else None
    is_rating = stars is not None and 1 <= stars <= MOST_STARS
    if texter.ratable is None:
        return Reply("rate_none" if is_rating or command.verb == "rate" else "unknown")
    if stars is None or not is_rating:
        return Reply("rate_ask", about(texter.ratable), texter.ratable)
    try:
        await customers.rate(texter.core, texter.act, texter.phone, stars)
    except Refused:
        return Reply("rate_none")
    return Reply("rated", about(texter.ratable) | {"stars": stars}, texter.ratable)


async def _lang(texter: Texter, command: Command) -> Reply:
    spoken = languages()
    wanted = command.rest[0].lower() if command.rest else ""
    code = next((code for code, name in spoken.items() if wanted in {code, name.lower()}), None)
    if code is None:
        return Reply(
            "lang_list", {"languages": ", ".join(f"LANG {one.upper()} {name}" for one, name in spoken.items())}
        )
    await customers.set_language(texter.core, texter.phone, code)
    return Reply("lang", {"lang": spoken[code]}, texter.ticket, code)


async def _help(texter: Texter, _command: Command) -> Reply:
    return Reply("help_ticket", about(texter.ticket), texter.ticket) if texter.ticket else Reply("help")


async def stop(texter: Texter) -> Reply:
    """No more texts after this one. The ticket lives on."""
    await customers.opt_out(texter.core, texter.phone)
    return Reply("stop", about(texter.ticket), texter.ticket) if texter.ticket else Reply("stop_no_ticket")


async def _start(texter: Texter, _command: Command) -> Reply:
    await customers.opt_in(texter.core, texter.phone)
    return Reply("start")


async def _forget(_texter: Texter, _command: Command) -> Reply:
    return Reply("forget_ask")


async def _forget_me(texter: Texter, command: Command) -> Reply:
    """Only these two words alone: nothing brings back what they take."""
    if command.rest:
        return Reply("forget_ask")
    await customers.erase(texter.core, texter.act, texter.phone, texter.key)
    return Reply("data_gone", said=True)


def about(ticket: Ticket) -> dict[str, Any]:
    """The facts of a ticket, under the names that the texts use."""
    return {
        "branch": ticket.branch,
        "code": ticket.branch_code,
        "phone": ticket.branch_phone,
        "svc": ticket.queue,
        "tk": ticket.label,
        "ctr": ticket.counter,
        "ahead": ticket.ahead,
        "min": ticket.minutes,
        "time": f"{datetime.now(ZoneInfo(ticket.timezone)):%H:%M}",
    }


def _of_place(place: Place) -> dict[str, Any]:
    return {"branch": place.name, "code": place.code, "phone": place.phone}


VERBS: dict[str, Answer] = {
    "join": _join,
    "status": _status,
    "leave_or_stop": _leave_or_stop,
    "late": _late,
    "rate": _rate,
    "stars": _rate,
    "lang": _lang,
    "help": _help,
    "stop": lambda texter, _command: stop(texter),
    "start": _start,
    "keep": _status,
    "back": _back,
    "here": _here,
    "forget": _forget,
    "forget_me": _forget_me,
}
GUESSES = {
    "late": "LATE 10",
    "rate": "RATE 5",
    "stop": "STOP",
    "start": "START",
    "keep": "KEEP",
    "back": "BACK",
    "here": "HERE",
    "forget": "FORGET ME",
    "forget_me": "FORGET ME",
}
