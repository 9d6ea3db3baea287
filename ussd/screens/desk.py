"""Staff at their counter with any phone: who is next, who is called, and the line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from queue_core import calling, queues, staff_phones
from queue_core.calling import Finish, Seen, Verb
from queue_core.errors import Refused
from queue_core.staff_phones import StaffLine, StaffPhone
from queue_core.tickets import Ticket
from ussd.catalogue import plain
from ussd.screen import Listing, Screen
from ussd.screens.staff import desk_of, worker
from ussd.visit import View, Visit

NOBODY = "-"
A_PAGE = 5  # people of the longest names
# Where a refusal leads, or what is said of it.
LEADS = {"outstanding": "outstanding", "no_queue": "off", "no_staff": "off"}
SAID = {"wrong_state": "serving", "no_counter": "no_counter", "no_free_counter": "no_counter", "not_open": "not_open"}


@dataclass(frozen=True, slots=True)
class Post:
    """Who works, in which line, and who is at the counter."""

    staff: StaffPhone
    line: StaffLine
    current: Ticket | None

    @property
    def fields(self) -> dict[str, object]:
        current, counter = self.current, self.staff.counter or (self.current and self.current.counter)
        return {
            "title": plain(f"{self.line.name} {counter or ''}".rstrip()),
            "svc": plain(self.line.name),
            "tk": current.label if current else NOBODY,
            "waiting": self.line.waiting,
        }


async def post(visit: Visit) -> Post:
    """As it is now; what the screen shows of it goes with the next key. Raises Refused: no_staff, no_queue."""
    staff, kept = await worker(visit), desk_of(visit)
    line = next((line for line in await staff_phones.lines(visit.core, staff) if line.id == kept.get("line")), None)
    if line is None:
        raise Refused("no_queue")
    current = await staff_phones.current(visit.core, staff.act("ussd", ""), line.id, staff.counter)
    seen = current and {key: getattr(current, key) for key in ("id", "version", "label", "status", "counter")}
    kept |= {"seen": seen, "status": line.status}
    return Post(staff, line, current)


def say(visit: Visit, what: str, **facts: object) -> str:
    desk_of(visit)["said"] = [what, facts]
    return "said"


class AtDesk(Screen):
    """For whoever gave the PIN. Every verb goes with what the screen showed: a stale one changes nothing."""

    leads: ClassVar = {
        "off": "staff",
        "back": "staff_desk",
        "desk": "staff_desk",
        "called": "staff_called",
        "empty": "staff_empty",
        "outstanding": "staff_outstanding",
        "more": "staff_more",
        "said": "staff_said",
    }

    async def show(self, visit: Visit) -> View | str:
        try:
            return await self.draw(visit, await post(visit))
        except Refused:
            return "off"

    async def draw(self, visit: Visit, post: Post) -> View | str:
        return visit.view(self.texts[0], fields=post.fields)

    async def take(self, visit: Visit, typed: str) -> str | None:
        try:
            await worker(visit)
            return await super().take(visit, typed)
        except Refused as refusal:
            return self._refused(visit, refusal)

    def _refused(self, visit: Visit, refusal: Refused) -> str:
        if refusal.code in LEADS:
            return LEADS[refusal.code]
        ticket = refusal.facts.get("ticket") or {}
        return say(visit, SAID.get(refusal.code, "stale"), tk=ticket.get("label", NOBODY))

    async def on_next(self, visit: Visit, _key: str) -> str | None:
        return await call_next(visit)


async def call_next(visit: Visit, finish: Finish | None = None) -> str:
    staff, kept = await worker(visit), desk_of(visit)
    seen = kept["seen"] or {}
    called = await calling.call_next(
        visit.core,
        visit.staff_act(staff),
        kept["line"],
        staff.counter or seen.get("counter"),
        finish,
        Seen(seen.get("id"), seen.get("version")),
    )
    return "called" if called.ticket else "empty"


class Lines(Listing, AtDesk):
    name = "staff_lines"
    code = "U54"
    texts = ("staff_lines",)
    keys: ClassVar = {"0": "back"}

    async def show(self, visit: Visit) -> View | str:
        try:
            return await Listing.show(self, visit)
        except Refused:
            return "off"

    async def entries(self, visit: Visit) -> list[tuple[str, str]] | str:
        lines = await staff_phones.lines(visit.core, await worker(visit))
        return [(line.id, plain(f"{line.name} ({line.waiting})")) for line in lines]

    async def chosen(self, visit: Visit, value: str) -> str | None:
        desk_of(visit)["line"] = value
        return "desk"

    async def on_back(self, visit: Visit, _key: str) -> str | None:
        return "desk" if desk_of(visit).get("line") else "home"


class Desk(AtDesk):
    name = "staff_desk"
    code = "U51"
    texts = ("staff_desk",)
    keys: ClassVar = {"1": "next", "2": "recall", "3": "no_show", "4": "done", "5": "more"}
    leads: ClassVar = {key: lead for key, lead in AtDesk.leads.items() if key != "back"}

    async def on_recall(self, visit: Visit, _key: str) -> str | None:
        return await change(visit, calling.recall, "recalled")

    async def on_no_show(self, visit: Visit, _key: str) -> str | None:
        return await change(visit, calling.no_show, "not_here")

    async def on_done(self, visit: Visit, _key: str) -> str | None:
        return await change(visit, calling.complete, "done")


async def change(visit: Visit, verb: Verb, said: str) -> str:
    seen = desk_of(visit)["seen"]
    if seen is None:
        return say(visit, "nobody")
    await verb(visit.core, visit.staff_act(await worker(visit)), seen["id"], seen["version"])
    return say(visit, said, tk=seen["label"])


class Called(Desk):
    name = "staff_called"
    code = "U52"
    texts = ("staff_called",)

    async def draw(self, visit: Visit, post: Post) -> View | str:
        current = post.current
        if current is None:
            return "desk"
        no_phone = visit.template("staff_called").phrases.desk["no_phone"]
        who = f"{current.label} {plain(current.name or '')}".rstrip()
        last = f"...{current.phone[-4:]}" if current.phone else no_phone
        return visit.view("staff_called", fields={**post.fields, "who": who, "last": last})


class Empty(AtDesk):
    name = "staff_empty"
    code = "U53"
    texts = ("staff_empty",)
    keys: ClassVar = {"1": "desk", "2": "more", "0": "back"}


class Outstanding(AtDesk):
    """Somebody was called and has not started: call next has to say what became of him."""

    name = "staff_outstanding"
    code = "after U51"
    texts = ("staff_outstanding",)
    keys: ClassVar = {"1": "finish", "2": "finish", "3": "finish", "0": "back"}
    finishes: ClassVar[dict[str, Finish]] = {"1": "complete", "2": "no_show", "3": "skip"}

    async def draw(self, visit: Visit, post: Post) -> View | str:
        called = post.current is not None and post.current.status == "called"
        return await super().draw(visit, post) if called else "desk"

    async def on_finish(self, visit: Visit, key: str) -> str | None:
        return await call_next(visit, self.finishes[key])


class More(AtDesk):
    name = "staff_more"
    code = "U54"
    texts = ("staff_more", "staff_more_shut")
    keys: ClassVar = {"1": "list", "2": "skip", "3": "switch", "4": "close", "5": "change_line", "0": "back"}
    leads: ClassVar = {**AtDesk.leads, "list": "staff_list", "close": "staff_sure", "change_line": "staff_lines"}

    async def draw(self, visit: Visit, post: Post) -> View | str:
        return visit.view(self.texts[post.line.status != "open"], fields=post.fields)

    async def on_skip(self, visit: Visit, _key: str) -> str | None:
        seen = desk_of(visit)["seen"]
        if seen is None:
            return say(visit, "nobody")
        return await call_next(visit, "skip") if seen["status"] == "called" else say(visit, "serving", tk=seen["label"])

    async def on_switch(self, visit: Visit, _key: str) -> str | None:
        """Pause or open, as the screen said, unless somebody did it meanwhile."""
        shown, act = desk_of(visit)["status"], visit.staff_act(await worker(visit))
        if (await post(visit)).line.status != shown:
            return say(visit, "stale")
        verb, said = (queues.pause, "paused") if shown == "open" else (queues.open_, "opened")
        return say(visit, said, told=(await verb(visit.core, act, desk_of(visit)["line"])).affected)


class Sure(AtDesk):
    name = "staff_sure"
    code = "U55"
    texts = ("staff_sure",)
    keys: ClassVar = {"1": "desk", "2": "yes", "0": "back"}

    async def on_yes(self, visit: Visit, _key: str) -> str | None:
        act = visit.staff_act(await worker(visit))
        closed = await queues.close(visit.core, act, desk_of(visit)["line"], send_home=True)
        return say(visit, "closed", told=closed.affected)


class People(AtDesk):
    name = "staff_list"
    code = "U56"
    texts = ("staff_list",)
    keys: ClassVar = {"0": "back"}

    async def draw(self, visit: Visit, post: Post) -> View | str:
        kept = desk_of(visit)
        page = 0 if visit.arrived or kept["page"] * A_PAGE >= post.line.waiting else kept["page"]
        kept["page"] = page
        act = post.staff.act("ussd", "")
        people = await staff_phones.waiting(visit.core, act, post.line.id, page * A_PAGE + 1, A_PAGE)
        lines = [plain(f"{one.label} {one.name or ''}".rstrip()) for one in people]
        fields = {**post.fields, "people": "\n".join(lines) or NOBODY}
        return visit.view("staff_list", fields=fields, more=(page + 1) * A_PAGE < post.line.waiting)

    async def more(self, visit: Visit) -> str | None:
        desk_of(visit)["page"] += 1
        return None


class Said(AtDesk):
    """What became of a key, and what is true now."""

    name = "staff_said"
    code = "U57"
    texts = ("staff_said",)
    keys: ClassVar = {"1": "next", "0": "back"}

    async def draw(self, visit: Visit, post: Post) -> View | str:
        what, facts = desk_of(visit)["said"]
        said = visit.template("staff_said").phrases.desk[what].format(**facts)
        return visit.view("staff_said", fields={**post.fields, "said": said})
