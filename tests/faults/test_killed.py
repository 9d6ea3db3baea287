"""Whatever is killed in the middle of a join, it happens once or not at all, and whoever asks again hears the same."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack
from itertools import count

import asyncpg
import pytest

from db.pool import connect
from tests.disturbing import WAITS_FOR_LOCK, line_held, until
from tests.faults.conftest import Cellar
from tests.faults.phones import DIALECTS, Dialect, Phone
from tests.faults.traces import ALL, NOTHING, all_is_well, answer, told, traces
from tests.invariants import Answer, broken
from tests.terminal import Terminal
from tests.world import World, phone

HAS_TICKET = "select exists (select from tickets where phone = $1)"
OTHERS = "from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
NOTHING_RUNS = f"select not exists (select {OTHERS} and state = 'active')"
TERMINATE_WAITING = f"select pg_terminate_backend(pid) {OTHERS} and wait_event_type = 'Lock'"
CROWD = 24
HEARD = (1, 2, 4, 8, 14, 20)  # of a crowd, when the server is killed


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    found: Dialect = request.param
    return found


async def at_the_question(caller: Phone) -> Phone:
    """One key before his place in the first line."""
    await caller.dial()
    assert "Join now?" in (await caller.press("1")).text
    return caller


async def joined_once(world: World, caller: Phone) -> None:
    """However often he asks now, he hears of the same place."""
    heard = [answer(caller, await told(caller)) for _ in range(2)]
    assert await traces(world.pool, [caller]) == [ALL]
    assert await world.order() == [heard[0].label] == ["A001"]
    assert await broken(world.pool, answers=heard) == []


@pytest.mark.parametrize("gives_up", [True, False])
async def test_a_server_killed_before_the_commit_leaves_no_trace_or_all_of_a_join(
    terminal: Terminal, world: World, database: str, dialect: Dialect, *, gives_up: bool
) -> None:
    """The database may go on alone with what the server asked for, or give up."""
    with terminal.serving() as server:
        caller = await at_the_question(Phone(server.url, phone(1), dialect))
        async with line_held(database, world.queue_ids["A"]):
            joining = asyncio.create_task(caller.press("1"))
            await until(world.pool, WAITS_FOR_LOCK)
            server.kill()
            if gives_up:
                await world.pool.execute(TERMINATE_WAITING)
        with pytest.raises(OSError, match=r".*"):
            await joining
    await until(world.pool, NOTHING_RUNS)
    assert await traces(world.pool, [caller]) in ([[NOTHING]] if gives_up else [[NOTHING], [ALL]])
    with terminal.serving() as server:
        caller.url = server.url
        await joined_once(world, caller)


async def test_a_server_killed_between_commit_and_reply_has_joined_and_says_so_when_asked_again(
    terminal: Terminal, world: World, database: str, dialect: Dialect
) -> None:
    with terminal.serving() as server:
        caller = await at_the_question(Phone(server.url, phone(1), dialect))
        async with line_held(database, world.queue_ids["A"]):
            joining = asyncio.create_task(caller.press("1"))
            await until(world.pool, WAITS_FOR_LOCK)
            server.process.send_signal(signal.SIGSTOP)  # it can hear no answer of the database, and give none
        await until(world.pool, HAS_TICKET, caller.number)
        server.kill()
        with pytest.raises(OSError, match=r".*"):
            await joining
    assert await traces(world.pool, [caller]) == [ALL]
    with terminal.serving() as server:
        caller.url = server.url
        await joined_once(world, caller)


async def test_a_crowd_whose_server_is_killed_again_and_again_gets_one_place_each(
    terminal: Terminal, world: World
) -> None:
    """Each time a few have heard their number, and the others stand at every point on the way to theirs."""
    people = count(1)
    crowd: list[Phone] = []
    answers: list[Answer] = []
    for heard in (*HEARD, 0):
        with terminal.serving() as server:
            for caller in crowd:
                caller.url = server.url
            screens = await asyncio.gather(*map(told, crowd))
            answers += map(answer, crowd, screens)
            assert await traces(world.pool, crowd) == [ALL] * len(crowd)
            if not heard:
                break
            crowd = [Phone(server.url, phone(next(people)), DIALECTS[turn % 2]) for turn in range(CROWD)]
            await asyncio.gather(*map(at_the_question, crowd))
            pressing = [asyncio.create_task(caller.press("1")) for caller in crowd]
            for _, done in zip(range(heard), asyncio.as_completed(pressing), strict=False):
                await done
            server.kill()
            await asyncio.wait(pressing)
            assert all(isinstance(press.exception(), OSError | None) for press in pressing)
            answers += [answer(caller, caller.screen) for caller in crowd if caller.screen.over]
            assert all(trace in (NOTHING, ALL) for trace in await traces(world.pool, crowd))
    assert len(await world.order()) == CROWD * len(HEARD)
    assert await broken(world.pool, answers=answers) == []


async def test_a_join_whose_backend_is_terminated_is_made_on_another_connection(
    terminal: Terminal, world: World, database: str, dialect: Dialect
) -> None:
    with terminal.serving() as server:
        caller = await at_the_question(Phone(server.url, phone(1), dialect))
        async with line_held(database, world.queue_ids["A"]):
            joining = asyncio.create_task(caller.press("1"))
            await until(world.pool, WAITS_FOR_LOCK)
            await world.pool.execute(TERMINATE_WAITING)
        assert (await joining).text.startswith("Your number is A001")
        await joined_once(world, caller)


async def test_a_join_whose_every_backend_is_terminated_is_put_off_in_words(
    terminal: Terminal, world: World, database: str, dialect: Dialect
) -> None:
    with terminal.serving() as server:
        caller = await at_the_question(Phone(server.url, phone(1), dialect))
        async with line_held(database, world.queue_ids["A"]):
            joining = asyncio.create_task(caller.press("1"))
            while not joining.done():
                await world.pool.execute(TERMINATE_WAITING)
                await asyncio.sleep(0.01)
            assert joining.result().not_now
        assert await traces(world.pool, [caller]) == [NOTHING]
        await joined_once(world, caller)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT, signal.SIGKILL])
async def test_callers_get_words_while_the_database_is_away_and_join_when_it_is_back(
    cellar: Cellar, upstairs: Terminal, number: int
) -> None:
    with upstairs.serving() as server:
        asked = [await at_the_question(Phone(server.url, cellar.number(), dialect)) for dialect in DIALECTS]
        strangers = [Phone(server.url, cellar.number(), dialect) for dialect in DIALECTS]
        await cellar.stop_postgres(number)
        assert all([(await caller.press("1")).not_now for caller in asked])
        assert all([(await caller.dial()).not_now for caller in strangers])
        cellar.start(cellar.postgres)
        for caller in strangers:
            await told(caller)
            assert "Join now?" in (await caller.press("1")).text
            await caller.press("1")
        answers = [answer(caller, await told(caller)) for caller in asked + strangers]
    await all_is_well(cellar.urls.database_url, asked + strangers, answers)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT, signal.SIGKILL])
async def test_a_join_under_way_when_the_database_is_stopped_happens_once(
    cellar: Cellar, upstairs: Terminal, dialect: Dialect, number: int
) -> None:
    with upstairs.serving() as server:
        caller = await at_the_question(Phone(server.url, cellar.number(), dialect))
        async with AsyncExitStack() as stack:
            holder = await asyncpg.connect(cellar.urls.database_url)
            stack.callback(holder.terminate)  # it cannot say good-bye any more
            await holder.execute("begin; select from queues for update")
            joining = asyncio.create_task(caller.press("1"))
            async with await connect(cellar.urls.database_url, size=1) as pool:
                await until(pool, WAITS_FOR_LOCK)
            await cellar.stop_postgres(number)
            assert (await joining).not_now
        cellar.start(cellar.postgres)
        heard = [answer(caller, await told(caller)) for _ in range(2)]
    await all_is_well(cellar.urls.database_url, [caller], heard)
