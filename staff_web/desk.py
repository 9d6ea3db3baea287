"""The desk: one counter, the lines that it serves, whoever is at it, and who waits."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from queue_core import accounts, calling, panel, phones, queues, tickets
from queue_core.calling import Called, Finish, Seen, Verb
from queue_core.errors import Refused
from queue_core.panel import Desk
from queue_core.text import plain_name
from queue_core.tickets import Ticket
from staff_web import said
from staff_web.guard import NOT_FOUND, Visit
from staff_web.pages import page
from staff_web.pauses import PAUSES, until
from staff_web.words import people

DESK: Final = "/staff/desk/{counter}/{queue}"
FINISHES: Final[dict[str, Finish]] = {"complete": "complete", "skip": "skip", "no-show": "no_show"}

# Verbs that need nothing but the ticket, and what is said after them.
VERBS: Final[dict[str, tuple[Verb, str]]] = {
    "start": (calling.start, "{} is being served."),
    "complete": (calling.complete, "{} is done."),
    "skip": (calling.skip, "{} was skipped and may come back."),
    "no-show": (calling.no_show, "{} is a no-show. The place is given up."),
    "recall": (calling.recall, "{} was called again."),
    "take-back": (calling.take_back, "The call was undone: {} waits again, at the old place."),
    "leave": (calling.leave_for, "{} gave the place up."),
    "come-back": (calling.come_back_for, "{} is back in line, behind the next two people."),
}
# Instead of those, where a verb led to something else.
OTHERWISE: Final = {
    ("skip", "no_show"): "{} was skipped too often and is a no-show. The place is given up.",
    ("take-back", "skipped"): "The call was undone: {} is skipped again, and may come back.",
}


def back_to(visit: Visit, words: str) -> Response:
    """To the desk, saying what was done."""
    return said.then(base_of(visit), words)


def base_of(visit: Visit) -> str:
    """The address of the desk, under which its buttons and tickets are."""
    return DESK.format(**visit.request.path_params)


async def choose(visit: Visit) -> Response:
    """The branches, counters and lines that this person may work at."""
    places = await panel.choices(visit.core, visit.member.act())
    return page(visit, "choose.html", places=places, state=places)


async def show(visit: Visit) -> Response:
    """The desk. Whoever opens it works here: the next time he comes to it at once."""
    desk = await _desk(visit)
    session = visit.session
    if not visit.live and (session.counter_id, session.queue_id) != (desk.counter.id, desk.line.id):
        await accounts.remember_desk(visit.core, session.id, desk.counter.id, desk.line.id)
    return _page(visit, desk)


async def call_next(visit: Visit) -> Response:
    """A ticket that was called and not started is asked about, on the same page."""
    desk = await _desk(visit)
    finish = FINISHES.get(visit.text("finish"))
    act = replace(visit.act(), reason=None)  # a call with a reason is one out of turn
    try:
        called = await calling.call_next(visit.core, act, desk.line.id, desk.counter.name, finish, _at_counter(visit))
    except Refused as refusal:
        if refusal.code != "outstanding":
            raise
        return RedirectResponse(f"{base_of(visit)}?ask=next", 303)
    return back_to(visit, _told(called, desk.line.name))


async def change(visit: Visit) -> Response:
    """One verb on one ticket, as it was seen."""
    name = visit.path("verb")
    verb, told = VERBS.get(name, (None, ""))
    if verb is None:
        raise HTTPException(404, NOT_FOUND)
    ticket = (await verb(visit.core, visit.act(), await _ticket(visit), visit.seen())).ticket
    return back_to(visit, OTHERWISE.get((name, ticket.status), told).format(ticket.label))


async def defer(visit: Visit) -> Response:
    minutes = visit.number("minutes", 1, 60)
    changed = await calling.defer_for(visit.core, visit.act(), await _ticket(visit), minutes, visit.seen())
    return back_to(visit, f"{changed.ticket.label} was moved back by about {minutes} min.")


async def move(visit: Visit) -> Response:
    passed = visit.number("ahead", 0, 999)
    changed = await calling.move(visit.core, visit.act(), await _ticket(visit), passed, visit.seen())
    return back_to(visit, f"{changed.ticket.label} has {people(changed.ticket.ahead)} ahead now.")


async def rename(visit: Visit) -> Response:
    changed = await calling.rename(visit.core, visit.act(), await _ticket(visit), _name(visit) or "", visit.seen())
    return back_to(visit, f"{changed.ticket.label} is {changed.ticket.name or 'without a name'} now.")


async def transfer(visit: Visit) -> Response:
    try:
        to = str(UUID(visit.text("to")))
    except ValueError:
        raise Refused("no_queue") from None
    moved = await calling.transfer(
        visit.core, visit.act(), await _ticket(visit), to, visit.seen(), first=bool(visit.text("first"))
    )
    return back_to(visit, f"{moved.old.label} was moved to {moved.new.queue} and is {moved.new.label} now.")


async def call_named(visit: Visit) -> Response:
    """Somebody out of turn, with a reason that the history keeps."""
    desk = await _desk(visit)
    called = await calling.call_named(
        visit.core,
        visit.act(),
        visit.path("ticket"),
        desk.counter.id,
        FINISHES.get(visit.text("finish")),
        visit.seen(),
        _at_counter(visit),
    )
    return back_to(visit, _told(called, desk.line.name))


async def walk_in(visit: Visit) -> Response:
    """Somebody who stands at the desk, with a phone or without one."""
    number = phones.normalise(visit.text("phone")) if visit.text("phone") else None
    joined = await tickets.join(visit.core, visit.act(), await _line(visit), number, name=_name(visit))
    ticket = joined.ticket
    if not joined.new:
        # Where somebody waits is nobody's business who does not work there.
        here = ticket.branch_id in visit.member.branches
        place = f"{ticket.label}, {ticket.queue} at {ticket.branch}" if here else "in a line elsewhere"
        return back_to(visit, f"This phone has a place already: {place}. Nobody was added.")
    told = "An SMS tells the number." if number else "No SMS: tell the number, and call by name."
    return back_to(visit, f"{ticket.label} was added, {people(ticket.ahead)} ahead. {told}")


async def show_ticket(visit: Visit) -> Response:
    """One ticket, all that may be done with it, and its history."""
    desk = await _desk(visit)
    found = await panel.ticket(visit.core, visit.member.act(), visit.path("ticket"))
    return page(visit, "ticket.html", desk=desk, found=found, base=base_of(visit), state=found)


async def pause(visit: Visit) -> Response:
    desk = await _desk(visit)
    until_when = until(visit.text("minutes"))
    changed = await queues.pause(visit.core, visit.act(), desk.line.id, until_when)
    return back_to(visit, f"{changed.queue} takes nobody new. {_told_by_sms(changed.affected)}")


async def open_(visit: Visit) -> Response:
    changed = await queues.open_(visit.core, visit.act(), await _line(visit))
    return back_to(visit, f"{changed.queue} is open. {_told_by_sms(changed.affected)}")


async def ask_close(visit: Visit) -> Response:
    """Says how many people it affects, before anything happens."""
    desk = await _desk(visit)
    return page(visit, "close.html", desk=desk, base=base_of(visit), state=desk.line)


async def close(visit: Visit) -> Response:
    how = visit.text("how")
    if how not in ("serve-out", "send-home"):
        raise HTTPException(400, "Choose what happens to the people who wait. Nothing was changed.")
    send_home = how == "send-home"
    changed = await queues.close(visit.core, visit.act(), await _line(visit), send_home=send_home, seen=visit.seen())
    if send_home:
        return back_to(visit, f"{changed.queue} is closed. {people(changed.affected).capitalize()} sent home.")
    return back_to(visit, f"{changed.queue} is closed to new people. {people(changed.waiting).capitalize()} to serve.")


async def _desk(visit: Visit) -> Desk:
    return await panel.desk(visit.core, visit.member.act(), visit.path("counter"), visit.path("queue"))


async def _line(visit: Visit) -> str:
    """The line's id, once it is sure that the person may work there."""
    return (await _desk(visit)).line.id


async def _ticket(visit: Visit) -> str:
    """The ticket's id, once it is sure that the person may work at the desk of the address."""
    await _desk(visit)
    return visit.path("ticket")


def _page(visit: Visit, desk: Desk) -> Response:
    asks = visit.request.query_params.get("ask") == "next" and desk.current and desk.current.status == "called"
    state = (desk.version, desk.branch, desk.lines, desk.line, desk.current, desk.waiting, desk.skipped, asks)
    return page(visit, "desk.html", desk=desk, asks=asks, base=base_of(visit), pauses=PAUSES, state=state)


def _at_counter(visit: Visit) -> Seen:
    """Whom the form showed at the counter."""
    return Seen(visit.text("at_id") or None, visit.seen("at_version"))


def _name(visit: Visit) -> str | None:
    given = visit.text("name")
    name = plain_name(given)
    if given and name is None:
        raise Refused("bad_name")
    return name


def _told(called: Called, line: str) -> str:
    done = f"{called.finished.label} is {_ended(called.finished)}. " if called.finished else ""
    if called.ticket is None:
        return f"{done}Nobody waits in {line}."
    return f"{done}{called.ticket.label} was called to {called.counter}."


def _ended(ticket: Ticket) -> str:
    return {"completed": "done", "skipped": "skipped", "no_show": "a no-show"}.get(ticket.status, ticket.status)


def _told_by_sms(affected: int) -> str:
    return f"{people(affected).capitalize()} in line told by SMS." if affected else "Nobody had to be told."
