"""How many sessions one phone may start: counted where the sessions are, or here while that is away."""

from __future__ import annotations

import time
from dataclasses import dataclass

# GCRA: one instant per phone, at which it will have used up nothing. Only a new session is counted.
LOAD_OR_START = """
local session = redis.call('GET', KEYS[1])
if session then return {session, 0} end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local due = math.max(tonumber(redis.call('GET', KEYS[2]) or 0), now)
if due - now > tonumber(ARGV[2]) then return {false, 1} end
local interval = tonumber(ARGV[1])
redis.call('SET', KEYS[2], string.format('%d', due + interval), 'PX', due - now + interval)
return {false, 0}
"""
MOST_PHONES = 50_000  # remembered here; a process must not grow without end while Redis is away


@dataclass(frozen=True, slots=True)
class Limit:
    """Sessions a minute, and how many may come at once."""

    a_minute: int = 30
    burst: int = 10

    @property
    def interval(self) -> int:
        """Milliseconds."""
        return 60_000 // self.a_minute

    @property
    def tolerance(self) -> int:
        """Milliseconds."""
        return (self.burst - 1) * self.interval

    def halved(self) -> Limit:
        return Limit(max(1, self.a_minute // 2), max(1, self.burst // 2))


class OwnLimiter:
    """The same count in this process, at half the numbers: there may be other processes."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit.halved()
        self._due: dict[str, float] = {}

    def over(self, phone: str) -> bool:
        now = time.monotonic() * 1000
        if len(self._due) >= MOST_PHONES:
            self._due = {other: due for other, due in self._due.items() if due > now}
        due = max(self._due.get(phone, 0.0), now)
        if due - now > self._limit.tolerance or len(self._due) >= MOST_PHONES:
            return True
        self._due[phone] = due + self._limit.interval
        return False
