"""Opening hours: when a branch opens next, on its own wall clock."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def next_opening(hours: dict[str, Any], timezone: str, now: datetime) -> datetime | None:
    """The next time after `now` at which the branch opens, with its zone; None when no hours are kept.

    `hours` is {"mon": [["08:30", "17:00"]], …} in local time. A local hour that a clock change skips opens when the
    clock has moved on.
    """
    zone = ZoneInfo(timezone)
    today = now.astimezone(zone).date()
    for days in range(8):
        day = today + timedelta(days=days)
        for opens, _closes in sorted(hours.get(DAYS[day.weekday()], ())):
            at = datetime.combine(day, time.fromisoformat(opens), zone).astimezone(UTC)
            if at > now:
                return at.astimezone(zone)
    return None


def when(at: datetime | None) -> dict[str, Any]:
    """An opening as the texts take it: {"day": weekday number, "time": "08:30"}; empty when unknown."""
    return {"day": at.weekday(), "time": f"{at:%H:%M}"} if at else {}
