"""Days of a whole town, one step after the other, each chosen by a seed."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

from redis.asyncio import Redis

from queue_core import calling, queues, sweeper
from queue_core.core import Act
from queue_core.errors import Refused
from sms import delivery
from sms.outbox import Outbox
from tests.simulation.clock import Clock
from tests.simulation.provider import Provider
from tests.ussd.caller import SERVICE_CODE, Caller
from tests.world import World, phone
from ussd.engine import Engine

PEOPLE = 14
STEPS = 120  # of a day, besides those that send texts
PLACES = {"A": "Room 1", "P": "Room 2", "L": "Room 3", "C": "Window 1", "N": "Window 2"}
CODES = (SERVICE_CODE, "*384*40*4071#", "*384*40*4071*1#", "*384*40*5084#", "*384*40*5084*1*1#")
KEYS = ("1", "1", "1", "1", "2", "2", "3", "4", "0", "00", "98", "4071", "kili", "x")
VERBS = ("leave", "defer", "come_back", "coming")
BANK = {"C", "N"}
TERMINATE = """
select pg_terminate_backend(pid) from pg_stat_activity
 where datname = current_database() and pid <> pg_backend_pid() and state = 'idle'
"""
CHOICES = {
    "dials": 12,
    "presses": 34,
    "repeats": 6,
    "acts": 20,
    "calls": 14,
    "serves": 6,
    "manages": 3,
    "sweeps": 6,
    "sends": 12,
    "reports": 10,
    "waits": 12,
    "loses_sessions": 2,
    "gets_old_sessions": 2,
    "loses_connections": 1,
}


@dataclass
class Life:
    """`day` lives one through. `told` is all that happened in it, in words that do not depend on the hour."""

    world: World
    engines: list[Engine]  # of several processes; the next key may reach any
    redis: Redis
    outbox: Outbox
    provider: Provider
    clock: Clock
    chance: random.Random
    told: list[str] = field(default_factory=list)
    callers: dict[int, Caller] = field(default_factory=dict)
    old: dict[bytes, bytes | str] = field(default_factory=dict)

    async def day(self) -> None:
        for queue in PLACES:
            await queues.open_(self.world.core, self._clerk(queue), self.world.queue_ids[queue])
        for _ in range(STEPS):
            (name,) = self.chance.choices(list(CHOICES), list(CHOICES.values()))
            try:
                said = await getattr(self, name)()
            except Refused as refusal:
                said = f"refused: {refusal.code}"
            self.told.append(f"{name} {said or ''}")
        await self.evening()

    async def evening(self) -> None:
        """Whatever is queued is sent or too late, and what was reported is heard."""
        for minutes in (2, 2, 2, 31, 2):
            await self.sends()
            await self.clock.pass_(minutes)
        await self.sends()
        while self.provider.reports:
            await self.reports()
        await self.sends()

    async def next_day(self) -> None:
        await self.clock.pass_(0.1)
        await self.world.next_day()
        await self.sweeps()
        await self.evening()

    def _person(self) -> int:
        return self.chance.randrange(1, PEOPLE + 1)

    def _caller(self, person: int) -> Caller:
        if person not in self.callers:
            gateway = self.chance.choice(("africastalking", "neutral"))
            self.callers[person] = Caller(self.engines[0], phone(person), gateway)
        self.callers[person].engine = self.chance.choice(self.engines)
        return self.callers[person]

    async def dials(self) -> str:
        caller = self._caller(self._person())
        await caller.dial(self.chance.choice(CODES))
        return f"{caller.number} {caller.state}"

    async def presses(self) -> str:
        """Somebody who has a screen before him, if anybody has."""
        open_ = [person for person, caller in sorted(self.callers.items()) if not caller.over]
        if not open_:
            return await self.dials()
        caller = self._caller(self.chance.choice(open_))
        await caller.press(key := self.chance.choice(KEYS))
        return f"{caller.number} {key} {caller.state}"

    async def repeats(self) -> str:
        """A request that was answered comes again, perhaps to another process."""
        if not self.callers:
            return ""
        caller = self._caller(self.chance.choice(sorted(self.callers)))
        state, screen = caller.state, caller.screen
        await caller.send()
        assert (caller.state, caller.screen) == (state, screen) or self._restless
        return caller.state

    @property
    def _restless(self) -> bool:
        """Whether sessions were lost today: then a repeat may be answered with what is true now."""
        return any(line.startswith(("loses_sessions", "gets_old", "waits")) for line in self.told)

    async def acts(self) -> str:
        """Somebody texts."""
        person, verb = self._person(), self.chance.choice((*("join",) * 4, *VERBS))
        if verb == "join":
            queue = self.chance.choice(list(PLACES))
            joined = await self.world.join(person, queue, act=self.world.customer("sms"), replace=self._coin(0.2))
            return f"{person} {joined.ticket.label}"
        return f"{person} {verb} {(await getattr(self.world, verb)(person)).label}"

    async def calls(self) -> str:
        queue, finish = self.chance.choice(list(PLACES)), self.chance.choice(("complete", "skip", "no_show", None))
        called = await self.world.call(PLACES[queue], queue, finish, self._clerk(queue))  # type: ignore[arg-type]
        return called.ticket.label if called.ticket else "nobody"

    async def serves(self) -> str:
        held = await self.world.pool.fetch(
            "select t.id::text, q.code from tickets t join queues q on q.id = t.queue_id"
            " where t.status in ('called', 'serving', 'skipped') order by q.code, t.number"
        )
        if not held:
            return ""
        ticket_id, queue = self.chance.choice(held)
        verb = self.chance.choice(("start", "complete", "skip", "recall", "no_show"))
        await self._staff(verb, ticket_id, queue)
        return verb

    async def _staff(self, verb: str, ticket_id: str, queue: str) -> None:
        await getattr(calling, verb)(self.world.core, self._clerk(queue), ticket_id)

    def _clerk(self, queue: str) -> Act:
        return self.world.clerk(branch="5084" if queue in BANK else "4071")

    async def manages(self) -> str:
        verb = self.chance.choice(("pause", "open", "open", "close"))
        if verb == "close":
            await self.world.close("L", send_home=self._coin(0.5))
        else:
            await getattr(self.world, verb)(self.chance.choice("APL"))
        return verb

    async def sweeps(self) -> str:
        return str(await sweeper.sweep(self.world.core, thorough=self._coin(0.5)))

    async def sends(self) -> str:
        """A worker sends all that is due, unless it dies over it; then another one goes on, once the lease is over."""
        before = len(self.provider.books)
        await self.outbox.drain()
        while looking := list(self.outbox._lookups._tasks):  # noqa: SLF001 - what it left in the background
            await asyncio.wait(looking)
        return str(len(self.provider.books) - before)

    async def reports(self) -> str:
        """One that is on its way arrives: any, and perhaps twice."""
        if not self.provider.reports:
            return ""
        report = self.provider.reports.pop(self.chance.randrange(len(self.provider.reports)))
        for _ in range(self.chance.choice((1, 1, 2))):
            await delivery.record(self.world.pool, self.provider.code, report)
        return report.status

    async def waits(self) -> str:
        minutes = self.chance.choice((0.2, 0.2, 1, 1, 1, 3, 6, 16))
        if minutes > 5:
            await self.redis.flushall()  # so long Redis keeps no session
        await self.clock.pass_(minutes)
        return str(minutes)

    async def loses_sessions(self) -> None:
        await self.redis.flushall()

    async def gets_old_sessions(self) -> None:
        """Redis fails over to what it knew some time ago; what it knows now is for the next time."""
        now = {key: await self.redis.get(key) async for key in self.redis.scan_iter("ussd:*")}
        await self.redis.flushall()
        for key, value in self.old.items():
            await self.redis.set(key, value, ex=300)
        for engine in self.engines:
            engine._store._doubted_until = float("inf")  # noqa: SLF001 - each lost its connection
        self.old = {key: value for key, value in now.items() if value}

    async def loses_connections(self) -> None:
        """Every process finds its idle connections closed; those that are at work are for the tests with processes."""
        await self.world.pool.execute(TERMINATE)
        await self.world.pool.expire_connections()

    def _coin(self, probability: float) -> bool:
        return self.chance.random() < probability
