"""Texts that the queue sends by itself and that somebody may answer."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from queue_core import tickets
from tests.texting.conftest import Texter
from tests.world import World, phone


async def test_whom_staff_put_in_line_is_told_by_whom(world: World, amina: Texter) -> None:
    await tickets.join(world.core, world.clerk(), world.queue_ids["A"], phone(1))
    assert await amina.told() == [
        "Kilimani Clinic staff put you in line: A001 for Doctor, 0 ahead. Not you? Reply LEAVE A001. STOP ends all SMS."
    ]


async def test_who_waits_for_long_without_a_word_is_asked_once(world: World, amina: Texter) -> None:
    await world.line(1, 2)
    await world.later(80)
    await world.sweep()
    assert "still_there" not in await world.texts(1)
    await world.defer(2)
    await world.later(15)
    await world.sweep()
    await world.sweep()
    assert (await world.texts(1)).count("still_there") == 1
    assert "still_there" not in await world.texts(2), "whoever was heard of lately"
    assert (await amina.text("KEEP"))[0].startswith("Kilimani Clinic: A001 for Doctor.")
    assert await world.order() == ["A001", "A002"]


@pytest.mark.parametrize(("wanted", "hour", "asked"), [("true", 12, 1), ("true", 20, 0), ("false", 12, 0)])
async def test_how_it_was_is_asked_by_text_in_daytime_where_the_branch_wants_it(
    world: World, amina: Texter, wanted: str, hour: int, asked: int
) -> None:
    east = (hour - datetime.now(UTC).hour + 12) % 24 - 12
    zone = f"Etc/GMT{-east:+}"  # the sign is the other way round there
    await world.pool.execute(f"update branches set texts_rating = {wanted}, timezone = $1", zone)  # noqa: S608
    await world.line(1)
    await world.serve()
    assert (await world.texts(1)).count("rate_ask") == asked
    if asked:
        assert await amina.text("4") == ["Kilimani Clinic: thank you. You gave 4 of 5."]
