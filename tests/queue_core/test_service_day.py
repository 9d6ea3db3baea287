"""Rule 2: the service day is the branch's local date, cut over at its own hour."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from db.pool import Pool

ZONES = ("Europe/London", "Africa/Cairo", "Africa/Casablanca", "Africa/Nairobi", "Africa/Lagos")
FOUR = time(4)
# A year of clock changes in these zones, and an ordinary day. In the past: Python and PostgreSQL bring their own lists
# of zones, and of what governments will decide they may know different things.
CHANGES = ("2025-06-15", "2025-10-26", "2025-10-31", "2026-02-15", "2026-03-22", "2026-03-29", "2026-04-24")
SERVICE_DATES = "select service_date($1, $2, at) from unnest($3::timestamptz[]) with ordinality as i (at, n) order by n"


async def _service_dates(pool: Pool, zone: str, instants: list[datetime], starts: time = FOUR) -> list[date]:
    return [row[0] for row in await pool.fetch(SERVICE_DATES, zone, starts, instants)]


def _by_the_wall_clock(zone: str, at: datetime, starts: time = FOUR) -> date:
    """What somebody with a watch would say: before the hour it is still yesterday."""
    local = at.astimezone(ZoneInfo(zone))
    return local.date() - timedelta(days=local.time() < starts)


def _around(day: str, minutes: int) -> list[datetime]:
    midnight = datetime.fromisoformat(f"{day}T00:00+00:00")
    return [midnight + timedelta(minutes=step) for step in range(-24 * 60, 36 * 60, minutes)]


@pytest.mark.parametrize("zone", ZONES)
async def test_the_day_is_what_the_wall_clock_says_through_every_clock_change(pool: Pool, zone: str) -> None:
    """F47, F48."""
    instants = [at for day in CHANGES for at in _around(day, 7)]
    expected = [_by_the_wall_clock(zone, at) for at in instants]
    assert await _service_dates(pool, zone, instants) == expected


@pytest.mark.parametrize("zone", ZONES)
async def test_days_follow_one_another_without_gap_or_return(pool: Pool, zone: str) -> None:
    """F48: no skipped and no repeated reset of the numbers."""
    start = datetime(2025, 4, 1, tzinfo=UTC)
    dates = await _service_dates(pool, zone, [start + timedelta(minutes=20 * step) for step in range(72 * 365)])
    assert {(after - before).days for before, after in pairwise(dates)} == {0, 1}
    assert len(set(dates)) in (365, 366)


@pytest.mark.parametrize(
    ("zone", "at", "day"),
    [
        ("Africa/Nairobi", "2026-06-15T00:59:59+00:00", "2026-06-14"),
        ("Africa/Nairobi", "2026-06-15T01:00:00+00:00", "2026-06-15"),
        ("Africa/Lagos", "2026-06-15T02:59:59+00:00", "2026-06-14"),
        ("Africa/Lagos", "2026-06-15T03:00:00+00:00", "2026-06-15"),
        ("Europe/London", "2026-03-29T02:59:59+00:00", "2026-03-28"),
        ("Europe/London", "2026-03-29T03:00:00+00:00", "2026-03-29"),
        ("Africa/Cairo", "2026-04-24T00:59:59+00:00", "2026-04-23"),
        ("Africa/Cairo", "2026-04-24T01:00:00+00:00", "2026-04-24"),
        ("Africa/Casablanca", "2026-02-15T03:59:59+00:00", "2026-02-14"),
        ("Africa/Casablanca", "2026-02-15T04:00:00+00:00", "2026-02-15"),
    ],
)
async def test_the_day_begins_at_four_and_not_at_midnight(pool: Pool, zone: str, at: str, day: str) -> None:
    assert await _service_dates(pool, zone, [datetime.fromisoformat(at)]) == [date.fromisoformat(day)]


@pytest.mark.parametrize("starts", [time(0), time(4), time(23, 30)])
async def test_a_branch_chooses_its_hour(pool: Pool, starts: time) -> None:
    instants = _around("2026-06-15", 11)
    expected = [_by_the_wall_clock("Africa/Nairobi", at, starts) for at in instants]
    assert await _service_dates(pool, "Africa/Nairobi", instants, starts) == expected
