"""A crowd of customers who dial, read, think, press, sometimes drop, and text; what came of them, and how fast."""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httptools

from telco_sim import exchange
from telco_sim.audit import Audit, percentiles
from telco_sim.clerk import Clerk, Duty
from telco_sim.control import Control, line_to

READS_PER_SECOND = 25.0  # characters
THINKS_SECONDS = (0.5, 3.0)
LOOK_SECONDS = 1.0
LAST_LOOKS = 15  # how long a text may take after the last call
FIRST_PHONE = 254_720_000_000
RUNS, BLOCK, NEXT_BLOCK = 20, 400_000, 5  # a load has other phones than one that began 5 seconds before it
STRIDE = 7919  # people's numbers do not follow each other; this prime meets all of a block
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A load. `rate` customers begin a second; `pace` 1 reads and thinks as people do, 0 not at all.

    `keys` are pressed one after the other while a screen takes an answer; `drop` and `texts` are shares of customers
    that hang up half-way, and that text `words` to `to` afterwards. `given` finds the number that all of them want;
    who hears none dials again, at most so many times (`redials`). With a `duty` a clerk calls them meanwhile.
    """

    telco: str
    phones: int
    rate: float
    seconds: float
    code: str
    keys: tuple[str, ...]
    given: str
    to: str = ""
    words: str = "STATUS"
    drop: float = 0.05
    texts: float = 0.2
    redials: int = 0
    pace: float = 1.0
    duty: Duty | None = None


class Crowd:
    """One load, from the first call to the last text."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._given = re.compile(plan.given)
        self.outcomes: Counter[str] = Counter()
        self.redialled = 0
        self.audit = Audit(self._given)
        self.elapsed = 0.0
        self._first = FIRST_PHONE + int(time.time()) // NEXT_BLOCK % RUNS * BLOCK
        self._busy: set[str] = set()
        self._served: set[str] = set()
        self._behind = 0

    async def run(self, tell: Callable[[str], None]) -> dict[str, Any]:
        """Play the plan, telling a line about every second; raises TelcoGoneError."""
        async with line_to(self._plan.telco) as control:
            await control.health()
            last = await control.last()
            async with asyncio.TaskGroup() as group:
                playing = group.create_task(self._play(group))
                while not playing.done():
                    await asyncio.wait({playing}, timeout=LOOK_SECONDS)
                    last = await self._look(control, last)
                    tell(self.line())
            for _ in range(LAST_LOOKS):
                if self.audit.untold:
                    await asyncio.sleep(LOOK_SECONDS)
                    last = await self._look(control, last)
        self.audit.close()
        return self.report()

    async def _look(self, control: Control, last: int) -> int:
        rows = await control.rows(last)
        self.audit.take(rows)
        return rows[-1]["number"] if rows else last

    def line(self) -> str:
        """Say how it goes, in one line."""
        hops = percentiles(self.audit.hops)
        tail = f", hop p50 {hops['p50']:.0f} ms, p99 {hops['p99']:.0f} ms" if "p50" in hops else ""
        broken = sum(self.audit.promises().values())
        return (
            f"{self.elapsed:4.0f} s  {sum(self.outcomes.values())} calls, {self._well:.1%} well{tail}, {broken} broken"
        )

    def report(self) -> dict[str, Any]:
        """Return all that was counted; times in milliseconds."""
        calls = sum(self.outcomes.values())
        return {
            "calls": calls,
            "calls_per_second": round(calls / self._plan.seconds, 1),
            "not_begun": self._behind,
            "redialled": self.redialled,
            "outcomes": dict(self.outcomes),
            "success": round(self._well, 4),
            "hop_ms": percentiles(self.audit.hops),
            "number_to_text_ms": percentiles(self.audit.to_text),
            "call_to_text_ms": percentiles(self.audit.call_to_text),
            "broken": self.audit.promises(),
        }

    @property
    def _well(self) -> float:
        """The share that got what they wanted, of those who did not hang up themselves."""
        wanted = sum(number for name, number in self.outcomes.items() if name != "dropped")
        return (self.outcomes["number"] + self.outcomes["known"]) / wanted if wanted else 1.0

    async def _play(self, group: asyncio.TaskGroup) -> None:
        loop = asyncio.get_running_loop()
        enough = asyncio.Event()
        if self._plan.duty:
            group.create_task(Clerk(self._plan.duty, self.audit.called, self.audit.heard).work(enough))
        begin, number = loop.time(), 0
        async with asyncio.TaskGroup() as customers:
            while (at := number / self._plan.rate) < self._plan.seconds:
                await asyncio.sleep(max(0.0, begin + at - loop.time()))
                phone = f"+{self._first + number % self._plan.phones * STRIDE % BLOCK}"
                number += 1
                self.elapsed = loop.time() - begin
                if phone in self._busy:
                    self._behind += 1
                    continue
                self._busy.add(phone)
                customers.create_task(self._customer(phone))
        enough.set()
        self.elapsed = loop.time() - begin

    async def _customer(self, phone: str) -> None:
        try:
            self.outcomes[await self._calls(phone)] += 1
            if self._plan.to and random.random() < self._plan.texts:
                await self._ask("text", phone=phone, to=self._plan.to, text=self._plan.words)
        except (OSError, ValueError, KeyError, httptools.HttpParserError):
            self.outcomes["telco failed"] += 1
        finally:
            self._busy.discard(phone)

    async def _calls(self, phone: str) -> str:
        """As `_call`, and again while there is no number."""
        outcome = await self._call(phone)
        for _ in range(self._plan.redials):
            if outcome not in ("failed", "answered"):
                break
            self.redialled += 1
            await self._read("")
            outcome = await self._call(phone)
        return outcome

    async def _call(self, phone: str) -> str:
        """Return `number`, `known` (it has one from before), `answered` (without one), `dropped` or `failed`."""
        drops = random.random() < self._plan.drop
        screen = await self._ask("dial", phone=phone, code=self._plan.code)
        for turn, keys in enumerate(self._plan.keys):
            if not screen["open"]:
                break
            await self._read(screen["text"])
            if drops and turn:
                await self._ask("hangup", session=screen["session"])
                return "dropped"
            screen = await self._ask("press", session=screen["session"], input=keys)
        if screen["open"]:
            await self._ask("hangup", session=screen["session"])
        if screen["error"]:
            return "failed"
        if self._given.search(screen["text"]):
            self._served.add(phone)
            return "number"
        return "known" if phone in self._served else "answered"

    async def _read(self, text: str) -> None:
        seconds = len(text) / READS_PER_SECOND + random.uniform(*THINKS_SECONDS)
        await asyncio.sleep(seconds * self._plan.pace)

    async def _ask(self, act: str, **what: str) -> dict[str, Any]:
        url = f"{self._plan.telco.rstrip('/')}/telco/{act}"
        answer = await exchange.post(url, json.dumps(what).encode(), JSON)
        reply: dict[str, Any] = json.loads(answer.body)
        return reply
