"""A PIN opens the desk: to its owner, for one session, and it is kept nowhere."""

from __future__ import annotations

import logging

import pytest
from redis.asyncio import Redis

from tests.ussd.caller import Caller
from tests.ussd.clerk import CLERK, DESK, PIN, at_desk, enrol, statuses
from tests.ussd.conftest import Callers
from tests.world import World, phone
from ussd.engine import Engine


async def test_three_wrong_pins_end_the_session_and_five_lock_the_phone(clerk: Caller, world: World) -> None:
    await clerk.dial(DESK)
    await clerk.press("000001")
    clerk.sees("Wrong PIN. Tries left: 4\nType your PIN")
    await clerk.press("000002")
    clerk.sees("Wrong PIN. Tries left: 3")
    await clerk.press("000003")
    clerk.is_at("stopped")
    await clerk.dial(DESK)
    await clerk.press("000004")
    clerk.sees("Wrong PIN. Tries left: 1")
    await clerk.press("000005")
    clerk.sees("locked for 15 min. Ask your manager to unlock it.")
    assert clerk.over
    await clerk.dial(DESK)
    clerk.is_at("staff_lock")
    await world.later(16)
    await at_desk(clerk)


async def test_a_pin_delivered_again_is_one_try(clerk: Caller) -> None:
    await clerk.dial(DESK)
    await clerk.press("000001")
    await clerk.send(times=3)
    clerk.sees("Tries left: 4")


async def test_what_is_no_pin_is_no_try(clerk: Caller, world: World) -> None:
    await clerk.dial(DESK)
    await clerk.press("12345")
    clerk.sees("Not a choice.", "Type your PIN")
    await clerk.press("0")
    clerk.is_at("home")
    assert await world.pool.fetchval("select failures from staff_phones") == 0


async def test_a_pin_is_good_for_its_own_session_only(clerk: Caller) -> None:
    await at_desk(clerk)
    await clerk.press("00", "0")
    clerk.is_at("staff_desk")
    await clerk.press("join", "4071", "1")
    clerk.is_at("confirm")
    await clerk.dial()
    clerk.is_at("resume")
    await clerk.press("0", "0")
    clerk.is_at("staff_pin")


async def test_the_session_of_another_phone_opens_nothing(clerk: Caller, callers: Callers, world: World) -> None:
    await world.line(1)
    await at_desk(clerk)
    thief = callers(1000)
    thief.session, thief.path, thief.inputs, thief.over = clerk.session, clerk.path, [*clerk.inputs], False
    await thief.press("1")
    assert not thief.state.startswith("staff")
    assert await statuses(world) == ["waiting"]


async def test_for_everybody_else_the_key_means_what_it_always_did(caller: Caller) -> None:
    await caller.dial(DESK)
    caller.is_at("badcode")
    await caller.dial()
    await caller.press("0")
    caller.is_at("home")


async def test_who_holds_a_number_himself_comes_to_the_desk_all_the_same(clerk: Caller, world: World) -> None:
    await world.line(CLERK)
    await at_desk(clerk)
    await clerk.dial()
    clerk.is_at("near")


async def test_a_clerk_sees_no_line_of_another_branch(callers: Callers, world: World) -> None:
    await enrol(world, "bank1", CLERK, None)
    clerk = callers(CLERK)
    await clerk.dial(DESK)
    clerk.sees("Staff Moi Avenue Bank")
    await clerk.press(PIN)
    clerk.sees("1 Cash (0)\n2 Loans (0)")
    assert "3 " not in clerk.screen
    await world.line(1)
    await clerk.press("3")
    clerk.sees("Not a choice.")


async def test_an_admin_has_the_lines_of_every_branch(callers: Callers, world: World) -> None:
    await enrol(world, "admin", CLERK, None)
    clerk = callers(CLERK)
    await clerk.dial(DESK)
    clerk.sees("Staff Zamu")
    await clerk.press(PIN)
    clerk.sees("1 Doctor (0)", "5 Loans (0)")
    await clerk.press("4")
    clerk.sees("Cash\nNow - Waiting 0")


@pytest.mark.parametrize(
    "change",
    [
        "update staff set active = false where login = 'clinic1'",
        "update staff_phones set blocked_at = now()",
        "update staff set branch_id = (select id from branches where code = '5084') where login = 'clinic1'",
    ],
)
async def test_whoever_may_no_longer_work_is_out_at_the_next_key(clerk: Caller, world: World, change: str) -> None:
    await world.line(1)
    await at_desk(clerk)
    await world.pool.execute(change)
    await clerk.press("1")
    assert clerk.state in ("home", "staff_lines", "staff_said")
    assert await statuses(world) == ["waiting"]


async def test_a_pin_is_nowhere_to_be_found_afterwards(
    clerk: Caller, world: World, sessions: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await clerk.dial(DESK)
    await clerk.press("917364", PIN, "1", "0")
    await world.line(1)
    await clerk.press("1", "4", "1")
    tables = await world.pool.fetch("select table_name from information_schema.tables where table_schema = 'public'")
    kept = [
        str(await world.pool.fetch(f"select t::text from {row['table_name']} t"))  # noqa: S608
        for row in tables
    ]
    kept += [str(await sessions.get(key)) for key in await sessions.keys("ussd:*")]
    assert len([text for text in kept if "staff_empty" in text]) == 2  # the session, in both stores
    for secret in (PIN, "917364"):
        assert not [text for text in [*kept, caplog.text] if secret in text]


@pytest.mark.parametrize("keys", [("1",), ("1", "1", "1"), ("1", "4", "1")])
async def test_after_everything_was_lost_nothing_is_done_twice_and_no_key_acts_unseen(
    engine: Engine, world: World, sessions: Redis, keys: tuple[str, ...]
) -> None:
    """The transcript holds the PIN, a wrong one before it too, and neither counts again."""
    await enrol(world, "clinic1", CLERK, "Room 1", "A")
    await world.line(1, 2, 3)
    clerk = Caller(engine, phone(CLERK))
    await clerk.dial(DESK)
    await clerk.press("000001", PIN, *keys)
    done, before = clerk.screen, await statuses(world)

    async def lose() -> None:
        await sessions.flushall()
        await world.pool.execute("delete from ussd_sessions")
        engine._recent._sessions.clear()  # noqa: SLF001

    await lose()
    assert await clerk.send() == done
    assert await statuses(world) == before
    await lose()
    await clerk.press("4")
    clerk.is_at("staff_called")
    assert await statuses(world) == before
    await clerk.press("4")
    clerk.sees("is done.")
    await lose()
    await world.pool.execute("update staff_phones set failures = 2")
    await clerk.send()
    assert await world.pool.fetchval("select failures from staff_phones") == 0
    await clerk.dial(DESK)
    await clerk.press("000009")
    await lose()
    for _ in range(5):
        await clerk.send()
        await lose()
    clerk.sees("Tries left: 4")


async def test_without_a_transcript_a_lost_session_asks_for_the_pin_again(
    engine: Engine, world: World, sessions: Redis
) -> None:
    await enrol(world, "clinic1", CLERK, "Room 1", "A")
    clerk = await at_desk(Caller(engine, phone(CLERK), "neutral"))
    await sessions.flushall()
    await world.pool.execute("delete from ussd_sessions")
    await world.line(1)
    await clerk.press("1")
    assert not clerk.state.startswith("staff")
    assert await statuses(world) == ["waiting"]
