"""The phones that staff work from: whose they are, that it is really him, and the lines that he may run."""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from itertools import pairwise
from typing import Any

from db.queries import load
from queue_core import phones
from queue_core.core import Act, Channel, Core, perform
from queue_core.errors import Refused
from queue_core.hashing import hash_of, matches
from queue_core.tickets import Ticket, from_facts

SQL = load("staff_phones")

PIN = re.compile(r"[0-9]{6}")
FEWEST_DIGITS = 3  # different ones: not 111111, nor 121212


@dataclass(frozen=True, slots=True)
class StaffPhone:
    """An enrolled phone and whose it is. `branches` are ids; `branch` is the name of the one, None for all of them."""

    phone: str
    staff_id: str
    login: str
    name: str
    role: str
    organization: str
    branches: tuple[str, ...]
    branch: str | None
    counter: str | None
    used_on: date | None
    locked_minutes: int

    def act(self, channel: Channel, request: str) -> Act:
        return Act("staff", channel, self.staff_id, branches=self.branches, request=request)


@dataclass(frozen=True, slots=True)
class PinAnswer:
    """Whether it was right; else how many tries are left, or for how many minutes there are none."""

    right: bool
    tries_left: int
    locked_minutes: int


@dataclass(frozen=True, slots=True)
class StaffLine:
    """A queue as who runs it sees it."""

    id: str
    code: str
    name: str
    branch_code: str
    branch: str
    timezone: str
    status: str
    waiting: int


@dataclass(frozen=True, slots=True)
class Figures:
    """A line today: `busy` counters; `average` minutes a person, None while not measured; `current`: called last."""

    waiting: int
    busy: int
    served: int
    average: int | None
    current: str | None


@dataclass(frozen=True, slots=True)
class Waiting:
    label: str
    name: str | None


async def of(core: Core, phone: str) -> StaffPhone | None:
    """Whose phone this is: enrolled, not blocked, and its owner still works here."""
    row = await core.pool.fetchrow(SQL.of, phone)
    return StaffPhone(**{**row, "branches": tuple(row["branches"])}) if row else None


async def enrol(core: Core, act: Act, login: str, phone: str, counter: str | None) -> None:
    """Send the phone a code that `confirm` wants within ten minutes; what was enrolled for the person before has ended.

    A phone gets three codes an hour and six a day at most. Raises Refused: no_staff, bad_phone, phone_taken,
    no_counter, too_many (facts: seconds).
    """
    code = f"{secrets.randbelow(1_000_000):06}"
    number = phones.normalise(phone)
    await perform(core, SQL.enrol, act, login, number, counter, code, _digest(login, code))


async def confirm(core: Core, act: Act, login: str, code: str, pin: str | None, pepper: bytes) -> str:
    """The code that the phone got makes it the person's own; returns the PIN, which is made where none is given.

    Raises Refused: weak_pin (before the code is looked at), no_staff, wrong_code, code_over.
    """
    chosen = pin or _new_pin()
    if is_weak(chosen):
        raise Refused("weak_pin")
    hashed = await hash_of(_peppered(pepper, chosen))
    await perform(core, SQL.confirm, act, login, _digest(login, code.strip()), hashed)
    return chosen


def is_weak(pin: str) -> bool:
    """No six digits, or six that somebody guesses first: 111111, 121212, 123123, 123456, 987654."""
    if not PIN.fullmatch(pin):
        return True
    steps = {(int(after) - int(digit)) % 10 for digit, after in pairwise(pin)}
    return len(set(pin)) < FEWEST_DIGITS or len(steps) == 1 or pin[:3] == pin[3:]


async def check_pin(core: Core, phone: str, pin: str, pepper: bytes, request: str | None = None) -> PinAnswer:
    """Whether this is the phone's PIN. Five wrong ones in a row lock it: for 15 minutes, then 30, then 60.

    Each try counts before it is judged; with a `request` that was counted before, not again. While it is locked no
    PIN is looked at. An unknown phone is always wrong, and takes as long.
    """
    tried = await core.pool.fetchval(SQL.begin_try, phone, request)
    if tried and tried["locked_before"]:
        return _wrong(tried)
    right = await matches(tried and tried["pin_hash"], _peppered(pepper, pin))
    if not (tried and right):
        return _wrong(tried)
    await core.pool.execute(SQL.right, phone)
    return RIGHT


async def new_challenge(core: Core, phone: str, verb: str, queue_id: str) -> str:
    """Two digits that `take_challenge` gives the verb and the line for, once, within two minutes."""
    digits = str(10 + secrets.randbelow(90))
    await core.pool.execute(SQL.set_challenge, phone, digits, verb, queue_id)
    return digits


async def take_challenge(core: Core, phone: str, digits: str) -> tuple[str, str] | None:
    """(verb, queue's id) of the last challenge, which is over now whatever the digits are."""
    row = await core.pool.fetchrow(SQL.take_challenge, phone, digits)
    return (row["verb"], row["queue_id"]) if row else None


async def ask_about(core: Core, phone: str, ticket_id: str, request: str) -> bool:
    """Whether it was asked within ten minutes what became of this called ticket; if not, it is from now on.

    True once: the question is answered by it. A `request` that is made again gets its first answer.
    """
    return bool(await core.pool.fetchval(SQL.ask_about, phone, ticket_id, request))


async def first_use_today(core: Core, phone: str) -> bool:
    """Marks the phone as used today, on the clock of its branch; True when it was not yet."""
    return bool(await core.pool.fetchval(SQL.first_use_today, phone))


async def new_rolling_code(core: Core, phone: str) -> str:
    """Four digits that the next command must bring instead of the PIN."""
    code = f"{secrets.randbelow(10_000):04}"
    await core.pool.execute(SQL.set_rolling, phone, _digest(phone, code))
    return code


async def check_rolling(core: Core, phone: str, code: str) -> PinAnswer:
    """Whether this is the phone's rolling code, which is used up then. A wrong one counts as a wrong PIN."""
    tried = await core.pool.fetchval(SQL.begin_try, phone, None)
    if tried is None or tried["locked_before"]:
        return _wrong(tried)
    return RIGHT if await core.pool.fetchval(SQL.right_once, phone, _digest(phone, code)) else _wrong(tried)


async def block(core: Core, phone: str, act: Act) -> None:
    """The owner says that it was not he: nothing is taken from this phone until it is enrolled anew."""
    await perform(core, SQL.block, act, phone)


async def unlock(core: Core, act: Act, login: str) -> None:
    """Wrong PINs are forgotten. Raises Refused: no_staff, no_phone, blocked."""
    await perform(core, SQL.unlock, act, login)


async def lines(core: Core, phone: StaffPhone) -> list[StaffLine]:
    """The queues that this phone may run: its counter's if it has one, else all of its branches'."""
    return [StaffLine(**row) for row in await core.pool.fetch(SQL.lines, phone.phone)]


async def current(core: Core, act: Act, queue_id: str, counter: str | None) -> Ticket | None:
    """Who is called or served: at that counter, from whatever line; without one, the latest that the actor called."""
    if counter is None:
        facts = await core.pool.fetchval(SQL.current_of, act.as_json(), queue_id)
    else:
        facts = await core.pool.fetchval(SQL.current_at, act.as_json(), queue_id, counter)
    return from_facts(facts) if facts else None


async def figures(core: Core, act: Act, queue_id: str) -> Figures:
    """Raises Refused: no_queue."""
    row = await core.pool.fetchrow(SQL.figures, act.as_json(), queue_id)
    if row is None:
        raise Refused("no_queue")
    return Figures(**row)


async def waiting(core: Core, act: Act, queue_id: str, start: int, limit: int) -> list[Waiting]:
    """Who waits, in order, from the `start`-th: 1 is next."""
    rows = await core.pool.fetch(SQL.waiting, act.as_json(), queue_id, max(start, 1) - 1, limit)
    return [Waiting(**row) for row in rows]


RIGHT = PinAnswer(right=True, tries_left=5, locked_minutes=0)


def _wrong(tried: dict[str, Any] | None) -> PinAnswer:
    known = tried or {"tries_left": 4, "locked_minutes": 0}
    return PinAnswer(right=False, tries_left=known.get("tries_left", 0), locked_minutes=known["locked_minutes"])


def _new_pin() -> str:
    while is_weak(pin := f"{secrets.randbelow(1_000_000):06}"):
        pass
    return pin


def _digest(whose: str, code: str) -> str:
    """Of a code that lives for minutes and stands in a text anyway."""
    return sha256(f"{whose}\0{code}".encode()).hexdigest()


def _peppered(pepper: bytes, pin: str) -> bytes:
    """A PIN has a million values: whoever has the database alone must not be able to try them."""
    return hmac.digest(pepper, pin.encode(), sha256)
