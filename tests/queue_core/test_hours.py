"""Opening hours on the branch's own wall clock, through clock changes, leap days and holidays of the clock."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queue_core.hours import DAYS, next_opening, when

ZONES = ("Europe/London", "Africa/Cairo", "Africa/Casablanca", "Africa/Nairobi", "Africa/Lagos")
DAILY = {day: [["08:30", "17:00"]] for day in DAYS}
WEEKDAYS = {day: [["08:30", "12:30"], ["14:00", "17:00"]] for day in DAYS[:5]}


def _opens(hours: dict[str, list[list[str]]], zone: str, now: str) -> str | None:
    at = next_opening(hours, zone, datetime.fromisoformat(now))
    return at.isoformat() if at else None


@pytest.mark.parametrize(
    ("zone", "now", "opens"),
    [
        # Spring forward between now and the opening: the night is an hour shorter.
        ("Europe/London", "2026-03-28T18:00+00:00", "2026-03-29T08:30:00+01:00"),
        ("Africa/Cairo", "2026-04-23T18:00+00:00", "2026-04-24T08:30:00+03:00"),
        ("Africa/Casablanca", "2026-03-21T18:00+00:00", "2026-03-22T08:30:00+01:00"),
        # Fall back: an hour longer.
        ("Europe/London", "2026-10-24T18:00+00:00", "2026-10-25T08:30:00+00:00"),
        ("Africa/Cairo", "2026-10-29T18:00+00:00", "2026-10-30T08:30:00+02:00"),
        ("Africa/Casablanca", "2026-02-14T18:00+00:00", "2026-02-15T08:30:00+00:00"),
        # The controls never change their clocks.
        ("Africa/Nairobi", "2026-03-28T18:00+00:00", "2026-03-29T08:30:00+03:00"),
        ("Africa/Lagos", "2026-10-24T18:00+00:00", "2026-10-25T08:30:00+01:00"),
        # A leap day is a day.
        ("Africa/Nairobi", "2028-02-28T18:00+00:00", "2028-02-29T08:30:00+03:00"),
        ("Africa/Nairobi", "2028-02-29T18:00+00:00", "2028-03-01T08:30:00+03:00"),
    ],
)
def test_a_place_opens_at_the_same_wall_clock_time_every_day(zone: str, now: str, opens: str) -> None:
    """F48, F49."""
    assert _opens(DAILY, zone, now) == opens


@pytest.mark.parametrize(
    ("zone", "hour", "now", "opens"),
    [
        ("Europe/London", "01:30", "2026-03-28T12:00+00:00", "2026-03-29T02:30:00+01:00"),
        ("Africa/Cairo", "00:15", "2026-04-23T12:00+00:00", "2026-04-24T01:15:00+03:00"),
        ("Africa/Casablanca", "02:30", "2026-03-21T12:00+00:00", "2026-03-22T03:30:00+01:00"),
        # An hour that comes twice opens the first time, and not again an hour later.
        ("Europe/London", "01:30", "2026-10-24T12:00+00:00", "2026-10-25T01:30:00+01:00"),
        ("Europe/London", "01:30", "2026-10-25T00:45+00:00", "2026-10-26T01:30:00+00:00"),
    ],
)
def test_an_hour_that_the_clock_skips_or_repeats_opens_once(zone: str, hour: str, now: str, opens: str) -> None:
    """F48."""
    assert _opens({day: [[hour, "20:00"]] for day in DAYS}, zone, now) == opens


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-03-02T05:29+00:00", "2026-03-02T08:30:00+03:00"),  # Monday, before opening
        ("2026-03-02T05:30+00:00", "2026-03-02T14:00:00+03:00"),  # at the very minute
        ("2026-03-02T10:00+00:00", "2026-03-02T14:00:00+03:00"),  # the lunch break
        ("2026-03-02T15:00+00:00", "2026-03-03T08:30:00+03:00"),  # the evening
        ("2026-03-06T15:00+00:00", "2026-03-09T08:30:00+03:00"),  # Friday evening
        ("2026-03-07T22:30+00:00", "2026-03-09T08:30:00+03:00"),  # Sunday there, Saturday here
    ],
)
def test_the_next_opening_passes_over_breaks_and_closed_days(now: str, opens: str) -> None:
    assert _opens(WEEKDAYS, "Africa/Nairobi", now) == opens


def test_a_place_open_once_a_week_opens_in_a_week() -> None:
    monday = {"mon": [["08:30", "17:00"]]}
    assert _opens(monday, "Africa/Nairobi", "2026-03-02T06:00+00:00") == "2026-03-09T08:30:00+03:00"


def test_periods_may_be_written_in_any_order() -> None:
    shuffled = {"mon": [["14:00", "17:00"], ["08:30", "12:30"]]}
    assert _opens(shuffled, "Africa/Nairobi", "2026-03-02T00:00+00:00") == "2026-03-02T08:30:00+03:00"


@pytest.mark.parametrize("hours", [{}, {"mon": []}])
def test_a_place_without_hours_has_no_opening(hours: dict[str, list[list[str]]]) -> None:
    assert next_opening(hours, "Africa/Nairobi", datetime(2026, 3, 2, tzinfo=UTC)) is None


def test_texts_take_the_weekday_and_the_time() -> None:
    at = datetime(2026, 3, 2, 8, 30, tzinfo=ZoneInfo("Africa/Nairobi"))
    assert when(at) == {"day": 0, "time": "08:30"}
    assert when(None) == {}


HOURS = st.dictionaries(
    st.sampled_from(DAYS),
    st.lists(st.times().map(lambda t: [f"{t:%H:%M}", "23:59"]), max_size=3),
    max_size=7,
)
INSTANTS = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@given(HOURS, st.sampled_from(ZONES), INSTANTS)
def test_nothing_opens_between_now_and_the_next_opening(
    hours: dict[str, list[list[str]]], zone: str, now: datetime
) -> None:
    """Against a model that lists every opening of the next days and takes the earliest after now."""
    local = now.astimezone(ZoneInfo(zone)).date()
    openings = [
        datetime.combine(day, time.fromisoformat(opens), ZoneInfo(zone)).astimezone(UTC)
        for day in (local + timedelta(days=days) for days in range(-1, 10))
        for opens, _ in hours.get(DAYS[day.weekday()], [])
    ]
    assert next_opening(hours, zone, now) == min((at for at in openings if at > now), default=None)


@given(HOURS, st.sampled_from(ZONES), INSTANTS)
def test_the_answer_does_not_depend_on_the_zone_that_now_is_given_in(
    hours: dict[str, list[list[str]]], zone: str, now: datetime
) -> None:
    assert next_opening(hours, zone, now) == next_opening(hours, zone, now.astimezone(ZoneInfo(zone)))
