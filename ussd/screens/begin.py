"""Where a call begins, and where it goes when a caller asks for his place or for the start."""

from __future__ import annotations

from typing import ClassVar

from queue_core import customers
from queue_core.tickets import Ticket
from ussd.catalogue import catalogue, spoken
from ussd.screen import Listing, Screen
from ussd.screens.look_up import looks_like_code, place_of
from ussd.session import Session
from ussd.visit import View, Visit

# The screen of an active ticket, by what is true of it.
OF_TICKET = {
    "called": "turn",
    "near": "near",
    "waiting": "place",
    "later": "booked",
    "skipped": "missed",
    "serving": "serving",
}
# What a verb was answered before the session was lost, where that alone tells which screen followed.
ANSWERED = {
    "joined": "joined",
    "left": "left",
    "deferred": "lateok",
    "moved_twice": "lateno",
    "in_line": "backin",
    "on_my_way": "coming",
    "erased": "erased",
}


def state_of(ticket: Ticket) -> str:
    if ticket.status != "waiting":
        return ticket.status
    if not ticket.today:
        return "later"
    return "near" if ticket.near else "waiting"


NO_KEYS = tuple("056789")
DESK = "0"


class Dialled(Screen):
    """Never seen: which screen a caller needs first. Re-dialling is his refresh button."""

    name = "dialled"
    code = "section 3"
    leads: ClassVar = {
        **OF_TICKET,
        **ANSWERED,
        "shut": "shut",
        "unfinished": "resume",
        "ratable": "rate",
        "staff": "staff",
        "place": "service",
        "unknown": "badcode",
        "nothing": "home",
    }

    async def show(self, visit: Visit) -> View | str:
        visit.facts, last = await visit.store.dial_in(visit.session.phone)
        facts = visit.facts
        visit.session.language = facts.language or visit.session.language
        ticket = facts.ticket
        visit.hold(ticket)
        if await self._opens_desk(visit):
            visit.inputs.popleft()
            return "staff"
        code = self._dialled_code(visit)
        if ticket and (code in (None, ticket.branch_code) or ticket.status == "called"):
            if code:
                visit.inputs.clear()  # redialling from the call log: he wants to see his place
            return state_of(ticket)
        if code:
            visit.inputs.popleft()
            return await place_of(visit, code)
        if facts.shut:
            return "shut"
        if self._unfinished(visit, last):
            return "unfinished"
        return "ratable" if facts.ratable else "nothing"

    async def _opens_desk(self, visit: Visit) -> bool:
        """0 after the service code, from a phone that staff work from."""
        return bool(visit.inputs) and visit.inputs[0][0] == DESK and await visit.staff() is not None

    def _dialled_code(self, visit: Visit) -> str | None:
        """Digits after the service code that the first menu has no use for."""
        first = visit.inputs[0][0] if visit.inputs else ""
        return first if looks_like_code(first) or first in NO_KEYS else None

    def _unfinished(self, visit: Visit, last: Session | None) -> bool:
        """A join that was cut off, in another session or in this one before it was lost."""
        if last is None or last.ended or not last.joining or "place" not in last.data:
            return False
        at = last.data.get("at", last.state) if last.menu == visit.session.menu else "service"
        visit.session.data = {**last.data, "at": at}
        return True


class Hub(Screen):
    """Never seen: the ticket that the caller has as far as he was told, or home."""

    name = "hub"
    code = "U12 or U01"
    leads: ClassVar = {**OF_TICKET, "nothing": "home"}

    async def show(self, visit: Visit) -> View | str:
        ticket = await visit.ticket() if visit.session.data.get("mine") else None
        return state_of(ticket) if ticket else "nothing"


class Mine(Screen):
    """Never seen: the caller's ticket, or the word that there is none."""

    name = "mine"
    code = "U12 or U15"
    leads: ClassVar = {**OF_TICKET, "nothing": "noticket"}

    async def show(self, visit: Visit) -> View | str:
        ticket = await visit.ticket()
        return state_of(ticket) if ticket else "nothing"


class Home(Screen):
    name = "home"
    code = "U01"
    texts = ("home",)
    keys: ClassVar = {"1": "join", "2": "status", "3": "help", "4": "language", DESK: "desk"}
    leads: ClassVar = {"place": "service", "unknown": "badcode", "staff": "staff"}

    async def on_desk(self, visit: Visit, _key: str) -> str | None:
        """For staff on networks that do not pass on what is dialled after the service code."""
        return "staff" if await visit.staff() else "home"

    async def typed(self, visit: Visit, text: str) -> str | None:
        """The code of a place saves the step in between."""
        return await place_of(visit, text) if looks_like_code(text) else await super().typed(visit, text)


class Resume(Screen):
    """A join that was cut off less than ten minutes ago."""

    name = "resume"
    code = "U36"
    texts = ("resume",)
    keys: ClassVar = {"1": "continue", "2": "restart", "3": "status"}
    leads: ClassVar = {
        "service": "service",
        "confirm": "confirm",
        "name": "name",
        "full": "full",
        "restart": "code",
    }
    joining = True

    async def on_continue(self, visit: Visit, _key: str) -> str | None:
        at: str = visit.session.data.pop("at", "service")
        return at

    async def on_restart(self, visit: Visit, _key: str) -> str | None:
        visit.session.data.clear()
        return "restart"


class Rate(Screen):
    """Asked once, on the first call of the 24 hours after a visit."""

    name = "rate"
    code = "U24"
    texts = ("rate",)
    keys: ClassVar = {**dict.fromkeys("12345", "stars"), "0": "back"}
    leads: ClassVar = {"back": "home", "rated": "rated", "no_ticket": "home"}

    async def show(self, visit: Visit) -> View | str:
        if ratable := (await visit.dial_in()).ratable:
            await customers.rating_asked(visit.core, ratable.id)
            visit.session.data["branch"] = ratable.branch
        return visit.view("rate")

    async def on_stars(self, visit: Visit, key: str) -> str | None:
        await customers.rate(visit.core, visit.act, visit.session.phone, int(key))
        return "rated"


class Rated(Screen):
    name = "rated"
    code = "U25"
    texts = ("rated",)
    ends = True


class Language(Listing):
    name = "language"
    code = "U35"
    texts = ("language",)
    leads: ClassVar = {"back": "hub", "saved": "hub"}

    async def entries(self, visit: Visit) -> list[tuple[str, str]] | str:
        return spoken()

    def fields(self, visit: Visit) -> dict[str, object]:
        return {"languages": " / ".join(catalogue(code).language for code, _ in spoken())}

    async def chosen(self, visit: Visit, value: str) -> str | None:
        await customers.set_language(visit.core, visit.session.phone, value)
        visit.session.language = value
        return "saved"
