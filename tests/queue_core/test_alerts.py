"""Rule 9: people are told once per event, in the event's own transaction, while it is true."""

from __future__ import annotations

from datetime import timedelta

import pytest

from queue_core.errors import Refused
from tests.world import World, phone

EVENTS = "select template, count(*) from notifications where phone = $1 group by template"


async def test_a_joined_text_says_number_place_and_estimate(world: World) -> None:
    await world.set(avg_service_seconds=200, completed_count=10)
    await world.line(1, 2)
    text = await world.text(2, "joined")
    assert (text["branch"], text["code"], text["svc"]) == ("Kilimani Clinic", "4071", "Doctor")
    assert (text["tk"], text["ahead"], text["min"], text["phone"]) == ("A002", 1, 5, "0700123456")


async def test_who_joins_with_nobody_ahead_and_a_free_counter_may_walk_there_at_once(world: World) -> None:
    await world.line(1)
    await world.serve("Room 2")
    await world.line(2)
    assert await world.texts(2) == ["joined_no_wait"]
    assert (await world.text(2, "joined_no_wait"))["ctr"] == "Room 2"


async def test_nobody_is_sent_to_a_counter_that_is_busy_or_has_not_opened_today(world: World) -> None:
    await world.line(1, 2)
    assert await world.texts(1) == ["joined"]
    await world.serve()
    await world.called()
    await world.line(3)
    assert await world.texts(3) == ["joined"]
    await world.do("complete", await world.holds(2))
    await world.next_day()
    await world.sweep()
    await world.line(4)
    assert await world.texts(4) == ["joined"]


async def test_who_crosses_the_threshold_is_told_to_be_near_exactly_once(world: World) -> None:
    await world.line(*range(1, 8))
    for _ in range(4):
        await world.serve()
    assert [(await world.texts(person)).count("near") for person in range(1, 8)] == [0, 0, 0, 0, 1, 1, 1]
    for person in (5, 6, 7):
        assert (await world.text(person, "near"))["ahead"] == 3


async def test_who_joins_near_is_told_by_the_join_text_alone(world: World) -> None:
    await world.line(1, 2, 3, 4)
    for _ in range(4):
        await world.serve()
    for person in range(1, 5):
        assert "near" not in await world.texts(person)


@pytest.mark.parametrize("threshold", [0, 1, 5])
async def test_how_near_is_near_is_a_setting_of_the_line(world: World, threshold: int) -> None:
    await world.set(alert_threshold=threshold)
    await world.line(*range(1, 9))
    await world.serve()
    told = [person for person in range(1, 9) if "near" in await world.texts(person)]
    assert told == [threshold + 2]
    assert (await world.text(threshold + 2, "near"))["ahead"] == threshold


async def test_a_new_approach_is_a_new_alert(world: World) -> None:
    await world.line(*range(1, 13))
    await world.serve()
    assert await world.texts(5) == ["joined", "near"]
    await world.defer(5, 20)
    await world.serve()
    await world.serve()
    assert (await world.texts(5)).count("near") == 1
    for _ in range(3):
        await world.serve()
    assert await world.texts(5) == ["joined", "near", "late_ok", "near"]


async def test_who_is_late_but_stays_near_is_told_by_that_text_alone(world: World) -> None:
    await world.line(1, 2, 3)
    await world.defer(1, 5)
    await world.serve()
    assert await world.texts(1) == ["joined", "late_ok"]


async def test_who_moves_up_because_somebody_was_late_is_told(world: World) -> None:
    await world.line(*range(1, 8))
    await world.defer(1, 60)
    assert await world.texts(5) == ["joined", "near"]


async def test_who_comes_back_near_needs_no_alert_and_pushes_nobody_into_a_second_one(world: World) -> None:
    await world.line(*range(1, 8))
    await world.do("skip", await world.called())
    assert await world.texts(5) == ["joined", "near"]
    await world.come_back(1)
    await world.serve()
    await world.serve()
    assert await world.texts(1) == ["joined", "turn", "skipped"]
    assert await world.texts(5) == ["joined", "near"]


async def test_a_call_says_where_to_go_and_is_most_urgent(world: World) -> None:
    await world.line(1)
    await world.called("Room 4")
    assert (await world.text(1, "turn"))["ctr"] == "Room 4"
    row = await world.row("select urgency, expires_at - created_at as lives from notifications where template = 'turn'")
    assert (row["urgency"], row["lives"].total_seconds()) == (0, pytest.approx(180, abs=1))


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("turn", 3), ("last_call", 3), ("near", 10), ("skipped", 15), ("missed", 15), ("joined", 30), ("end_of_day", 720)],
)
async def test_a_text_lives_only_as_long_as_it_can_be_true(world: World, text: str, minutes: int) -> None:
    """F24."""
    assert await world.pool.fetchval("select deadline_of($1)", text) == timedelta(minutes=minutes)


async def test_each_event_of_a_long_day_was_told_exactly_once(world: World) -> None:
    await world.line(1, 2, 3, 4, 5, 6)
    ticket = await world.called()
    await world.do("recall", ticket)
    await world.do("skip", ticket)
    await world.come_back(1)
    await world.defer(6, 5)
    await world.pause()
    await world.open()
    await world.leave(2)
    await world.do("no_show", await world.called())
    await world.close(send_home=True)
    assert await _events(world, 1) == {
        "joined": 1, "turn": 1, "last_call": 1, "skipped": 1, "paused": 1, "resumed": 1, "closed_early": 1,
    }  # fmt: skip
    assert await _events(world, 2) == {"joined": 1, "paused": 1, "resumed": 1, "left": 1}
    assert await _events(world, 3) == {"joined": 1, "paused": 1, "resumed": 1, "turn": 1, "missed": 1}
    assert await _events(world, 6) == {
        "joined": 1, "late_ok": 1, "paused": 1, "resumed": 1, "closed_early": 1, "near": 1,
    }  # fmt: skip


async def test_a_skipped_person_is_told_how_long_the_place_is_kept(world: World) -> None:
    await world.set(grace=601)
    await world.line(1)
    await world.do("skip", await world.called())
    assert (await world.text(1, "skipped"))["min5"] == 11


async def test_a_refused_verb_tells_nobody(world: World) -> None:
    await world.line(1)
    for attempt in (world.come_back(1), world.coming(1), world.leave(2)):
        with pytest.raises(Refused):
            await attempt
    assert await world.texts(1) == ["joined"]
    assert await world.texts(2) == []


async def test_every_text_speaks_the_language_of_its_ticket(world: World) -> None:
    await world.join(1, language="sw")
    await world.called()
    languages = await world.pool.fetch("select language from notifications where phone = $1", phone(1))
    assert {row["language"] for row in languages} == {"sw"}


async def _events(world: World, person: int) -> dict[str, int]:
    return {row["template"]: row["count"] for row in await world.pool.fetch(EVENTS, phone(person))}
