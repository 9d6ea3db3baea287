"""Joining and rating by text: what is typed beside the command puts nobody where he did not mean to be."""

from __future__ import annotations

import pytest

from sms.encoding import segments
from tests.texting.conftest import Texter
from tests.world import World

ONLY_A = "update queues set status = 'closed' where code in ('P', 'L')"


async def test_a_line_that_is_closed_says_so_and_not_that_the_place_is(amina: Texter, world: World) -> None:
    await world.close("P", send_home=True)
    assert await amina.text("JOIN 4071 P") == [
        "Kilimani Clinic: Pharmacy is closed now. You are not in line. Try Doctor."
    ]
    await world.pause("A")
    await world.pause("L")
    assert await amina.text("JOIN 4071 P") == ["Kilimani Clinic: Pharmacy is closed now. You are not in line."]
    await world.pool.execute("update queues set status = 'closed'")
    assert (await amina.text("JOIN 4071 P"))[0].startswith("Kilimani Clinic is closed now.")


async def test_a_misspelt_line_is_asked_about_also_where_one_takes_people(amina: Texter, world: World) -> None:
    await world.pool.execute(ONLY_A)
    assert await amina.text("JOIN 4071 farmacy") == [
        "Kilimani Clinic: which line? Reply JOIN 4071 and its letter: A Doctor."
    ]
    assert await world.ticket(1) is None
    assert "for Doctor" in (await amina.text("JOIN 4071"))[0]


async def test_a_name_is_a_name_where_there_is_one_line(amina: Texter, world: World) -> None:
    await world.pool.execute("delete from counter_queues where queue_id <> $1", world.queue_ids["A"])
    await world.pool.execute("delete from queues where code in ('P', 'L')")
    assert "for Doctor" in (await amina.text("JOIN 4071 Amina"))[0]
    assert (await world.holds(1)).name == "Amina"


@pytest.mark.parametrize(
    ("typed", "minutes"),
    [("0" * 20 + "5", 5), ("00100", 60), ("9" * 100, 60), ("0" * 100, 10), ("0", 10), ("61", 60), ("\u0665", 5)],
)
async def test_late_is_bounded_however_many_digits_it_has(
    amina: Texter, world: World, typed: str, minutes: int
) -> None:
    await world.line(1, 2)
    assert f"OK, {minutes} min more." in (await amina.text(f"LATE {typed}"))[0]


async def test_a_ticket_of_line_l_is_not_taken_for_late(amina: Texter, world: World) -> None:
    await world.line(1, 2, queue="L")
    assert "L001 for Laboratory" in (await amina.text("L001"))[0]
    assert await world.order("L") == ["L001", "L002"]


@pytest.mark.parametrize("typed", ["\u12a0\u121b\u122d\u129b", "\U0001d54a" * 40, "x" * 150, "\u4f60\u597d" * 30])
async def test_an_answer_to_anything_is_one_message(amina: Texter, typed: str) -> None:
    for text in (f"JOIN {typed}", f"LANG {typed}", f"JOIN 4071 {typed}", f"RATE {typed}"):
        (told,) = await amina.text(text)
        assert segments(told) == 1
        assert told.isascii()


async def test_a_visit_is_rated_with_thanks(amina: Texter, world: World) -> None:
    await world.line(1)
    await world.serve()
    assert await amina.text("5 thanks!") == ["Kilimani Clinic: thank you. You gave 5 of 5."]


async def test_a_rating_that_is_none_is_asked_for_again(amina: Texter, world: World) -> None:
    await world.line(1)
    await world.serve()
    for text in ("RATE", "RATE 9", "7"):
        assert (await amina.text(text))[0].endswith("How was it? Reply 1 (bad) to 5 (good).")
    assert await amina.text("RATE 0005") == ["Kilimani Clinic: thank you. You gave 5 of 5."]


@pytest.mark.parametrize("text", ["5", "4 thanks", "RATE 5", "RATE"])
async def test_who_has_no_visit_to_rate_is_thanked(amina: Texter, text: str) -> None:
    assert (await amina.text(text))[0].startswith("Thank you. There is no visit of yours to rate now.")
