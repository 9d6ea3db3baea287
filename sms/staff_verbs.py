"""The staff's verbs as texts: what each does, and what it answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from queue_core import calling, queues, staff_phones
from queue_core.core import Act, Core
from queue_core.errors import Refused
from queue_core.staff_phones import StaffLine, StaffPhone
from queue_core.tickets import Ticket, from_facts
from sms.commands import is_ticket, ticket_in
from sms.customers import Reply
from sms.typed import amount

SAME_PRESS = timedelta(seconds=5)
LISTED = 3
LONGEST_PAUSE = 480  # minutes
LAST_LISTED = 9999
NOBODY = "-"


@dataclass(frozen=True, slots=True)
class Press:
    """One command, checked: who gives it, for which line, and what else was typed."""

    core: Core
    phone: StaffPhone
    act: Act
    line: StaffLine
    rest: tuple[str, ...]
    now: Ticket | None

    @property
    def counter(self) -> str | None:
        return self.phone.counter or (self.now.counter if self.now else None)

    def clock(self, at: datetime | None = None) -> str:
        """An instant, by default this one, on the wall clock of the branch."""
        return f"{(at or datetime.now(UTC)).astimezone(ZoneInfo(self.line.timezone)):%H:%M}"

    def reply(self, template: str, **more: object) -> Reply:
        """Most answers name the line, the counter and how many wait."""
        facts = {"q": self.line.name, "wait": self.line.waiting, "ctr": self.counter or "the counter", "tk": NOBODY}
        return Reply(template, facts | ({"tk": self.now.label} if self.now else {}) | more)


Verb = Callable[[Press], Awaitable[Reply]]


def _who(ticket: Ticket) -> str:
    """A047 Amina ...3456: what is needed to call somebody by name, and to know that it is he."""
    return " ".join(filter(None, (ticket.label, ticket.name, f"...{ticket.phone[-4:]}" if ticket.phone else None)))


async def _next(press: Press) -> Reply:
    now = press.now
    if now and now.called_at and now.status == "called" and datetime.now(UTC) - now.called_at < SAME_PRESS:
        return press.reply("staff_same_call", time=f"{now.local(now.called_at):%H:%M}")
    try:
        return await _call(press, press.act, None)
    except Refused as refusal:
        if refusal.code != "outstanding":
            raise
        waits = from_facts(refusal.facts["ticket"])
    if not await staff_phones.ask_about(press.core, press.phone.phone, waits.id, f"{press.act.request}:ask"):
        return press.reply("staff_outstanding", tk=waits.label, ctr=waits.counter)
    return await _call(press, replace(press.act, request=f"{press.act.request}:again"), "complete")


async def _call(press: Press, act: Act, finish: calling.Finish | None) -> Reply:
    called = await calling.call_next(press.core, act, press.line.id, press.counter, finish)
    facts = {"ctr": called.counter, "wait": called.waiting}
    if called.ticket is None:
        return press.reply("staff_empty", **facts, tk=called.finished.label if called.finished else NOBODY)
    if finish == "skip" and called.finished:
        return press.reply("staff_skipped", **facts, tk=called.finished.label, who=_who(called.ticket))
    return press.reply("staff_next", **facts, who=_who(called.ticket))


async def _skip(press: Press) -> Reply:
    """Passes whom the counter called, and calls the next."""
    now = _named(press)
    if now.status != "called":
        raise Refused("no_ticket")
    return await _call(press, press.act, "skip")


async def _recall(press: Press) -> Reply:
    changed = await calling.recall(press.core, press.act, _named(press).id)
    return press.reply("staff_recalled", who=_who(changed.ticket), wait=changed.waiting)


async def _no_show(press: Press) -> Reply:
    changed = await calling.no_show(press.core, press.act, _named(press).id)
    return press.reply("staff_no_show", wait=changed.waiting)


async def _done(press: Press) -> Reply:
    now = _named(press)
    changed = await calling.complete(press.core, press.act, now.id)
    figures = await staff_phones.figures(press.core, press.act, press.line.id)
    spent = datetime.now(UTC) - (now.called_at or datetime.now(UTC))
    return press.reply(
        "staff_done", n=max(1, round(spent.total_seconds() / 60)), served=figures.served, wait=changed.waiting
    )


async def _undo(press: Press) -> Reply:
    changed = await calling.take_back(press.core, press.act, _named(press).id)
    return press.reply("staff_undone", pos=changed.ticket.ahead + 1, wait=changed.waiting)


def _named(press: Press) -> Ticket:
    """Whom the counter has; if a ticket was typed it must be that one."""
    if press.now is None:
        raise Refused("no_ticket")
    typed = ticket_in(press.rest)
    if typed and not is_ticket(typed, press.now.label):
        raise Refused("wrong_state")
    return press.now


async def _ask_pause(press: Press) -> Reply:
    minutes = amount(press.rest[0], LONGEST_PAUSE) if press.rest else None
    return await _ask(press, "staff_pause_ask", f"pause {minutes or 0}")


async def _ask_close(press: Press) -> Reply:
    return await _ask(press, "staff_close_ask", "close")


async def _ask(press: Press, template: str, verb: str) -> Reply:
    """What tells many people waits for two digits that only the owner of the phone gets to see."""
    digits = await staff_phones.new_challenge(press.core, press.phone.phone, verb, press.line.id)
    return press.reply(template, chal=digits)


async def _pause(press: Press) -> Reply:
    minutes = int(press.rest[0])
    until = datetime.now(UTC) + timedelta(minutes=minutes) if minutes else None
    changed = await queues.pause(press.core, press.act, press.line.id, until)
    return press.reply("staff_paused", time=press.clock(), told=changed.affected)


async def _close(press: Press) -> Reply:
    figures = await staff_phones.figures(press.core, press.act, press.line.id)
    changed = await queues.close(press.core, press.act, press.line.id, send_home=True)
    return press.reply("staff_closed", time=press.clock(), served=figures.served, told=changed.affected)


async def _open(press: Press) -> Reply:
    changed = await queues.open_(press.core, press.act, press.line.id)
    return press.reply("staff_opened", time=press.clock(), wait=changed.waiting)


async def _list(press: Press) -> Reply:
    start = (amount(press.rest[0], LAST_LISTED) if press.rest else None) or 1
    people = await staff_phones.waiting(press.core, press.act, press.line.id, start, LISTED + 1)
    told = [
        f"{place} {' '.join(filter(None, (one.label, one.name)))}" for place, one in enumerate(people[:LISTED], start)
    ]
    more = start + LISTED if len(people) > LISTED else None
    return press.reply("staff_list", list=", ".join(told) or "nobody", more=more)


async def _count(press: Press) -> Reply:
    figures = await staff_phones.figures(press.core, press.act, press.line.id)
    return press.reply(
        "staff_count",
        wait=figures.waiting,
        busy=figures.busy,
        served=figures.served,
        avg=NOBODY if figures.average is None else figures.average,
        tk=figures.current or NOBODY,
    )


def refused(press: Press, refusal: Refused) -> Reply:
    """The same reasons as everywhere, in a staff member's words."""
    match refusal.code:
        case "no_ticket":
            return press.reply("staff_nobody")
        case "wrong_state" | "stale":
            return press.reply("staff_other")
        case "no_counter" | "no_free_counter":
            return press.reply("staff_no_counter")
        case "not_open":
            return press.reply("staff_not_open")
        case "no_queue":
            return press.reply("staff_not_allowed")
    return press.reply("staff_too_late")


VERBS: dict[str, Verb] = {
    "next": _next,
    "recall": _recall,
    "skip": _skip,
    "done": _done,
    "no_show": _no_show,
    "undo": _undo,
    "pause": _ask_pause,
    "close": _ask_close,
    "open": _open,
    "list": _list,
    "count": _count,
}
CONFIRMED: dict[str, Verb] = {"pause": _pause, "close": _close}
