"""What the clock does, and that any number of clocks do it once."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from queue_core import sweeper
from queue_core.core import Core
from tests.world import World, phone


async def test_three_minutes_after_the_call_comes_a_last_one(world: World) -> None:
    await world.line(1)
    await world.called()
    await world.later(2.9)
    assert await world.sweep() == 0
    await world.later(0.2)
    assert await world.sweep() == 1
    assert await world.sweep() == 0
    assert await world.texts(1) == ["joined", "turn", "last_call"]
    assert (await world.text(1, "last_call"))["min5"] == 2


async def test_who_is_coming_or_was_recalled_gets_no_last_call_by_the_clock(world: World) -> None:
    await world.line(1, 2)
    await world.called()
    await world.coming(1)
    await world.do("recall", await world.called("Room 2"))
    await world.later(3.5)
    await world.sweep()
    assert await world.texts(1) == ["joined", "turn"]
    assert await world.texts(2) == ["joined", "turn", "last_call"]


async def test_a_line_without_expiry_gets_a_last_call_too(world: World) -> None:
    await world.set(call_expiry=0)
    await world.line(1)
    await world.called()
    await world.later(3.5)
    assert await world.sweep() == 1
    assert await world.sweep() == 0


async def test_a_late_sweep_expires_a_call_without_a_last_call(world: World) -> None:
    await world.line(1)
    await world.called()
    await world.later(6)
    assert await world.sweep() == 1
    assert await world.texts(1) == ["joined", "turn", "skipped"]


async def test_while_one_sweeps_another_does_nothing(world: World) -> None:
    await world.line(1)
    await world.called()
    await world.later(6)
    async with world.pool.acquire() as other:
        await other.execute(sweeper.SQL.try_lock)
        assert await world.sweep() == 0
    assert await world.sweep() == 1


async def test_a_sweeper_that_says_nothing_for_a_minute_loses_its_turn(world: World) -> None:
    idle = "show idle_session_timeout"
    async with world.pool.acquire() as conn:
        assert await conn.fetchval(sweeper.SQL.try_lock)
        assert await conn.fetchval(idle) == "1min"
        await conn.execute(sweeper.SQL.unlock)
        assert await conn.fetchval(idle) == "0"


async def test_many_sweepers_at_once_do_each_thing_once(world: World) -> None:
    people = range(1, 31)
    await world.line(*people)
    for room in ("Room 1", "Room 2", "Room 3"):
        await world.called(room)
    await world.later(6)
    done = await asyncio.gather(*(world.sweep() for _ in range(8)))
    assert sum(done) == 3
    for person in (1, 2, 3):
        assert (await world.texts(person)).count("skipped") == 1


async def test_what_another_sweeper_did_first_is_not_done_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both read the same list before either acts: the version in the request decides."""
    await world.line(1)
    ticket = await world.called()
    await world.later(6)
    due = await world.pool.fetch(sweeper.SQL.due)
    await world.do("start", ticket)
    monkeypatch.setattr(sweeper, "SQL", _Answering(sweeper.SQL, due=_rows_as_sql(due)))
    assert await world.sweep() == 0
    assert await world.state(ticket) == "serving"


async def test_who_waits_much_longer_than_was_said_is_told_once_an_hour(world: World) -> None:
    await world.set(avg_service_seconds=300, completed_count=10, alert_threshold=0)
    await world.line(*range(1, 8))
    await world.later(61)
    assert await world.sweep() == 0
    await world.set(avg_service_seconds=600)
    assert await world.sweep() == 2
    assert await world.sweep() == 0
    assert [(await world.texts(person)).count("slower") for person in range(1, 8)] == [0, 0, 0, 0, 0, 1, 1]
    assert (await world.text(7, "slower"))["min"] == 60
    await world.pool.execute("update notifications set dedupe_key = dedupe_key || ' an hour ago'")
    await world.set(avg_service_seconds=1200)
    await world.later(59)
    await world.sweep()
    assert (await world.texts(7)).count("slower") == 1
    await world.later(2)
    await world.sweep()
    assert (await world.texts(7)).count("slower") == 2


@pytest.mark.parametrize(
    ("said", "now", "told"),
    [(10, 30, 0), (10, 35, 1), (40, 60, 0), (60, 85, 0), (60, 90, 0), (60, 95, 1), (None, 200, 0)],
)
async def test_slower_means_twenty_minutes_and_half_of_what_was_said(
    world: World, said: int | None, now: int, told: int
) -> None:
    await world.line(1, 2)
    await world.pool.execute("update tickets set told_minutes = $1 where number = 2", said)
    await world.set(avg_service_seconds=now * 60, completed_count=10)
    await world.later(61)
    await world.sweep()
    assert (await world.texts(2)).count("slower") == told


async def test_between_two_looks_at_long_waits_only_deadlines_are_swept(world: World) -> None:
    await world.line(1, 2)
    await world.pool.execute("update tickets set told_minutes = 5")
    await world.set(avg_service_seconds=6000, completed_count=10)
    await world.later(61)
    assert await sweeper.sweep(world.core, thorough=False) == 0
    assert await world.sweep() == 1


async def test_after_an_outage_those_waiting_are_told_their_place_and_nothing_older(world: World) -> None:
    await world.sweep()
    await world.line(1, 2)
    await world.called()
    await world.later(11)
    assert await world.sweep() >= 1
    rows = await world.pool.fetch(
        "select template, status, parameters from notifications where phone = $1 order by created_at", phone(2)
    )
    assert [tuple(row)[:2] for row in rows] == [("joined", "suppressed"), ("recovered", "queued")]
    assert rows[1]["parameters"]["ahead"] == 0
    assert "recovered" not in await world.texts(1)


async def test_a_pause_of_nine_minutes_is_no_outage(world: World) -> None:
    await world.sweep()
    await world.line(1)
    await world.later(9)
    assert await world.sweep() == 0
    assert await world.texts(1) == ["joined"]


async def test_an_outage_that_could_not_be_told_is_told_by_the_next_sweep(world: World) -> None:
    await world.sweep()
    await world.line(1)
    await world.later(11)
    async with world.pool.acquire() as desk, desk.transaction():
        await desk.execute("select 1 from queues for update")
        with pytest.raises(asyncpg.PostgresError):
            await world.sweep()
    assert await world.sweep() == 1
    assert await world.texts(1) == ["joined", "recovered"]


async def test_the_clock_ticks_until_it_is_stopped_whatever_fails(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failures: list[Exception] = [
        asyncpg.LockNotAvailableError("taken"),
        asyncpg.InterfaceError("closed"),
        asyncpg.InternalClientError("killed"),
        ConnectionRefusedError("gone"),
    ]
    stop = asyncio.Event()
    thorough_in: list[bool] = []

    async def failing(_core: Core, *, thorough: bool) -> int:
        thorough_in.append(thorough)
        if failures:
            raise failures.pop()
        stop.set()
        return 0

    monkeypatch.setattr(sweeper, "INTERVAL", 0.001)
    monkeypatch.setattr(sweeper, "SLOW_WORK_EVERY", 2)
    monkeypatch.setattr(sweeper, "sweep", failing)
    await sweeper.run(world.core, stop)
    assert thorough_in == [True, False, True, False, True]
    assert caplog.messages == [
        "sweep put off: ConnectionRefusedError",
        "sweep put off: InternalClientError",
        "sweep put off: InterfaceError",
        "sweep put off: LockNotAvailableError",
    ]


async def test_a_stopped_clock_does_not_sweep(world: World) -> None:
    await world.line(1)
    await world.called()
    await world.later(6)
    stop = asyncio.Event()
    stop.set()
    await sweeper.run(world.core, stop)
    assert await world.texts(1) == ["joined", "turn"]


class _Answering:
    """The sweeper's statements, some of them replaced."""

    def __init__(self, statements: Any, **others: str) -> None:
        self._statements = statements
        self._others = others

    def __getattr__(self, name: str) -> str:
        return self._others.get(name) or str(getattr(self._statements, name))


def _rows_as_sql(rows: list[asyncpg.Record]) -> str:
    values = ", ".join(f"('{row['id']}', {row['version']}, '{row['verb']}')" for row in rows)
    return f"select * from (values {values}) due (id, version, verb)"  # noqa: S608
