"""Every invariant holds through a wild day, and each defence is missed by the checker when it is taken away."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.chaos.day import Day
from tests.chaos.driver import CoreDriver
from tests.invariants import LOST, Answer, broken
from tests.world import CLINIC, World

Cut = tuple[str, str, str]  # in this function, this text, replaced by that
LOCKS = "    perform lock_queue(act, id) from queues"
PICKED = "    t := call_locked(act, t.id, c, q);"
THINK = "    perform pg_sleep(0.002);\n"

# A race needs a moment: everybody who looked thinks for two milliseconds before he acts, with and without the defences.
THINKING: list[Cut] = [("join_queue", LOCKS, THINK + LOCKS), ("call_next", PICKED, THINK + PICKED)]

NO_PHONE_LOCK: Cut = ("join_queue", "perform lock_phone(person->>'phone');", "")
NO_QUEUE_LOCK: Cut = ("lock_queue", " for update;", ";")
DUPLICATE_CHECK = "    if mine.id is not null and (not replace"
EARLY = "    perform set_config('zamu.early', next_number(queue, today(branch_of(queue)))::text, true);\n"


@dataclass(frozen=True, slots=True)
class Mutant:
    """Defences taken away, and the invariants that are found broken then: one of them at least."""

    cuts: list[Cut]
    breaks: set[str]
    statement: str = "select 1"


MUTANTS = {
    "the phone lock, and the index behind it": Mutant(
        [NO_PHONE_LOCK], {"I1"}, "drop index one_active_ticket_per_phone"
    ),
    "the queue lock": Mutant([NO_QUEUE_LOCK], {"I5"}),
    "the request key": Mutant(
        [
            ("begin_act", "select with_person(answer) into stored from requests where key = act->>'request';", ""),
            ("end_act", "insert into requests (key, answer) values (act->>'request', without_person(answer));", ""),
        ],
        {"I11"},
    ),
    "taking the number late": Mutant(
        [
            ("join_queue", DUPLICATE_CHECK, EARLY + DUPLICATE_CHECK),
            ("issue_ticket", "next_number(q.id, day)", "current_setting('zamu.early')::int"),
        ],
        {"I2"},
    ),
    "waiting for whom another counter is about to call": Mutant(
        [
            NO_QUEUE_LOCK,
            ("call_next", "order by position limit 1;", "order by position limit 1 for update skip locked;"),
        ],
        {"I10", "I13"},
    ),
}


def _driver(world: World) -> CoreDriver:
    return CoreDriver(world.core, {f"{CLINIC}/{code}": queue for code, queue in world.queue_ids.items()})


async def _rewrite(world: World, cuts: list[Cut]) -> None:
    for name, old, new in cuts:
        sql = await world.pool.fetchval("select pg_get_functiondef($1::regproc)", name)
        assert sql.count(old) == 1, f"{name} does not say once: {old}"
        await world.pool.execute(sql.replace(old, new))


async def _mutate(world: World, mutant: Mutant) -> None:
    await _rewrite(world, [*THINKING, *mutant.cuts])
    await world.pool.execute(mutant.statement)
    # Mutants stand in each other's way, and a second is long to find that out.
    database = await world.pool.fetchval("select current_database()")
    await world.pool.execute(f"alter database {database} set deadlock_timeout = '10ms'")
    await world.pool.expire_connections()


async def _wild_day(world: World, seed: int, people: int = 300) -> list[Answer]:
    print(f"seed {seed}")  # noqa: T201
    return await Day(_driver(world), seed, people).run()


@pytest.mark.parametrize("seed", [11, 22, 33])
async def test_every_invariant_holds_through_a_wild_day(world: World, seed: int) -> None:
    answers = await _wild_day(world, seed)
    assert await broken(world.pool, answers=answers) == []
    assert [answer.said for answer in answers if answer.outcome == LOST] == []
    await _no_deadlock(world)


async def test_every_invariant_holds_when_everybody_thinks(world: World) -> None:
    """The control of the mutants below."""
    await _rewrite(world, THINKING)
    assert await broken(world.pool, answers=await _wild_day(world, 44, 80)) == []
    await _no_deadlock(world)


@pytest.mark.parametrize("defence", MUTANTS)
async def test_without_a_defence_the_checker_finds_what_breaks(world: World, defence: str) -> None:
    mutant = MUTANTS[defence]
    await _mutate(world, mutant)
    findings = await broken(world.pool, answers=await _wild_day(world, 44, 80))
    assert mutant.breaks & {finding.partition(":")[0] for finding in findings}, findings


async def test_the_index_alone_keeps_a_phone_from_two_tickets(world: World) -> None:
    """Without the lock somebody hears an error, and still nothing is broken."""
    await _rewrite(world, [*THINKING, NO_PHONE_LOCK])
    answers = await _wild_day(world, 44, 80)
    assert await broken(world.pool, answers=answers) == []
    assert {answer.said for answer in answers if answer.outcome == LOST} == {"UniqueViolationError"}


async def _no_deadlock(world: World) -> None:
    """F13."""
    await world.pool.execute("select pg_stat_force_next_flush()")
    count = "select deadlocks from pg_stat_database where datname = current_database()"
    assert await world.pool.fetchval(count) == 0
