"""Who works here with this phone: a PIN, then his line."""

from __future__ import annotations

from typing import Any, ClassVar

from queue_core import staff_phones
from queue_core.errors import Refused
from queue_core.staff_phones import PIN, StaffPhone
from ussd.catalogue import plain
from ussd.screen import Screen
from ussd.visit import View, Visit


def desk_of(visit: Visit) -> dict[str, Any]:
    """What the session keeps of its work. A PIN is good for this very session: `trusted` is when that began."""
    kept: dict[str, Any] = visit.session.data.setdefault("desk", {})
    return kept


def is_trusted(visit: Visit) -> bool:
    return desk_of(visit).get("trusted") == visit.session.started


async def worker(visit: Visit) -> StaffPhone:
    """Whoever gave the PIN of this phone. Raises Refused: no_staff."""
    staff = await visit.staff()
    if staff is None or not is_trusted(visit):
        raise Refused("no_staff")
    return staff


class Staff(Screen):
    """Never seen: what has to be asked before somebody works, if anything."""

    name = "staff"
    code = "U50 or U51"
    leads: ClassVar = {
        "off": "home",
        "pin": "staff_pin",
        "locked": "staff_lock",
        "choose": "staff_lines",
        "desk": "staff_desk",
    }

    async def show(self, visit: Visit) -> View | str:
        staff = await visit.staff()
        if staff is None:
            return "off"
        if not is_trusted(visit):
            return "locked" if staff.locked_minutes else "pin"
        lines = [line.id for line in await staff_phones.lines(visit.core, staff)]
        if desk_of(visit).get("line") not in lines:
            desk_of(visit)["line"] = lines[0] if len(lines) == 1 else None
        return "desk" if desk_of(visit)["line"] else "choose"


class Pin(Screen):
    name = "staff_pin"
    code = "U50"
    texts = ("staff_pin",)
    leads: ClassVar = {
        "back": "home",
        "right": "staff",
        "off": "staff",
        "wrong": "staff_bad_pin",
        "locked": "staff_lock",
    }

    async def show(self, visit: Visit) -> View | str:
        staff = await visit.staff()
        if staff is None:
            return "off"
        place = plain(staff.branch or visit.house.brand)
        return visit.view(self.texts[0], fields={"place": place, "left": desk_of(visit).get("left")})

    async def typed(self, visit: Visit, text: str) -> str | None:
        """Six digits are a try, once, however often they are delivered."""
        if not PIN.fullmatch(text):
            return await super().typed(visit, text)
        request = visit.request_key(visit.step)
        answer = await staff_phones.check_pin(visit.core, visit.session.phone, text, visit.pepper, request)
        if answer.right:
            visit.session.data["desk"] = {"trusted": visit.session.started}
            return "right"
        if answer.locked_minutes:
            return "locked"
        desk_of(visit)["left"] = answer.tries_left
        visit.wrong(said=True)
        return "wrong"


class BadPin(Pin):
    name = "staff_bad_pin"
    code = "U58"
    texts = ("staff_bad_pin",)


class Lock(Screen):
    name = "staff_lock"
    code = "U59"
    texts = ("staff_lock",)
    ends = True

    async def show(self, visit: Visit) -> View | str:
        staff = await staff_phones.of(visit.core, visit.session.phone)
        return visit.view("staff_lock", fields={"minutes": staff.locked_minutes if staff else 0})
