"""A wild day: hundreds of phones join at once and change their minds, each request is delivered one to three times."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field, replace
from itertools import count

from queue_core.calling import Finish
from queue_core.core import Channel
from tests.chaos.driver import Driver, Request
from tests.invariants import Answer
from tests.world import phone

CHANNELS: tuple[Channel, ...] = ("ussd", "sms", "web")
FINISHES: tuple[Finish | None, ...] = ("complete", "complete", "skip", "no_show", None)
ROOMS = ("Room 1", "Room 2", "Room 3")


@dataclass
class Day:
    """`run` lives it through. The same seed makes the same choices, though not the same order of events."""

    driver: Driver
    seed: int
    people: int = 300
    queues: tuple[str, ...] = ("4071/A", "4071/P")
    answers: list[Answer] = field(default_factory=list)
    _keys: count[int] = field(default_factory=lambda: count(1))

    async def run(self) -> list[Answer]:
        chance = random.Random(self.seed)
        people = [
            asyncio.create_task(self._person(phone(number), random.Random(chance.random())))
            for number in range(1, self.people + 1)
        ]
        over = asyncio.Event()
        staff = [asyncio.create_task(self._room(room, random.Random(chance.random()), over)) for room in ROOMS]
        staff.append(asyncio.create_task(self._manager(random.Random(chance.random()), over)))
        await asyncio.gather(*people)
        over.set()
        await asyncio.gather(*staff)
        return self.answers

    async def _person(self, number: str, chance: random.Random) -> None:
        """Joins on one channel or on several at once, then changes his mind a few times."""
        await asyncio.sleep(chance.random() / 2)
        channels = chance.sample(CHANNELS, chance.choice([1, 1, 2, 3]))
        wanted = Request("", "join", chance.choice(self.queues), number)
        await asyncio.gather(*(self._ask(replace(wanted, channel=channel), chance) for channel in channels))
        for _ in range(chance.choice([0, 1, 2, 3])):
            await asyncio.sleep(chance.random() / 2)
            await self._ask(self._whim(number, chance), chance)

    def _whim(self, number: str, chance: random.Random) -> Request:
        verb = chance.choice(["leave", "defer", "defer", "come_back", "come_back", "coming", "join", "replace"])
        queue = chance.choice(self.queues)
        if verb in ("join", "replace"):
            return Request("", "join", queue, number, chance.choice(CHANNELS), replace=verb == "replace")
        return Request("", verb, phone=number, channel=chance.choice(CHANNELS), minutes=chance.choice([5, 10, 30]))

    async def _room(self, room: str, chance: random.Random, over: asyncio.Event) -> None:
        """Calls until everybody has come and the lines are empty."""
        while True:
            last_round = over.is_set()
            found = False
            for queue in chance.sample(self.queues, len(self.queues)):
                finish = chance.choice(FINISHES)
                heard = await self._ask(Request("", "call_next", queue, counter=room, finish=finish), chance)
                found = found or all(answer.outcome != "empty" for answer in heard)
            if last_round and not found:
                return
            if not last_round:
                await asyncio.sleep(chance.random() / 20)

    async def _manager(self, chance: random.Random, over: asyncio.Event) -> None:
        while not over.is_set():
            await asyncio.sleep(chance.random() / 5)
            queue = chance.choice(self.queues)
            await self._ask(Request("", "pause", queue), chance)
            await self._ask(Request("", "open", queue), chance)

    async def _ask(self, request: Request, chance: random.Random) -> list[Answer]:
        """One request, delivered one to three times, one after the other or all at once."""
        request = replace(request, key=f"{self.seed}-{next(self._keys)}")
        times = chance.choice([1, 1, 2, 3])
        if chance.random() < 0.5:
            heard = list(await asyncio.gather(*(self.driver.deliver(request) for _ in range(times))))
        else:
            heard = [await self.driver.deliver(request) for _ in range(times)]
        self.answers += heard
        return heard
