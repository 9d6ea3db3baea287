"""One delivery on its way through the screens: what they may ask, and what they leave behind."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from queue_core import queues, staff_phones, tickets
from queue_core.core import Act, Core
from queue_core.queues import Line, Place
from queue_core.staff_phones import StaffPhone
from queue_core.tickets import DialIn, Ticket
from ussd.catalogue import Template, catalogue, clock, plain
from ussd.delivery import Marks
from ussd.request import Request
from ussd.session import Session, SessionStore


class AskAgain(Exception):
    """The session was lost and rebuilt, so what is on the screen may not be what the caller answered."""


@dataclass(frozen=True, slots=True)
class House:
    """What differs between installations: a phone where a person answers, the brand, the service code."""

    help_phone: str
    brand: str = "Zamu"
    service_code: str = "*384*40#"

    def __post_init__(self) -> None:
        for value, longest in ((self.help_phone, 13), (self.brand, 12), (self.service_code, 11)):
            if len(value) > longest:
                raise ValueError(f"{value!r} is too long for a screen: at most {longest} characters.")


@dataclass(frozen=True, slots=True)
class View:
    """A screen to be shown: its template, the text without its moves, and the moves."""

    template: Template
    body: str
    moves: tuple[str, ...]


@dataclass(slots=True, eq=False)
class Visit:
    """One delivery. `inputs` are still to be pressed; `step` names the one that is being pressed.

    `rebuilt`: the session was lost, and what the caller had before him is only inferred. `answered` names the
    steps at which a verb was answered before that. `arrived`: the screen is not the one that took the key.
    `mistaken`: it needs a line that says so. `written`: a verb may have changed something. `pepper` is what PINs are
    hashed with.
    """

    core: Core
    house: House
    store: SessionStore
    marks: Marks
    request: Request
    session: Session
    pepper: bytes = field(repr=False)
    inputs: deque[tuple[str, str]] = field(default_factory=deque)
    step: str = ""
    rebuilt: bool = False
    answered: frozenset[str] = frozenset()
    arrived: bool = True
    mistaken: bool = False
    written: bool = False
    facts: DialIn | None = None
    _ticket: Ticket | None = None
    _place: Place | None = None
    _staff: StaffPhone | None = None

    @property
    def act(self) -> Act:
        """For a verb that gives something up. Raises AskAgain after a rebuild: it is asked once more."""
        if self.rebuilt and self.step not in self.answered:
            raise AskAgain
        return self.harmless_act

    @property
    def harmless_act(self) -> Act:
        """For a verb that may follow a rebuild, as its last step: a caller who had got there pressed no more.

        Raises AskAgain as well.
        """
        if self.rebuilt and self.inputs and self.step not in self.answered:
            raise AskAgain
        return Act("customer", "ussd", request=self.request_key(self.step))

    def staff_act(self, staff: StaffPhone) -> Act:
        """As `act`, for a verb of staff."""
        return staff.act("ussd", self.act.request)

    def request_key(self, step: str) -> str:
        session = self.session
        return "ussd:" + self.marks.request_key(session.gateway, session.key, session.phone, step)

    def wrong(self, *, said: bool = False) -> None:
        """Counts a mistake. `said`: the next screen says so itself and needs no line above it."""
        self.session.errors += 1
        self.mistaken = not said

    def hold(self, ticket: Ticket | None) -> None:
        """The phone's ticket, as the database just answered."""
        self._ticket = ticket
        self.session.data["mine"] = ticket is not None
        if ticket:
            self.session.data["human"] = ticket.branch_phone

    async def dial_in(self) -> DialIn:
        if self.facts is None:
            self.facts = await tickets.dial_in(self.core, self.session.phone)
        return self.facts

    async def ticket(self) -> Ticket | None:
        """The phone's active ticket, or the one that this delivery just changed."""
        if self._ticket is None:
            self.hold(await tickets.status(self.core, self.session.phone))
        return self._ticket

    def at(self, place: Place) -> None:
        """The caller is about to join here."""
        self._place = place
        self.session.data |= {"place": place.code, "branch": place.name, "human": place.phone}

    async def staff(self) -> StaffPhone | None:
        """Whose phone this is, where staff work from it."""
        if self._staff is None:
            self._staff = await staff_phones.of(self.core, self.session.phone)
        return self._staff

    def look_again(self) -> None:
        """What was read before a refusal is no longer true."""
        self._place = self._ticket = None

    async def place(self) -> Place | None:
        if self._place is None and (code := self.session.data.get("place")):
            self._place = await queues.place(self.core, code)
        return self._place

    async def line(self) -> tuple[Place, Line] | None:
        """The place and the line that the caller chose, if they are still there."""
        place = await self.place()
        chosen = self.session.data.get("line")
        line = next((line for line in place.lines if line.id == chosen), None) if place else None
        return (place, line) if place and line else None

    def template(self, key: str) -> Template:
        return catalogue(self.session.language).texts[key]

    def view(
        self,
        key: str,
        ticket: Ticket | None = None,
        *,
        fields: Mapping[str, object] | None = None,
        choices: Sequence[str] = (),
        more: bool = False,
    ) -> View:
        """The screen `key` with its blanks filled. `more` pages of the list follow."""
        template = self.template(key)
        of_ticket = _words_of(ticket, template) if ticket else {}
        blanks = {**self._everywhere(), **of_ticket, **(fields or {}), "choices": "\n".join(choices)}
        body = template.body.format_map(blanks)
        return View(template, body, tuple(move for key, move in template.moves.items() if key != "98" or more))

    def _everywhere(self) -> dict[str, object]:
        return {
            "brand": self.house.brand,
            "ussd": self.request.service_code or self.house.service_code,
            "human": self.session.data.get("human") or self.house.help_phone,
            "branch": plain(self.session.data.get("branch", "")),
        }


def _words_of(ticket: Ticket, template: Template) -> dict[str, object]:
    phrases = template.phrases
    today = datetime.now(ZoneInfo(ticket.timezone)).date()
    return {
        "tk": ticket.label,
        "branch": plain(ticket.branch),
        "svc": plain(ticket.queue),
        "ctr": plain(ticket.counter or phrases.counter),
        "ahead": ticket.ahead,
        "about": phrases.about(ticket.ahead, ticket.minutes),
        "day": phrases.day(ticket.service_date, today),
        "time": clock(ticket.local(ticket.called_at)) if ticket.called_at else "",
    }
