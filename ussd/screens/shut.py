"""After a line closed early on somebody: first in line when it opens again."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import ClassVar
from zoneinfo import ZoneInfo

from queue_core import customers, queues, tickets
from queue_core.tickets import Ticket
from ussd.screen import Screen
from ussd.visit import View, Visit


class Shut(Screen):
    name = "shut"
    code = "U42"
    texts = ("shut",)
    keys: ClassVar = {"1": "first", "2": "no_thanks"}
    leads: ClassVar = {
        "gone": "hub",
        "answered": "home",
        "joined": "joined",
        "already": "mine",
        "no_ticket": "mine",
    }

    async def show(self, visit: Visit) -> View | str:
        ticket = (await visit.dial_in()).shut
        if ticket is None:
            return "gone"
        day = await next_day(visit, ticket)
        today = datetime.now(ZoneInfo(ticket.timezone)).date()
        named = visit.template("shut").phrases.day(day, today)
        visit.session.data |= {"day": day.isoformat(), "shut": ticket.id, "human": ticket.branch_phone}
        return visit.view("shut", ticket, fields={"day_open": named})

    async def on_first(self, visit: Visit, _key: str) -> str | None:
        day = date.fromisoformat(visit.session.data["day"])
        joined = await tickets.join_first(visit.core, visit.act, visit.session.phone, day)
        visit.hold(joined.ticket)
        return "joined" if joined.new else "already"

    async def on_no_thanks(self, visit: Visit, _key: str) -> str | None:
        await customers.shut_answered(visit.core, visit.session.data["shut"])
        return "answered"


async def next_day(visit: Visit, ticket: Ticket) -> date:
    """The day of the next opening; the day after, while no hours are kept or they open again today."""
    place = await queues.place(visit.core, ticket.branch_code)
    opens = place.opens_at.date() if place and place.opens_at else ticket.service_date
    return max(opens, ticket.service_date + timedelta(days=1))
