"""Rule 8: pause, open and close a line; and how lines and places are found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from queue_core import queues
from queue_core.core import Act
from queue_core.errors import Refused
from tests.world import CLINIC, World

OPERATOR = Act("system", "staff")


async def test_a_pause_tells_those_waiting_when_it_is_over_on_their_wall_clock(world: World) -> None:
    await world.line(1, 2)
    await world.called()
    until = datetime.fromisoformat("2030-01-01T07:30:00+00:00")
    paused = await queues.pause(world.core, world.clerk(), world.queue_ids["A"], until)
    assert (paused.was, paused.status, paused.affected, paused.waiting) == ("open", "paused", 1, 1)
    assert (await world.text(2, "paused"))["until"] == "10:30"
    assert "paused" not in await world.texts(1)


async def test_a_pause_without_an_end_says_none(world: World) -> None:
    await world.line(1)
    await world.pause()
    assert (await world.text(1, "paused"))["until"] is None


async def test_after_a_pause_those_waiting_are_told_their_place(world: World) -> None:
    await world.line(1, 2)
    await world.pause()
    opened = await world.open()
    assert (opened.was, opened.status, opened.affected) == ("paused", "open", 2)
    assert (await world.text(2, "resumed"))["ahead"] == 1
    place = await queues.place(world.core, CLINIC)
    assert place
    assert place.lines[0].paused_until is None


async def test_opening_an_open_line_tells_nobody(world: World) -> None:
    await world.line(1)
    assert (await world.open()).affected == 0
    assert await world.texts(1) == ["joined"]


async def test_a_line_closed_to_be_served_out_keeps_everybody(world: World) -> None:
    await world.line(1, 2)
    closed = await world.close(send_home=False)
    assert (closed.was, closed.status, closed.affected, closed.waiting) == ("open", "closed", 0, 2)
    assert await world.texts(1) == ["joined"]
    assert (await world.serve()).label == "A001"


async def test_a_line_that_sends_people_home_ends_every_place_and_says_when_to_come(world: World) -> None:
    tickets = await world.line(*range(1, 6))
    served, called, skipped, *waiting = tickets
    await world.serve()
    await world.called()
    await world.do("skip", await world.called("Room 2"))
    closed = await world.close(send_home=True)
    assert (closed.affected, closed.waiting) == (3, 0)
    assert [await world.state(ticket) for ticket in waiting] == ["expired", "expired"]
    assert await world.state(skipped) == "expired"
    assert (await world.state(called), await world.state(served)) == ("called", "completed")
    for person in (3, 4, 5):
        text = await world.text(person, "closed_early")
        assert text["time"] in ("08:30", "09:00")
        assert text["day"] in range(6)
    for person in (1, 2):
        assert "closed_early" not in await world.texts(person)


async def test_only_the_line_that_closes_is_closed(world: World) -> None:
    await world.line(1, queue="P")
    await world.close("A", send_home=True)
    assert (await world.join(2, "P")).new
    assert (await world.ticket(1)) is not None


async def test_a_place_shows_its_lines_as_a_newcomer_would_find_them(world: World) -> None:
    await world.line(1, 2)
    await world.set(avg_service_seconds=200, completed_count=10)
    await world.set("P", daily_limit=1)
    await world.line(3, queue="P")
    until = datetime.now(UTC) + timedelta(hours=1)
    await queues.pause(world.core, world.clerk(), world.queue_ids["L"], until)
    place = await queues.place(world.core, CLINIC)
    assert place
    assert (place.name, place.is_open, place.asks_name) == ("Kilimani Clinic", True, False)
    doctor, pharmacy, laboratory = place.lines
    assert (doctor.code, doctor.name, doctor.status) == ("A", "Doctor", "open")
    assert (doctor.waiting, doctor.minutes, doctor.full) == (2, 10, False)
    assert (pharmacy.waiting, pharmacy.minutes, pharmacy.full) == (1, None, True)
    assert (laboratory.status, laboratory.paused_until) == ("paused", until)
    assert place.opens_at
    assert place.opens_at > datetime.now(UTC)
    assert f"{place.local(datetime(2026, 1, 1, 9, tzinfo=UTC)):%H:%M}" == "12:00"


async def test_a_code_that_nobody_has_is_no_place(world: World) -> None:
    assert await queues.place(world.core, "9999") is None


async def test_places_are_found_by_the_start_of_any_word_while_they_take_people(world: World) -> None:
    bank = ("5084", "Moi Avenue Bank")
    assert await queues.open_places(world.core) == [("4071", "Kilimani Clinic"), bank]
    assert await queues.open_places(world.core, limit=1) == [("4071", "Kilimani Clinic")]
    for start in ("moi", "AVE", "bank"):
        assert await queues.open_places(world.core, start) == [bank]
    assert await queues.open_places(world.core, "oi") == []
    await world.pool.execute("update branches set is_open = false where code = '4071'")
    assert await queues.open_places(world.core) == [bank]
    await world.pool.execute("update queues set status = 'paused'")
    assert await queues.open_places(world.core) == []


@pytest.mark.parametrize("start", ["%", "_", "k_limani", "\\"])
async def test_signs_with_a_meaning_in_patterns_are_only_signs(world: World, start: str) -> None:
    assert await queues.open_places(world.core, start) == []


async def test_a_line_is_found_by_its_name_in_any_case(world: World) -> None:
    await world.line(1)
    for name in ("4071/A", "4071/a"):
        found = await queues.find(world.core, OPERATOR, name)
        assert (found["id"], found["name"], found["waiting"]) == (world.queue_ids["A"], "Doctor", 1)
    for name in ("4071/Q", "9999/A", "4071", ""):
        with pytest.raises(Refused) as refusal:
            await queues.find(world.core, OPERATOR, name)
        assert refusal.value.code == "no_queue"


async def test_a_ticket_is_found_by_its_label_today_only(world: World) -> None:
    (ticket,) = await world.line(1)
    for name in ("4071/A001", "4071/a1", "4071/A0001"):
        assert await queues.find_ticket(world.core, OPERATOR, name) == ticket.id
    for name in ("4071/A002", "4071/A", "4071/001", "4071", "", "4071/A99999999999999", "9999/A001"):
        with pytest.raises(Refused) as refusal:
            await queues.find_ticket(world.core, OPERATOR, name)
        assert refusal.value.code == "no_ticket"
    await world.next_day()
    with pytest.raises(Refused):
        await queues.find_ticket(world.core, OPERATOR, "4071/A001")


async def test_every_line_is_listed_with_who_waits_and_who_was_called_last(world: World) -> None:
    await world.line(1, 2, 3)
    await world.called()
    rows = await queues.listing(world.core, OPERATOR)
    assert [row["queue"] for row in rows] == ["4071/A", "4071/L", "4071/P", "5084/C", "5084/N"]
    assert (rows[0]["branch"], rows[0]["name"], rows[0]["status"]) == ("Kilimani Clinic", "Doctor", "open")
    assert (rows[0]["waiting"], rows[0]["last_called"]) == (2, "A001")
    assert (rows[1]["waiting"], rows[1]["last_called"]) == (0, None)


async def test_a_line_that_is_not_there_cannot_be_changed(world: World) -> None:
    nowhere = "00000000-0000-4000-8000-000000000000"
    for change in (
        queues.open_(world.core, OPERATOR, nowhere),
        queues.pause(world.core, OPERATOR, nowhere),
        queues.close(world.core, OPERATOR, nowhere, send_home=True),
    ):
        with pytest.raises(Refused) as refusal:
            await change
        assert refusal.value.code == "no_queue"


async def test_a_closed_line_cannot_be_paused(world: World) -> None:
    await queues.close(world.core, world.clerk(), world.queue_ids["A"], send_home=False)
    with pytest.raises(Refused, match="not_open"):
        await queues.pause(world.core, world.clerk(), world.queue_ids["A"])
