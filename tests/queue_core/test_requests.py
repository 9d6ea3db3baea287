"""A request that is delivered again gets the first one's answer and changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from queue_core import calling, core, customers, queues, tickets
from queue_core.core import Act, Core
from queue_core.errors import Refused
from tests.world import KEY, World, phone

Delivery = Callable[[World, Act], Awaitable[Any]]

TABLES = ("tickets", "audit_log", "notifications", "requests", "queue_days", "waiting_blocks", "queues", "counters")


def _now_called(verb: calling.Verb) -> Delivery:
    return lambda world, act: _with_first(world, lambda first: verb(world.core, act, first))


async def _with_first(world: World, deliver: Callable[[str], Awaitable[Any]]) -> Any:
    """With the ticket that the first person has, or had."""
    sql = "select id::text from tickets where number = 1 and phone = $1 order by created_at limit 1"
    return await deliver(await world.pool.fetchval(sql, phone(1)))


# Every verb, on a line where 1 is called to Room 1, 2 is skipped, 3 and 4 wait, and 5 was served.
VERBS: dict[str, Delivery] = {
    "join": lambda world, act: world.join(9, act=act),
    "join again": lambda world, act: world.join(3, act=act),
    "replace": lambda world, act: world.join(3, "P", act=act, replace=True),
    "leave": lambda world, act: tickets.leave(world.core, act, phone(3)),
    "leave without a ticket": lambda world, act: tickets.leave(world.core, act, phone(9)),
    "defer": lambda world, act: tickets.defer(world.core, act, phone(3), 10),
    "come back": lambda world, act: tickets.come_back(world.core, act, phone(2)),
    "coming": lambda world, act: tickets.coming(world.core, act, phone(1)),
    "rate": lambda world, act: customers.rate(world.core, act, phone(5), 4),
    "rate nothing": lambda world, act: customers.rate(world.core, act, phone(9), 4),
    "erase": lambda world, act: customers.erase(world.core, act, phone(3), KEY),
    "call next": lambda world, act: world.call("Room 2", act=act),
    "call next with somebody outstanding": lambda world, act: world.call("Room 1", act=act),
    "call next and skip": lambda world, act: world.call("Room 1", finish="skip", act=act),
    "call next nowhere": lambda world, act: world.call("Room 9", act=act),
    "start": _now_called(calling.start),
    "complete": _now_called(calling.complete),
    "skip": _now_called(calling.skip),
    "no-show": _now_called(calling.no_show),
    "recall": _now_called(calling.recall),
    "leave for": _now_called(calling.leave_for),
    "come back for": _now_called(calling.come_back_for),
    "defer for": lambda world, act: _with_first(world, lambda first: calling.defer_for(world.core, act, first, 10)),
    "rename": lambda world, act: _with_first(world, lambda first: calling.rename(world.core, act, first, "Ann")),
    "transfer": lambda world, act: _with_first(
        world, lambda first: calling.transfer(world.core, act, first, world.queue_ids["P"])
    ),
    "call by name nowhere": lambda world, act: _with_first(
        world, lambda first: calling.call_named(world.core, act, first, first)
    ),
    "pause": lambda world, act: queues.pause(world.core, act, world.queue_ids["A"]),
    "open": lambda world, act: queues.open_(world.core, act, world.queue_ids["A"]),
    "send home": lambda world, act: queues.close(world.core, act, world.queue_ids["A"], send_home=True),
}


@pytest.mark.parametrize("verb", VERBS)
async def test_a_verb_delivered_three_times_happens_once(world: World, verb: str) -> None:
    """F33, I11: the first alone, then twice more at once."""
    await _a_line(world)
    act = Act("staff", "staff", request="r-1")
    first = await _answer(VERBS[verb](world, act))
    before = await _everything(world)
    again = await asyncio.gather(*(_answer(VERBS[verb](world, act)) for _ in range(2)))
    assert again == [first, first]
    assert await _everything(world) == before


@pytest.mark.parametrize("verb", ["join", "call next", "rate", "defer", "pause"])
async def test_deliveries_at_the_same_moment_happen_once(world: World, verb: str) -> None:
    await _a_line(world)
    act = Act("staff", "staff", request="r-1")
    answers = await asyncio.gather(*(_answer(VERBS[verb](world, act)) for _ in range(5)))
    assert answers == [answers[0]] * 5
    assert await world.pool.fetchval("select count(*) from audit_log where request = 'r-1'") == (verb != "rate")


async def test_a_refusal_is_remembered_too(world: World) -> None:
    """The retry of a join that was refused hears no, although the line has opened since."""
    await world.pause()
    act = world.customer(request="r-1")
    for _ in range(2):
        with pytest.raises(Refused, match="paused"):
            await world.join(1, act=act)
        await world.open()
    assert (await world.join(1)).new


def test_every_act_is_a_request_of_its_own_unless_it_is_named() -> None:
    assert Act("customer", "ussd").request != Act("customer", "ussd").request


async def test_an_answer_that_was_lost_is_asked_for_again(world: World) -> None:
    """F2: the transaction is committed, and the connection dies before the answer arrives."""
    losing: Any = LosingPool(world, losses=1)
    joined = await tickets.join(Core(losing), world.customer(), world.queue_ids["A"], phone(1))
    assert joined.new
    assert await world.pool.fetchval("select count(*) from tickets") == 1
    assert core.written.get()


async def test_an_answer_that_is_lost_again_and_again_is_an_error_with_perhaps_a_change(world: World) -> None:
    losing: Any = LosingPool(world, losses=9)
    with pytest.raises(ConnectionError):
        await tickets.join(Core(losing), world.customer(), world.queue_ids["A"], phone(1))
    assert core.written.get()


async def test_what_was_refused_changed_nothing(world: World) -> None:
    with pytest.raises(Refused):
        await world.leave(1)
    assert not core.written.get()


async def test_what_the_server_could_not_do_changed_nothing(world: World) -> None:
    async with world.pool.acquire() as desk, desk.transaction():
        await desk.execute("select 1 from queues for update")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await world.join(1)
    assert not core.written.get()


async def test_lines_may_change_with_nobody_listening(world: World) -> None:
    joined = await tickets.join(Core(world.pool), world.customer(), world.queue_ids["A"], phone(1))
    assert joined.new


async def _a_line(world: World) -> None:
    await world.line(5, queue="L")
    await world.serve("Room 4", "L")
    await world.line(1, 2, 3, 4)
    await world.called()
    await world.do("skip", await world.called("Room 2"))


async def _answer(delivery: Awaitable[Any]) -> object:
    try:
        return await delivery
    except Refused as refusal:
        return (refusal.code, refusal.facts)


async def _everything(world: World) -> dict[str, object]:
    return {
        table: await world.pool.fetchval(f"select jsonb_agg(t order by t::text) from {table} t")  # noqa: S608
        for table in TABLES
    }


class LosingPool:
    """The pool of a world whose connections die after the commit and before the answer is read, so many times."""

    def __init__(self, world: World, losses: int) -> None:
        self._world = world
        self._losses = losses

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Any]:
        async with self._world.pool.acquire() as connection:
            if self._losses:
                self._losses -= 1
                yield _Dying(connection)
            else:
                yield connection


class _Dying:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def fetchval(self, *args: Any) -> object:
        await self._connection.fetchval(*args)
        self._connection.terminate()
        return await self._connection.fetchval("select 1")

    def is_closed(self) -> bool:
        return bool(self._connection.is_closed())


async def test_answers_are_forgotten_after_a_day(world: World) -> None:
    await world.join(1)
    await world.sweep()
    assert await world.pool.fetchval("select count(*) from requests") > 0
    await world.pool.execute("update requests set at = at - interval '25 hours'")
    await world.sweep()
    assert await world.pool.fetchval("select count(*) from requests") == 0
