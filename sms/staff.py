"""Staff who text: who it is, whether it is really he, and which verb on which line he means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from queue_core import staff_phones
from queue_core.core import Act, Core
from queue_core.errors import Refused
from queue_core.staff_phones import StaffLine, StaffPhone
from sms.commands import TICKET, Command
from sms.customers import Reply
from sms.staff_verbs import CONFIRMED, VERBS, Press, Verb, refused
from sms.typed import echo, number

FRESH = timedelta(seconds=120)
SKEW = timedelta(seconds=30)  # by which a provider's clock may be ahead of ours
HURTS_WHEN_LATE = {"next", "skip", "no_show", "done", "undo", "open", "close"}
NEEDS_NO_PIN = {"ok", "undo", "no"}  # they answer a text of ours, or take back what a PIN did
ROLLING_DIGITS = 4
LONGEST_ECHO = 15


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
        if not command.sure:  # asked back before a code is used up
            return [Reply("did_you_mean", {"guess": _said(command.verb)})]
        if command.verb not in NEEDS_NO_PIN and (wrong := await self._wrong(phone, command, pin, request)):
            return [wrong]
        order = await self._order(phone, command)
        if isinstance(order, Reply):
            return [await self._with_code(phone, order)]
        press = await self._press(phone, act, order)
        late = command.verb in HURTS_WHEN_LATE and is_late(sent_at)
        stale = (press.reply("staff_stale", time=press.clock(sent_at)), False)
        reply, done = stale if late else await _run(order.run, press)
        replies = [await self._with_code(phone, reply)]
        if done and (await staff_phones.first_use_today(self._core, phone.phone) or command.verb == "ok"):
            facts = {"org": phone.organization, "guess": order.name, "q": order.line.name}
            replies.append(Reply("staff_notice", facts))
        return replies

    async def _wrong(self, phone: StaffPhone, command: Command, pin: str | None, request: str) -> Reply | None:
        """The answer where it is not he. Four digits are a code, and only where codes are in use."""
        if phone.locked_minutes:
            return Reply("staff_locked", {"min5": phone.locked_minutes})
        is_code = pin is not None and len(pin) == ROLLING_DIGITS
        if pin is None or (is_code and not self._strict):
            return await self._pin_wanted(phone, command)
        if is_code:
            checked = await staff_phones.check_rolling(self._core, phone.phone, pin)
        else:
            checked = await staff_phones.check_pin(self._core, phone.phone, pin, self._pepper, f"{request}:pin")
        if checked.right:
            return None
        if checked.locked_minutes:
            return Reply("staff_locked", {"min5": checked.locked_minutes})
        return await self._pin_wanted(phone, command, checked.tries_left)

    async def _pin_wanted(self, phone: StaffPhone, command: Command, tries: int | None = None) -> Reply:
        """Names a line that there is, never what was typed: that may be a PIN with a slip in it."""
        meant = _named(await staff_phones.lines(self._core, phone), command.rest)
        return Reply("staff_wrong_pin", {"q": meant[0].code if meant else "DOC", "tries": tries})

    async def _order(self, phone: StaffPhone, command: Command) -> Order | Reply:
        """What is to be done, for which line, and what else was typed."""
        lines = await staff_phones.lines(self._core, phone)
        if command.verb != "ok":
            line, rest = _line_of(lines, command.rest)
            return line if isinstance(line, Reply) else Order(_said(command.verb), VERBS[command.verb], line, rest)
        digits = number(command.rest[0]) if command.rest else None
        taken = await staff_phones.take_challenge(self._core, phone.phone, digits) if digits else None
        mine = next((line for line in lines if taken and line.id == taken[1]), None)
        if taken is None or mine is None:
            return Reply("staff_not_understood")
        asked, *more = taken[0].split()
        return Order(_said(asked), CONFIRMED[asked], mine, tuple(more))

    async def _press(self, phone: StaffPhone, act: Act, order: Order) -> Press:
        now = await staff_phones.current(self._core, act, order.line.id, phone.counter)
        return Press(self._core, phone, act, order.line, order.rest, now)

    async def _with_code(self, phone: StaffPhone, reply: Reply) -> Reply:
        if not self._strict:
            return reply
        code = await staff_phones.new_rolling_code(self._core, phone.phone)
        return replace(reply, parameters={**reply.parameters, "rolling": code})


async def _run(verb: Verb, press: Press) -> tuple[Reply, bool]:
    """The answer, and whether it was not refused."""
    try:
        return await verb(press), True
    except Refused as refusal:
        return refused(press, refusal), False


def _said(verb: str) -> str:
    return verb.replace("_", "").upper()


def is_late(sent_at: datetime | None) -> bool:
    """Without a date, or with one that has not come yet, a text may be from yesterday."""
    return sent_at is None or not -SKEW <= datetime.now(UTC) - sent_at <= FRESH


def _line_of(lines: Sequence[StaffLine], rest: tuple[str, ...]) -> tuple[StaffLine | Reply, tuple[str, ...]]:
    """The line that is named first, or the only one where none is named."""
    named = _named(lines, rest)
    if not named and rest and not number(rest[0]) and not TICKET.fullmatch(rest[0]):
        letters = "".join(char for char in rest[0] if not char.isdecimal())
        return Reply("staff_not_allowed", {"q": echo(letters, LONGEST_ECHO) or "it"}), ()
    meant = named or lines
    if len(meant) == 1:
        return meant[0], rest[1:] if named else rest
    return (Reply("staff_ask_line") if meant else Reply("staff_not_allowed", {"q": "it"})), ()


def _named(lines: Sequence[StaffLine], rest: tuple[str, ...]) -> list[StaffLine]:
    """The lines of a letter, else of the beginning of a name, perhaps after their branch: KIL-DOC."""
    branch, _, word = rest[0].rpartition("-") if rest else ("", "", "")
    there = [line for line in lines if _begins(line.branch, branch)]
    by_name = [line for line in there if len(word) > 1 and _begins(line.name, word)]
    return [line for line in there if line.code == word] or by_name


def _begins(name: str, word: str) -> bool:
    return name.upper().replace(" ", "").startswith(word)
