"""What managers set: a branch with its hours, lines and counters; and admins: a new branch, the organization."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from queue_core.branches import SQL
from queue_core.core import Act, Core, perform
from queue_core.errors import Refused
from queue_core.hours import DAYS

# The longest names that screens and texts have room for, in letters of ASCII.
MOST_BRANCH, MOST_LINE, MOST_COUNTER, MOST_ORGANIZATION = 23, 15, 13, 40
MOST_ADDRESS = 100
# Least and most. `call_expiry` and `grace` are minutes; a call that expires after 0 never does.
BOUNDS: Final = {
    "alert_threshold": (0, 9),
    "call_expiry": (0, 60),
    "grace": (0, 240),
    "max_skips": (0, 9),
    "daily_limit": (1, 9999),
}
MINUTE = 60

BRANCH_CODE = re.compile(r"[0-9]{4}")
LINE_CODE = re.compile(r"[AC-HJ-NP-RT-Y]{1,2}")  # no letter that small screens confuse with a digit
HELP_PHONE = re.compile(r"\+?[0-9]{3,12}")  # as people dial it: toll-free and short numbers too
INTERVAL = re.compile(r"([01]?[0-9]|2[0-3])[:.]([0-5][0-9]) ?[-–] ?([01]?[0-9]|2[0-3])[:.]([0-5][0-9])")  # noqa: RUF001
LANGUAGE = re.compile(r"[a-z]{2}")

Hours = dict[str, list[list[str]]]


@dataclass(frozen=True, slots=True)
class BranchFacts:
    """A branch as a manager writes it; `hours` by day, as `read_hours` takes them."""

    name: str
    phone: str
    address: str
    asks_name: bool
    asks_rating: bool
    hours: Mapping[str, str]


async def change_branch(core: Core, act: Act, code: str, facts: BranchFacts, seen: int | None = None) -> None:
    """`seen` is the version of the branch that the facts were chosen from.

    Raises Refused: no_branch, changed_meanwhile, bad_plain_name, bad_help_phone, bad_address, bad_hours, hours_order,
    hours_overlap.
    """
    given = {
        "name": plain(facts.name, MOST_BRANCH),
        "phone": _help_phone(facts.phone),
        "address": _address(facts.address),
        "asks_name": facts.asks_name,
        "asks_rating": facts.asks_rating,
        "opening_hours": read_hours(facts.hours),
    }
    _announce(core, await perform(core, SQL.change_branch, act, code, given, seen))


async def open_branch(core: Core, act: Act, code: str, *, is_open: bool) -> None:
    """Whether the whole branch takes new people; who waits is served. Raises Refused: no_branch."""
    _announce(core, await perform(core, SQL.change_branch, act, code, {"is_open": is_open}, None))


async def change_line(
    core: Core, act: Act, queue_id: str, name: str, settings: Mapping[str, int | None], seen: int | None = None
) -> None:
    """`settings` are those of BOUNDS that change; None is a daily limit that there is not. `seen`: of the branch.

    Raises Refused: no_queue, changed_meanwhile, bad_plain_name, bad_setting (facts: what, least, most).
    """
    given: dict[str, Any] = {"name": plain(name, MOST_LINE)}
    for setting, value in settings.items():
        least, most = BOUNDS[setting]
        if (value is None and setting != "daily_limit") or (value is not None and not least <= value <= most):
            raise Refused("bad_setting", {"what": setting.replace("_", " "), "least": least, "most": most})
        given[setting] = value * MINUTE if value and setting in ("call_expiry", "grace") else value
    await perform(core, SQL.change_line, act, queue_id, given, seen)
    core.announce(queue_id)


async def add_line(core: Core, act: Act, branch_code: str, code: str, name: str) -> None:
    """A line, closed as yet, that every counter of the branch serves.

    Raises Refused: no_branch, bad_line_code, line_taken, bad_plain_name.
    """
    code = code.strip().upper()
    if not LINE_CODE.fullmatch(code):
        raise Refused("bad_line_code")
    answer = await perform(core, SQL.add_line, act, branch_code, code, plain(name, MOST_LINE))
    core.announce(answer["id"])


async def add_counter(core: Core, act: Act, branch_code: str, name: str, lines: Sequence[str]) -> None:
    """A counter, with the ids of the lines that it serves.

    Raises Refused: no_branch, no_queue, counter_taken, bad_plain_name.
    """
    await perform(core, SQL.add_counter, act, branch_code, plain(name, MOST_COUNTER), list(lines))


async def change_counter(
    core: Core, act: Act, counter_id: str, name: str, lines: Sequence[str], seen: int | None = None
) -> None:
    """Another name, other lines. `seen` is the version of the branch.

    Raises Refused: no_counter, no_queue, changed_meanwhile, counter_taken, bad_plain_name.
    """
    await perform(core, SQL.change_counter, act, counter_id, plain(name, MOST_COUNTER), list(lines), seen)


async def remove_counter(core: Core, act: Act, counter_id: str) -> str:
    """The name of it. Whoever works there chooses another one. Raises Refused: no_counter, counter_busy."""
    answer = await perform(core, SQL.remove_counter, act, counter_id)
    return str(answer["counter"])


async def add_branch(core: Core, act: Act, code: str, name: str, phone: str) -> None:
    """By an admin, in the own organization.

    Raises Refused: not_allowed, bad_code, code_taken, bad_plain_name, bad_help_phone.
    """
    code = code.strip()
    if not (code.isascii() and BRANCH_CODE.fullmatch(code)):
        raise Refused("bad_code")
    await perform(core, SQL.add_branch, act, code, plain(name, MOST_BRANCH), _help_phone(phone))


async def change_organization(core: Core, act: Act, name: str, language: str) -> None:
    """By an admin. Raises Refused: not_allowed, bad_plain_name, bad_language, name_taken."""
    if not LANGUAGE.fullmatch(language):
        raise Refused("bad_language")
    await perform(core, SQL.change_organization, act, plain(name, MOST_ORGANIZATION), language)


def plain(text: str, most: int) -> str:
    """A name that every phone can show. Raises Refused: bad_plain_name (facts: most)."""
    name = re.sub(" +", " ", text).strip()
    if not 1 <= len(name) <= most or not name.isascii() or not name.isprintable():
        raise Refused("bad_plain_name", {"most": most})
    return name


def read_hours(written: Mapping[str, str]) -> Hours:
    """Opening hours as people write them, `08:30-13:00, 14:00-17:00` by day; a day without any is closed.

    Raises Refused: bad_hours, hours_order, hours_overlap (facts: day, as `Mon`).
    """
    return {day: read for day in DAYS if (read := _read_day(day, written.get(day, "")))}


def written_hours(hours: Hours) -> dict[str, str]:
    """What `read_hours` reads, for every day."""
    return {day: ", ".join("-".join(interval) for interval in hours.get(day, ())) for day in DAYS}


def _read_day(day: str, text: str) -> list[list[str]]:
    intervals = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        found = INTERVAL.fullmatch(part)
        if not found:
            raise Refused("bad_hours", {"day": day.title()})
        opens, closes = f"{int(found[1]):02}:{found[2]}", f"{int(found[3]):02}:{found[4]}"
        if opens >= closes:
            raise Refused("hours_order", {"day": day.title()})
        intervals.append([opens, closes])
    intervals.sort()
    if any(before[1] > after[0] for before, after in pairwise(intervals)):
        raise Refused("hours_overlap", {"day": day.title()})
    return intervals


def _help_phone(text: str) -> str:
    phone = re.sub(r"[ ().-]", "", text)
    if not (phone.isascii() and HELP_PHONE.fullmatch(phone)):
        raise Refused("bad_help_phone")
    return phone


def _address(text: str) -> str:
    address = text.strip()
    if len(address) > MOST_ADDRESS or not address.isprintable():
        raise Refused("bad_address", {"most": MOST_ADDRESS})
    return address


def _announce(core: Core, changed: Mapping[str, Any]) -> None:
    for queue_id in changed["lines"]:
        core.announce(queue_id)
