"""What a caller sees of the place that he has."""

from __future__ import annotations

from typing import ClassVar

from queue_core import tickets
from ussd.screen import Screen
from ussd.visit import View, Visit

MOST_DEFERS = 2  # the database refuses the third


class OfTicket(Screen):
    """A screen that is there as long as its ticket is; afterwards whatever is true instead."""

    async def show(self, visit: Visit) -> View | str:
        ticket = await visit.ticket()
        return visit.view(self.texts[0], ticket) if ticket else "mine"


class Place(OfTicket):
    name = "place"
    code = "U12"
    texts = ("place",)
    keys: ClassVar = {"1": "again", "2": "late", "3": "leave", "4": "help"}
    leads: ClassVar = {"again": "mine", "mine": "mine"}


class Near(Place):
    name = "near"
    code = "U13"
    texts = ("near",)


class Turn(OfTicket):
    name = "turn"
    code = "U14"
    texts = ("turn",)
    keys: ClassVar = {"1": "coming", "2": "five_more", "3": "leave", "4": "call"}
    leads: ClassVar = {
        "mine": "mine",
        "on_my_way": "coming",
        "deferred": "lateok",
        "moved_twice": "lateno",
        "no_ticket": "mine",
        "call": "call",
    }

    async def on_coming(self, visit: Visit, _key: str) -> str | None:
        visit.hold(await tickets.coming(visit.core, visit.act, visit.session.phone))
        return "on_my_way"

    async def on_five_more(self, visit: Visit, _key: str) -> str | None:
        return await defer(visit, 5)


class Serving(OfTicket):
    name = "serving"
    code = "after U14"
    texts = ("serving",)
    keys: ClassVar = {"1": "again", "2": "call"}
    leads: ClassVar = {"again": "mine", "mine": "mine", "call": "call"}


class Booked(OfTicket):
    """A place given for a coming service day."""

    name = "booked"
    code = "as U12"
    texts = ("booked",)
    keys: ClassVar = {"1": "again", "2": "leave", "3": "help"}
    leads: ClassVar = {"again": "mine", "mine": "mine"}


class Coming(OfTicket):
    name = "coming"
    code = "U21"
    texts = ("coming",)
    ends = True


class NoTicket(Screen):
    name = "noticket"
    code = "U15"
    texts = ("noticket",)
    keys: ClassVar = {"1": "join", "2": "help"}


class Late(Screen):
    """He keeps his number and lets others pass."""

    name = "late"
    code = "U16"
    texts = ("late",)
    keys: ClassVar = {**dict.fromkeys("1234", "minutes"), "0": "back"}
    leads: ClassVar = {"back": "mine", "deferred": "lateok", "moved_twice": "lateno", "no_ticket": "mine"}
    minutes: ClassVar = {"1": 5, "2": 10, "3": 20, "4": 30}

    async def show(self, visit: Visit) -> View | str:
        ticket = await visit.ticket()
        if ticket is None or ticket.status not in ("waiting", "called") or not ticket.today:
            return "no_ticket"
        return visit.view("late") if ticket.defer_count < MOST_DEFERS else "moved_twice"

    async def on_minutes(self, visit: Visit, key: str) -> str | None:
        return await defer(visit, self.minutes[key])


async def defer(visit: Visit, minutes: int) -> str:
    visit.hold(await tickets.defer(visit.core, visit.act, visit.session.phone, minutes))
    return "deferred"


class LateOk(OfTicket):
    name = "lateok"
    code = "U17"
    texts = ("lateok",)
    keys: ClassVar = {"1": "mine", "0": "mine"}
    leads: ClassVar = {"mine": "mine"}


class LateNo(LateOk):
    name = "lateno"
    code = "U18"
    texts = ("lateno",)


class Leave(OfTicket):
    """Asked first, and the safe answer is 1."""

    name = "leave"
    code = "U19"
    texts = ("leave",)
    keys: ClassVar = {"1": "stay", "2": "yes", "0": "stay"}
    leads: ClassVar = {"stay": "mine", "mine": "mine", "left": "left", "no_ticket": "mine"}

    async def on_yes(self, visit: Visit, _key: str) -> str | None:
        return await leave(visit)


async def leave(visit: Visit) -> str:
    visit.hold(await tickets.leave(visit.core, visit.act, visit.session.phone))
    return "left"


class Left(OfTicket):
    name = "left"
    code = "U20"
    texts = ("left",)
    ends = True


class Missed(OfTicket):
    """Called and not there, while he may come back."""

    name = "missed"
    code = "U22"
    texts = ("missed",)
    keys: ClassVar = {"1": "come_back", "2": "leave_now", "3": "help"}
    leads: ClassVar = {"mine": "mine", "in_line": "backin", "left": "left", "no_ticket": "mine"}

    async def on_come_back(self, visit: Visit, _key: str) -> str | None:
        visit.hold(await tickets.come_back(visit.core, visit.act, visit.session.phone))
        return "in_line"

    async def on_leave_now(self, visit: Visit, _key: str) -> str | None:
        return await leave(visit)


class BackIn(OfTicket):
    name = "backin"
    code = "U23"
    texts = ("backin",)
    ends = True
