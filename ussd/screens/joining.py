"""From a place's code to a number."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar
from zoneinfo import ZoneInfo

from queue_core import queues, tickets
from queue_core.queues import Line, Place
from queue_core.text import plain_name
from ussd.catalogue import clock, plain
from ussd.screen import Listing, Screen
from ussd.screens.look_up import found
from ussd.visit import View, Visit

FIND: dict[str, str] = {
    "all": "places",
    "found": "places",
    "place": "service",
    "unknown": "badcode",
    "no_name": "badname",
}
# How a join may be refused, and where that leads.
REFUSED = {"closed": "closed", "paused": "paused", "full": "full", "no_queue": "code", "gone": "code"}


class Code(Screen):
    name = "code"
    code = "U02"
    texts = ("code",)
    keys: ClassVar = {"1": "all", "0": "back"}
    leads: ClassVar = {**FIND, "back": "home"}

    async def on_all(self, visit: Visit, _key: str) -> str | None:
        visit.session.data.pop("search", None)
        return "all"

    async def typed(self, visit: Visit, text: str) -> str | None:
        if text:
            return await found(visit, text)
        return await super().typed(visit, text)


class BadCode(Code):
    name = "badcode"
    code = "U37"
    texts = ("badcode",)


class BadName(Code):
    name = "badname"
    code = "U37"
    texts = ("badname",)


class Places(Listing):
    """Open places, all of them or those with a word that begins as typed."""

    name = "places"
    code = "U03"
    texts = ("places", "noplaces")
    keys: ClassVar = {"0": "back"}
    leads: ClassVar = {**FIND, "back": "code", "enough": "code", "gone": "code"}

    async def show(self, visit: Visit) -> View | str:
        view = await super().show(visit)
        return view if visit.session.data["choices"] else visit.view("noplaces")

    async def entries(self, visit: Visit) -> list[tuple[str, str]] | str:
        places = await queues.open_places(visit.core, visit.session.data.get("search", ""))
        return [(code, plain(name)) for code, name in places]

    async def chosen(self, visit: Visit, value: str) -> str | None:
        return await found(visit, value)

    async def typed(self, visit: Visit, text: str) -> str | None:
        if len(text) > 1:
            return await found(visit, text)
        return await super().typed(visit, text)


class Service(Listing):
    """The lines of a place. A place with one line needs no question."""

    name = "service"
    code = "U04"
    texts = ("service",)
    keys: ClassVar = {"0": "back"}
    leads: ClassVar = {**REFUSED, "back": "home", "line": "confirm"}
    joining = True

    async def entries(self, visit: Visit) -> list[tuple[str, str]] | str:
        place = await visit.place()
        if place is None:
            return "gone"
        lines = [line for line in place.lines if line.status != "closed" and place.is_open]
        visit.session.data["only"] = len(lines) == 1
        if not lines:
            return "closed"
        if len(lines) == 1:
            return self._outcome(visit, lines[0])
        return [(line.id, f"{plain(line.name)} ({line.waiting})") for line in lines]

    async def chosen(self, visit: Visit, value: str) -> str | None:
        place = await visit.place()
        line = next((line for line in place.lines if line.id == value), None) if place else None
        return self._outcome(visit, line) if line else "gone"

    def _outcome(self, visit: Visit, line: Line) -> str:
        visit.session.data["line"] = line.id
        return why_not(line) or "line"


def why_not(line: Line) -> str | None:
    """Why a line takes nobody now, in the words of a refused join."""
    if line.status != "open":
        return line.status
    return "full" if line.full else None


class Confirm(Screen):
    name = "confirm"
    code = "U05"
    texts = ("confirm",)
    keys: ClassVar = {"1": "yes", "2": "no", "0": "no"}
    leads: ClassVar = {
        **REFUSED,
        "no": "service",
        "no_other": "home",
        "ask_name": "name",
        "joined": "joined",
        "already": "already",
        "mine": "mine",
    }
    joining = True

    async def show(self, visit: Visit) -> View | str:
        chosen = await visit.line()
        if chosen is None:
            return "gone"
        place, line = chosen
        if not place.is_open:
            return "closed"
        if no := why_not(line):
            return no
        about = visit.template("confirm").phrases.about(line.waiting, line.minutes)
        return visit.view("confirm", fields={"svc": plain(line.name), "waiting": line.waiting, "about": about})

    async def on_yes(self, visit: Visit, _key: str) -> str | None:
        place = await visit.place()
        if place and place.asks_name and not await visit.ticket():
            return "ask_name"
        return await join(visit)

    async def on_no(self, visit: Visit, _key: str) -> str | None:
        return "no_other" if visit.session.data.get("only") else "no"


async def join(visit: Visit, name: str | None = None) -> str:
    """The outcome of joining the chosen line: a number, or the ticket that the phone has already."""
    session = visit.session
    line = session.data["line"]
    joined = await tickets.join(
        visit.core, visit.harmless_act, line, session.phone, name=name, language=session.language
    )
    visit.hold(joined.ticket)
    if joined.new:
        return "joined"
    return "mine" if joined.ticket.queue_id == line else "already"


class Name(Screen):
    name = "name"
    code = "U06"
    texts = ("name",)
    keys: ClassVar = {"1": "skip", "0": "back"}
    leads: ClassVar = {
        **REFUSED,
        "back": "confirm",
        "joined": "joined",
        "already": "already",
        "mine": "mine",
    }
    joining = True
    takes_names = True

    async def on_skip(self, visit: Visit, _key: str) -> str | None:
        return await join(visit)

    async def typed(self, visit: Visit, text: str) -> str | None:
        name = None if any(char.isdecimal() for char in text) else plain_name(text)
        return await join(visit, name) if name else await super().typed(visit, text)


class Joined(Screen):
    name = "joined"
    code = "U07"
    texts = ("joined", "joined_later")
    ends = True

    async def show(self, visit: Visit) -> View | str:
        ticket = await visit.ticket()
        return visit.view("joined" if ticket is None or ticket.today else "joined_later", ticket)


class Already(Screen):
    """A phone has one place; another line is joined only for it, both in one transaction."""

    name = "already"
    code = "U11"
    texts = ("already", "already_called")
    keys: ClassVar = {"1": "keep", "2": "replace"}
    leads: ClassVar = {
        **REFUSED,
        "keep": "mine",
        "home": "mine",
        "back": "mine",
        "joined": "joined",
        "mine": "mine",
    }

    async def show(self, visit: Visit) -> View | str:
        ticket = await visit.ticket()
        if ticket is None:
            return "mine"
        return visit.view("already" if ticket.status == "waiting" else "already_called", ticket)

    async def on_replace(self, visit: Visit, _key: str) -> str | None:
        session = visit.session
        joined = await tickets.join(
            visit.core,
            visit.act,
            session.data["line"],
            session.phone,
            language=session.language,
            replace=True,
        )
        visit.hold(joined.ticket)
        return "joined" if joined.new else "mine"


class Full(Screen):
    name = "full"
    code = "U09"
    texts = ("full",)
    keys: ClassVar = {"1": "another"}
    leads: ClassVar = {"another": "service", "no_other": "code", "gone": "code"}
    joining = True

    async def show(self, visit: Visit) -> View | str:
        chosen = await visit.line()
        return visit.view("full", fields={"svc": plain(chosen[1].name)}) if chosen else "gone"

    async def on_another(self, visit: Visit, _key: str) -> str | None:
        return "no_other" if visit.session.data.get("only") else "another"


class Closed(Screen):
    name = "closed"
    code = "U08"
    texts = ("closed", "closed_unknown")
    ends = True

    async def show(self, visit: Visit) -> View | str:
        place = await visit.place()
        if place is None or place.opens_at is None:
            return visit.view("closed_unknown")
        day = visit.template("closed").phrases.day(place.opens_at.date(), today_at(place))
        return visit.view("closed", fields={"day": day, "time": clock(place.opens_at)})


class Paused(Screen):
    name = "paused"
    code = "U10"
    texts = ("paused", "paused_unknown")
    ends = True

    async def show(self, visit: Visit) -> View | str:
        chosen = await visit.line()
        if chosen is None:
            return visit.view("closed_unknown")
        place, line = chosen
        fields = {"svc": plain(line.name)}
        if line.paused_until is None:
            return visit.view("paused_unknown", fields=fields)
        return visit.view("paused", fields=fields | {"time": clock(place.local(line.paused_until))})


def today_at(place: Place) -> date:
    return datetime.now(ZoneInfo(place.timezone)).date()
