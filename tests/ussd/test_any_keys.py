"""Whatever is pressed, by whomever, while whatever happens in the line: the answer is one legal screen."""

from __future__ import annotations

import asyncio
import random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from queue_core import calling
from queue_core.core import Act
from queue_core.errors import Refused
from queue_core.tickets import Ticket
from tests.ussd.caller import Caller
from tests.ussd.clerk import CLERK, DESK, PIN, enrol
from tests.world import World, phone
from ussd.catalogue import CHOICE
from ussd.engine import Engine
from ussd.screens import SCREENS

Step = str | int | tuple[str]

CHOICES = st.integers(1, 5)  # that choice of those on the screen, or what is last on it
KEYS = st.sampled_from(["0", "00", "98", "9", "4071", "5084", "9999", "kili", "bank", "JOIN 4071", "LATE 10", "leave"])
WORDS = st.sampled_from(["", " 1 ", "2#", "status", "stop", "lugha", "help", "Skip", "Amina"])
JUNK = st.text(max_size=40).map(lambda text: "".join(char for char in text if char.isprintable()))
PRESSES = st.one_of(CHOICES, CHOICES, CHOICES, CHOICES, CHOICES, KEYS, WORDS, JUNK)
CODES = st.sampled_from(["*384*40#", "*384*40#", "*384*40*4071#", "*384*40*5084*1#", "*384*40*4071*1*1#"])
BEFORE = st.sampled_from(
    [
        *((), (), ("fill",), ("ask_names",), ("crowd", "join_by_text"), ("join_by_text", "call")),
        *(("join_by_text", "skip"), ("join_by_text", "complete"), ("join_by_text", "send_home")),
    ]
)
EVENTS = st.sampled_from(
    [
        *("call", "call", "skip", "start", "complete", "pause", "open", "close", "fill", "shut", "send_home"),
        *("join_by_text", "leave_by_text", "flush", "forget", "ask_names", "redial", "again"),
    ]
).map(lambda name: (name,))
# What a clerk presses: mostly what is on the screen, and the PIN, so that he is at the desk again soon.
WORK: list[Step] = [
    *(1, 1, 2, 2, 3, 4, 4, 5, 5, 5) * 3,
    *("0", "98", PIN, "000001") * 2,
    *("join", "1*1", "x", "", "é"),
]
AROUND_A_DESK: list[Step] = [
    *(("crowd",), ("colleague",), ("serve",), ("pause",), ("open",), ("close",), ("send_home",)),
    *(("flush",), ("forget",), ("redial",), ("again",)),
]
STEPS = st.lists(st.one_of(PRESSES, PRESSES, PRESSES, EVENTS), min_size=5, max_size=25)

NOT_SEEN = {name for name, screen in SCREENS.items() if not screen.texts}


class Life:
    """What goes on around the caller."""

    def __init__(self, world: World, redis: Redis, person: int) -> None:
        self.world, self.redis, self.person = world, redis, person

    async def happens(self, name: str) -> None:
        try:
            await getattr(self, name)()
        except Refused:
            return  # nobody to call, nothing to leave: as well

    async def begin(self) -> None:
        """A day on which everything is open."""
        await self.world.pool.execute("update queues set status = 'open', daily_limit = null")
        await self.world.pool.execute("update branches set is_open = true, asks_name = false")
        await self.world.pool.execute("update staff_phones set failures = 0, locked_until = null")

    async def end(self) -> None:
        if await self.world.ticket(self.person):
            await self.world.leave(self.person)

    async def call(self) -> None:
        """The caller's turn comes."""
        ticket = await self.world.ticket(self.person)
        if ticket and ticket.status == "waiting" and ticket.today:
            room = {"A": "Room 1", "P": "Room 2", "L": "Room 3", "C": "Window 1", "N": "Window 2"}[ticket.queue_code]
            for _ in range(10):
                called = await self.world.call(room, ticket.queue_code, finish="no_show", act=self.clerk(ticket))
                if called.ticket is None or called.ticket.id == ticket.id:
                    return

    def clerk(self, ticket: Ticket) -> Act:
        return self.world.clerk(branch=ticket.branch_code)

    async def do(self, verb: str, status: str) -> None:
        await self.call()
        ticket = await self.world.ticket(self.person)
        if ticket and ticket.status == status:
            await getattr(calling, verb)(self.world.core, self.clerk(ticket), ticket.id)

    async def skip(self) -> None:
        await self.do("skip", "called")

    async def start(self) -> None:
        await self.do("start", "called")

    async def complete(self) -> None:
        await self.start()
        await self.do("complete", "serving")

    async def pause(self) -> None:
        await self.world.pause("P")

    async def open(self) -> None:
        await self.begin()

    async def close(self) -> None:
        await self.world.close("L")

    async def fill(self) -> None:
        await self.world.pool.execute("update queues set daily_limit = 1 where code = 'A'")

    async def shut(self) -> None:
        await self.world.pool.execute("update branches set is_open = false")

    async def send_home(self) -> None:
        for queue in "APL":
            await self.world.close(queue, send_home=True)

    async def join_by_text(self) -> None:
        await self.world.join(self.person, "P")

    async def crowd(self) -> None:
        for stranger in range(5):
            await self.world.join(20_000 + 5 * self.person + stranger, "P")

    async def colleague(self) -> None:
        """Somebody else at the clerk's own counter."""
        await self.world.call("Room 1", "P", finish="complete", act=self.world.clerk())

    async def serve(self) -> None:
        """The person at the clerk's counter is there."""
        row = await self.world.pool.fetchrow("select id::text from tickets where status = 'called' limit 1")
        if row:
            await calling.start(self.world.core, self.world.clerk(), row["id"])

    async def leave_by_text(self) -> None:
        await self.world.leave(self.person)

    async def flush(self) -> None:
        await self.redis.flushall()

    async def forget(self) -> None:
        await self.redis.flushall()
        await self.world.pool.execute("delete from ussd_sessions")

    async def ask_names(self) -> None:
        await self.world.pool.execute("update branches set asks_name = not asks_name")


def legal(caller: Caller) -> None:
    assert caller.state in SCREENS, (caller.state, caller.screen)
    assert caller.state not in NOT_SEEN
    assert caller.over == SCREENS[caller.state].ends


def on_screen(caller: Caller, number: int) -> str:
    keys = [line.split()[0] for line in caller.screen.splitlines() if CHOICE.fullmatch(line)]
    return keys[min(number, len(keys)) - 1] if keys else "1"


async def live(caller: Caller, life: Life, code: str, before: tuple[str, ...], steps: list[Step]) -> None:
    await life.begin()
    for event in before:
        await life.happens(event)
    await caller.dial(code)
    for step in steps:
        key = on_screen(caller, step) if isinstance(step, int) else step
        if caller.over or key == ("redial",):
            await caller.dial()
        elif key == ("again",):
            await repeat(caller)
        elif isinstance(key, tuple):
            await life.happens(key[0])
        elif key or caller.gateway != "neutral":
            await caller.press(key)
        legal(caller)
    await life.end()


async def repeat(caller: Caller) -> None:
    """The last step comes again; unless the session was lost in between, with the same answer."""
    assert caller.last
    page = await caller.engine.answer(caller.last)
    assert page.text
    caller.screen, caller.over, caller.state = page.text, page.ends, page.state


@pytest.mark.parametrize("gateway", ["africastalking", "neutral"])
async def test_no_sequence_of_keys_and_events_breaks_a_conversation(
    engine: Engine, world: World, sessions: Redis, gateway: str
) -> None:
    people = iter(range(1, 100_000))
    loop = asyncio.get_running_loop()

    @settings(
        max_examples=120,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(CODES, BEFORE, STEPS)
    def any_life(code: str, before: tuple[str, ...], steps: list[Step]) -> None:
        person = next(people)
        life = live(Caller(engine, phone(person), gateway), Life(world, sessions, person), code, before, steps)
        asyncio.run_coroutine_threadsafe(life, loop).result(30)

    await asyncio.to_thread(any_life)
    await no_invariant_is_broken(world)


@pytest.mark.parametrize("gateway", ["africastalking", "neutral"])
async def test_no_sequence_of_keys_and_events_breaks_the_work_of_a_clerk(
    engine: Engine, world: World, sessions: Redis, gateway: str
) -> None:
    await enrol(world, "clinic1", CLERK, "Room 1")
    seen: set[str] = set()

    class Clerk(Caller):
        async def dial(self, code: str = DESK) -> str:
            return await super().dial(code)

        async def send(self, times: int = 1) -> str:
            screen = await super().send(times)
            seen.add(self.state)
            return screen

    for day in range(100):
        chance = random.Random(day)
        steps = chance.choices([*WORK, *AROUND_A_DESK], k=20)
        clerk, life = Clerk(engine, phone(CLERK), gateway), Life(world, sessions, day)
        await live(clerk, life, DESK, ("crowd",), [PIN, chance.choice("123"), *steps])
    await no_invariant_is_broken(world)
    assert {name for name in SCREENS if name.startswith("staff_")} <= seen | {"staff_lock"}


async def no_invariant_is_broken(world: World) -> None:
    """I1, I2, I4: one place a phone, numbers without a gap, one audit row a change."""
    two_places = """select phone from tickets where status in ('waiting', 'called', 'serving', 'skipped')
                     and phone is not null group by phone having count(*) > 1"""
    gaps = "select queue_id from tickets group by queue_id, service_date having count(*) <> max(number)"
    audit = """select t.id from tickets t join audit_log a on a.entity_id = t.id
                group by t.id having count(*) <> max(t.version)"""
    for question in (two_places, gaps, audit):
        assert await world.pool.fetch(question) == []
