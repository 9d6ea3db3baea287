"""The branches of a manager or an admin: how each day goes, who did what, and what may be set."""

from __future__ import annotations

from calendar import day_name
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from starlette.responses import Response

from queue_core import branch_settings, branches
from queue_core.branch_settings import BOUNDS, BRANCH_CODE, BranchFacts, written_hours
from queue_core.branches import BranchSettings, Change
from queue_core.errors import Refused
from queue_core.hours import DAYS
from staff_web import said
from staff_web.guard import Visit
from staff_web.history import deed, text_of
from staff_web.pages import page

BRANCH: Final = "/staff/branches/{code}"
SETTINGS: Final = BRANCH + "/settings"
WEEK: Final = dict(zip(DAYS, day_name, strict=True))


async def show_all(visit: Visit) -> Response:
    """Where managers and admins begin: each of their branches and its day so far."""
    days = await branches.overview(visit.core, visit.member.act())
    return page(visit, "branches.html", days=days)


async def add(visit: Visit) -> Response:
    code = visit.text("code")
    await branch_settings.add_branch(visit.core, visit.act(), code, visit.text("name"), visit.text("phone"))
    return said.then(SETTINGS.format(code=code), "The branch was added. It needs hours, a line and a counter.")


async def show(visit: Visit) -> Response:
    """One branch: its lines, its desks, the texts that did not arrive, and for managers who did what."""
    core, act, code = visit.core, visit.member.act(), _code(visit)
    day = await branches.day(core, act, code)
    untold = await branches.untold(core, act, code)
    counters = (await branches.settings(core, act, code)).counters
    changes = await branches.history(core, act, code) if visit.member.may("schedule") else []
    return page(
        visit,
        "branch.html",
        day=day,
        counters=counters,
        untold=[(text, text_of(text)) for text in untold],
        history=[(_when(change, day.at, day.timezone), deed(change), change.reason) for change in changes],
        state=(day.name, day.is_open, day.wait, day.service, day.lines, untold, counters, changes),
    )


async def open_(visit: Visit) -> Response:
    await branch_settings.open_branch(visit.core, visit.act(), _code(visit), is_open=True)
    return said.then(BRANCH.format(**visit.request.path_params), "The branch is open. Its open lines take people.")


async def close(visit: Visit) -> Response:
    await branch_settings.open_branch(visit.core, visit.act(), _code(visit), is_open=False)
    return said.then(BRANCH.format(**visit.request.path_params), "The branch takes nobody new. Who waits is served.")


async def show_settings(visit: Visit) -> Response:
    settings = await _settings(visit)
    hours = [(day, name, written_hours(settings.opening_hours)[day]) for day, name in WEEK.items()]
    return page(visit, "settings.html", branch=settings, hours=hours, bounds=BOUNDS)


async def change(visit: Visit) -> Response:
    facts = BranchFacts(
        name=visit.text("name"),
        phone=visit.text("phone"),
        address=visit.text("address"),
        asks_name=bool(visit.text("asks_name")),
        asks_rating=bool(visit.text("asks_rating")),
        hours={day: visit.text(f"hours-{day}") for day in DAYS},
    )
    await branch_settings.change_branch(visit.core, visit.act(), _code(visit), facts, visit.seen())
    return _back(visit, "The branch was saved.")


async def add_line(visit: Visit) -> Response:
    await branch_settings.add_line(visit.core, visit.act(), _code(visit), visit.text("line_code"), visit.text("name"))
    return _back(visit, f"{visit.text('name')} was added. It is closed; every counter serves it.")


async def change_line(visit: Visit) -> Response:
    line = visit.path("queue")
    if line not in {line.id for line in (await _settings(visit)).lines}:
        raise Refused("no_queue")
    settings = {name: _setting(visit, name) for name in BOUNDS}
    name = visit.text("name")
    await branch_settings.change_line(visit.core, visit.act(), line, name, settings, visit.seen())
    return _back(visit, f"{name} was saved.")


async def add_counter(visit: Visit) -> Response:
    settings = await _settings(visit)
    name = visit.text("name")
    await branch_settings.add_counter(visit.core, visit.act(), settings.code, name, _served(visit, settings))
    return _back(visit, f"{name} was added.")


async def change_counter(visit: Visit) -> Response:
    settings, counter = await _with_counter(visit)
    name, lines = visit.text("name"), _served(visit, settings)
    await branch_settings.change_counter(visit.core, visit.act(), counter, name, lines, visit.seen())
    return _back(visit, f"{name} was saved.")


async def remove_counter(visit: Visit) -> Response:
    _, counter = await _with_counter(visit)
    name = await branch_settings.remove_counter(visit.core, visit.act(), counter)
    return _back(visit, f"{name} was removed.")


def _code(visit: Visit) -> str:
    code = visit.path("code")
    if not (code.isascii() and BRANCH_CODE.fullmatch(code)):
        raise Refused("no_branch")
    return code


async def _settings(visit: Visit) -> BranchSettings:
    return await branches.settings(visit.core, visit.member.act(), _code(visit))


async def _with_counter(visit: Visit) -> tuple[BranchSettings, str]:
    """A counter is looked for in the branch of the address only, as if there were no other."""
    settings, counter = await _settings(visit), visit.path("counter")
    if counter not in {counter.id for counter in settings.counters}:
        raise Refused("no_counter")
    return settings, counter


def _served(visit: Visit, settings: BranchSettings) -> list[str]:
    """Each line has a field of its own, for of two fields of one name only the last is read."""
    return [line.id for line in settings.lines if visit.text(f"serves-{line.id}")]


def _setting(visit: Visit, name: str) -> int | None:
    if name == "daily_limit" and not visit.text(name):
        return None
    least, most = BOUNDS[name]
    try:
        return visit.number(name, least, most)
    except Refused as refusal:
        raise Refused("bad_setting", refusal.facts | {"what": name.replace("_", " ")}) from None


def _when(change: Change, now: datetime, timezone: str) -> str:
    """`10:42`, and of another day `Fri 10:42`."""
    at, today = (instant.astimezone(ZoneInfo(timezone)) for instant in (change.at, now))
    return f"{at:%H:%M}" if at.date() == today.date() else f"{at:%a %H:%M}"


def _back(visit: Visit, words: str) -> Response:
    return said.then(SETTINGS.format(code=_code(visit)), words)
