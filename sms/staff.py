"""Staff who text: who it is, whether it is really he, and which verb on which line he means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from queue_core import staff_phones
from queue_core.core import Act, Core
from queue_core.errors import Refused
from queue_core.staff_phones import StaffLine, StaffPhone
from sms.commands import TICKET, Command, number
from sms.customers import Reply
from sms.staff_verbs import CONFIRMED, VERBS, Press, Verb, refused

FRESH = timedelta(seconds=120)
HURTS_WHEN_LATE = {"next", "skip", "no_show", "done", "close"}
NEEDS_NO_PIN = {"ok", "undo", "no"}  # they answer a text of ours, or take back what a PIN did
ROLLING_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Order:
    """A verb that was meant, under the name that staff type, and its line."""

    name: str
    run: Verb
    line: StaffLine
    rest: tuple[str, ...]


class Desk:
    """Answers staff. `pepper` goes into the hash of every PIN.

    `strict`: a command needs the code that came with the last answer, and the PIN only where that is lost.
    """

    def __init__(self, core: Core, pepper: bytes, *, strict: bool = False) -> None:
        self._core = core
        self._pepper = pepper
        self._strict = strict

    async def answer(
        self, request: str, phone: StaffPhone, command: Command, pin: str | None, sent_at: datetime | None
    ) -> list[Reply]:
        """The answers, to the enrolled phone: whoever forged its number does not see them."""
        act = phone.act("sms", request)
        if command.verb == "no":
            await staff_phones.block(self._core, phone.phone, act)
            return [Reply("staff_blocked")]
        if command.verb not in NEEDS_NO_PIN and (wrong := await self._wrong(phone, command, pin, request)):
            return [wrong]
        if not command.sure:
            return [Reply("did_you_mean", {"guess": _said(command.verb)})]
        order = await self._order(phone, command)
        if isinstance(order, Reply):
            return [await self._with_code(phone, order)]
        late = command.verb in HURTS_WHEN_LATE and is_late(sent_at)
        replies = [await self._with_code(phone, await self._obey(phone, act, order, sent_at, late=late))]
        if await staff_phones.first_use_today(self._core, phone.phone) or command.verb == "ok":
            facts = {"org": phone.organization, "guess": order.name, "q": order.line.name}
            replies.append(Reply("staff_notice", facts))
        return replies

    async def _wrong(self, phone: StaffPhone, command: Command, pin: str | None, request: str) -> Reply | None:
        line = command.rest[0] if command.rest else "DOC"
        if phone.locked_minutes:
            return Reply("staff_locked", {"min5": phone.locked_minutes})
        if pin is None:
            return Reply("staff_wrong_pin", {"q": line})
        if self._strict and len(pin) == ROLLING_DIGITS:
            checked = await staff_phones.check_rolling(self._core, phone.phone, pin)
        else:
            checked = await staff_phones.check_pin(self._core, phone.phone, pin, self._pepper, f"{request}:pin")
        if checked.right:
            return None
        if checked.locked_minutes:
            return Reply("staff_locked", {"min5": checked.locked_minutes})
        return Reply("staff_wrong_pin", {"q": line, "tries": checked.tries_left})

    async def _order(self, phone: StaffPhone, command: Command) -> Order | Reply:
        """What is to be done, for which line, and what else was typed."""
        lines = await staff_phones.lines(self._core, phone)
        if command.verb != "ok":
            line, rest = _line_of(lines, command.rest)
            return line if isinstance(line, Reply) else Order(_said(command.verb), VERBS[command.verb], line, rest)
        taken = await staff_phones.take_challenge(self._core, phone.phone, "".join(command.rest))
        mine = next((line for line in lines if taken and line.id == taken[1]), None)
        if taken is None or mine is None:
            return Reply("staff_not_understood")
        asked, *more = taken[0].split()
        return Order(_said(asked), CONFIRMED[asked], mine, tuple(more))

    async def _obey(self, phone: StaffPhone, act: Act, order: Order, sent_at: datetime | None, *, late: bool) -> Reply:
        now = await staff_phones.current(self._core, act, order.line.id, phone.counter)
        press = Press(self._core, phone, act, order.line, order.rest, now)
        if late:
            return press.reply("staff_stale", time=press.clock(sent_at))
        try:
            return await order.run(press)
        except Refused as refusal:
            return refused(press, refusal)

    async def _with_code(self, phone: StaffPhone, reply: Reply) -> Reply:
        if not self._strict:
            return reply
        code = await staff_phones.new_rolling_code(self._core, phone.phone)
        return replace(reply, parameters={**reply.parameters, "rolling": code})


def _said(verb: str) -> str:
    return verb.replace("_", "").upper()


def is_late(sent_at: datetime | None) -> bool:
    """Without a date a text may be from yesterday."""
    return sent_at is None or datetime.now(UTC) - sent_at > FRESH


def _line_of(lines: Sequence[StaffLine], rest: tuple[str, ...]) -> tuple[StaffLine | Reply, tuple[str, ...]]:
    """The line that is named first, by its letter or the beginning of its name, perhaps after its branch: KIL-DOC."""
    named = rest and not number(rest[0]) and not TICKET.fullmatch(rest[0])
    branch, _, word = rest[0].rpartition("-") if named else ("", "", "")
    meant = [line for line in lines if not named or (_is_line(line, word) and _begins(line.branch, branch))]
    if len(meant) == 1:
        return meant[0], rest[1:] if named else rest
    return (Reply("staff_ask_line") if meant else Reply("staff_not_allowed", {"q": rest[0][:15] if rest else "it"})), ()


def _is_line(line: StaffLine, word: str) -> bool:
    return word == line.code or (len(word) > 1 and _begins(line.name, word))


def _begins(name: str, word: str) -> bool:
    return name.upper().replace(" ", "").startswith(word)
