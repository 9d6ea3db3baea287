"""The checker itself: silent over an orderly day, and not blind to any one fault put into it by hand."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from tests.invariants import LOST, TABLES, Answer, broken
from tests.world import World, phone

# Put in past every guard. The day: 1 served, 2 called to Room 1, 3 being served in Room 2, 4 late behind 5, 6 waiting.
FAULTS = {
    "I1": "update tickets set phone = (select phone from tickets where number = 6) where number = 5",
    "I2": "update tickets set number = 60, position = 60 where number = 6",
    "I3": "update queue_days set last_number_issued = 7",
    "I4": "update tickets set version = version + 1 where number = 6",
    "I5": "update audit_log set from_status = 'serving' where action = 'defer'",
    "I6": "update tickets set status = 'skipped' where number = 6",
    "I7": """
        update audit_log set details = details || jsonb_build_object('counter', (
            select counter_id from tickets where number = 2)) where details->>'counter' is not null""",
    "I8": "delete from notifications where template = 'turn' and phone = (select phone from tickets where number = 2)",
    "I9": "update audit_log set request = 'one press' where action = 'call'",
    "I10": """
        update audit_log set details = jsonb_build_object('position', 0.5) where action = 'join'
           and entity_id = (select id from tickets where number = 6)""",
    "I12": "update notifications set parameters = parameters || '{\"tk\": \"A099\"}' where template = 'joined'",
    "I22": "update waiting_blocks set waiting = waiting + 1",
    "F41": """
        insert into audit_log (branch_id, entity, entity_id, version, action, to_status, actor, channel, id)
        overriding system value
        select branch_id, 'queue', entity_id, 1, 'pause', 'paused', 'staff', 'staff', 0 from (
            select branch_id, queue_id as entity_id from audit_log join tickets t on t.id = entity_id limit 1) line""",
}


async def _orderly_day(world: World) -> None:
    await world.line(1, 2, 3, 4, 5, 6)
    await world.serve("Room 3")
    await world.called("Room 1")
    await world.do("start", await world.called("Room 2"))
    await world.defer(4, 5)
    await world.sweep()


def _answer(outcome: str, **about: str) -> Answer:
    now = time.time()
    return Answer("r-1", "call_next", now - 1, now, outcome, "4071/A", **about)


async def test_an_orderly_day_breaks_nothing(world: World) -> None:
    await _orderly_day(world)
    told = replace(_answer("joined", label="A006", phone=phone(6)), request="r-2")
    answers = [_answer("called", label="A003"), _answer("called", label="A003"), _answer(LOST), told]
    assert await broken(world.pool, answers=answers) == []


@pytest.mark.parametrize("invariant", TABLES)
async def test_a_fault_in_the_tables_is_found_under_its_name(world: World, invariant: str) -> None:
    await _orderly_day(world)
    await world.pool.execute("drop index one_active_ticket_per_phone")
    async with world.pool.acquire() as hand, hand.transaction():
        await hand.execute("set local session_replication_role = replica")
        await hand.execute(FAULTS[invariant])
    findings = await broken(world.pool)
    assert invariant in {finding.partition(":")[0] for finding in findings}, findings


async def test_one_request_that_called_two_people_is_found(world: World) -> None:
    findings = await broken(world.pool, answers=[_answer("called", label="A001"), _answer("called", label="A002")])
    assert [finding.partition(":")[0] for finding in findings] == ["I9", "I11"]


@pytest.mark.parametrize(
    "second", [_answer("already", label="A001"), _answer("joined", label="A002"), replace(_answer("joined"), said=1)]
)
async def test_a_request_answered_in_two_ways_is_found(world: World, second: Answer) -> None:
    (finding,) = await broken(world.pool, answers=[_answer("joined", label="A001"), second])
    assert finding.startswith("I11: request r-1 to call_next")


@pytest.mark.parametrize("person", [2, 3])
async def test_a_number_told_to_who_does_not_have_it_is_found(world: World, person: int) -> None:
    await world.line(1, 2)
    answer = _answer("joined", label="A001", phone=phone(person))
    assert await broken(world.pool, answers=[answer]) == ["I12: A001 was given to somebody who does not have it"]


async def test_no_one_said_while_someone_waited_all_the_time_is_found(world: World) -> None:
    await world.line(1)
    asked = time.time()
    await world.pool.fetchval("select 1")
    answer = Answer("r-1", "call_next", asked, time.time(), "empty", "4071/A")
    (finding,) = await broken(world.pool, answers=[answer])
    assert finding == "I13: request r-1 found no one in 4071/A while number 1 waited"
    assert await broken(world.pool, answers=[replace(answer, queue="4071/P")]) == []


async def test_no_one_is_true_before_the_first_came_and_after_the_last_was_called(world: World) -> None:
    empty = Answer("r-1", "call_next", time.time(), time.time(), "empty", "4071/A")
    await world.line(1)
    await world.called()
    later = Answer("r-2", "call_next", time.time(), time.time(), "empty", "4071/A")
    assert await broken(world.pool, answers=[empty, later]) == []


async def test_an_answer_given_again_later_is_judged_by_the_first(world: World) -> None:
    """The line was empty when the request was first asked; its repetition says so still, and rightly."""
    first = Answer("r-1", "call_next", time.time(), time.time(), "empty", "4071/A")
    await world.line(1)
    again = replace(first, asked=time.time(), answered=time.time() + 1)
    assert await broken(world.pool, answers=[first, again]) == []
