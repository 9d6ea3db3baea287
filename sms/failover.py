"""Which gateway may send now: one that fails rests and is tried with one text, none sends faster than it may."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

from monitoring.metrics import RESTING
from sms.sending import Gateway, SendFailed, Sent

log = logging.getLogger("zamu.sms")

REST_SECONDS = 30
FAILURES = 5  # in a row
BURST_SECONDS = 0.1  # a text a wake-up would be one every 10 ms where a gateway takes a hundred a second


@dataclass(slots=True)
class Way:
    """One gateway, how it fares, and when it may send again (the generic cell rate algorithm)."""

    gateway: Gateway
    interval: float = 0.0  # seconds from one text to the next; 0: as fast as it takes them
    failures: int = 0
    rests_until: float | None = None  # None: it works
    next_at: float = 0.0

    @property
    def room(self) -> float:
        """How many texts may go now. After a rest only one, and what becomes of it decides."""
        now = monotonic()
        if self.rests_until is not None:
            return 0 if self.rests else 1
        return math.inf if not self.interval else max(0, math.floor((now - self._emptied_at) / self.interval + 1e-6))

    @property
    def rests(self) -> bool:
        return self.rests_until is not None and self.rests_until > monotonic()

    @property
    def pause(self) -> float | None:
        """Seconds until it may send again, where only its pace forbids it."""
        if not self.interval or self.rests_until is not None or self.room:
            return None
        return self._emptied_at + self.interval - monotonic()

    @property
    def _emptied_at(self) -> float:
        """When, at this pace, there was room for none."""
        return max(self.next_at, monotonic()) - max(BURST_SECONDS, self.interval)

    def begin(self) -> None:
        """A text goes. After a rest the next must wait for its result, or as long again where none comes."""
        now = monotonic()
        self.next_at = max(self.next_at, now) + self.interval
        if self.rests_until is not None:
            self.rests_until = now + REST_SECONDS


class Failover:
    """Gateways in the order of preference.

    `routes` name the gateways for phones that begin in some way; the longest beginning wins, and all others go
    by all gateways. `rates` are texts a second; a gateway that is not named has no limit. Raises KeyError for a
    gateway that is none of these.
    """

    def __init__(
        self,
        gateways: Sequence[Gateway],
        routes: Mapping[str, Sequence[str]] | None = None,
        rates: Mapping[str, float] | None = None,
    ) -> None:
        self._ways = {gateway.code: Way(gateway) for gateway in gateways}
        everywhere: dict[str, Sequence[str]] = {"": list(self._ways)}
        self._routes = {
            prefix: [self._ways[code] for code in codes] for prefix, codes in {**everywhere, **(routes or {})}.items()
        }
        for code, rate in (rates or {}).items():
            self._ways[code].interval = 1 / rate

    def __contains__(self, code: str) -> bool:
        return code in self._ways

    def __getitem__(self, code: str) -> Gateway:
        return self._ways[code].gateway

    @property
    def codes(self) -> list[str]:
        """All; those that one text is to try come first, so that the others go elsewhere meanwhile."""
        return sorted(self._ways, key=lambda code: self._ways[code].rests_until is None)

    @property
    def routes(self) -> tuple[list[str], list[str]]:
        """How phones begin, and for each the codes of the gateways that do not rest, in one line."""
        lines = [" ".join(way.gateway.code for way in ways if not way.rests) for ways in self._routes.values()]
        return list(self._routes), lines

    @property
    def pause(self) -> float | None:
        """Seconds until one may send again that was too fast; None where none was."""
        return min((pause for way in self._ways.values() if (pause := way.pause) is not None), default=None)

    def room(self, code: str, at_most: int) -> int:
        """How many texts may go this way now."""
        return int(min(self._ways[code].room, at_most))

    def begin(self, code: str) -> None:
        """A text goes this way."""
        self._ways[code].begin()

    def heard(self, code: str, result: Sent | SendFailed) -> bool:
        """What became of a text. True where the gateway works again, and what waited for it may go."""
        way = self._ways[code]
        match result:
            case SendFailed(outcome="final", stops_gateway=False):
                if result.advice:
                    log.warning("%s refuses a text (%s). %s", code, result.code, result.advice)
            case SendFailed():
                way.failures += 1
                if result.stops_gateway or way.failures >= FAILURES:
                    self._rest(way, result)
                return False
        worked, way.failures, way.rests_until = way.rests_until is None, 0, None
        if not worked:
            RESTING.labels(code).set(0)
            log.warning("%s works again", code)
        return not worked

    def _rest(self, way: Way, failure: SendFailed) -> None:
        """Send nothing this way for a while. What is queued stays queued until it is too late for it."""
        if way.rests_until is None:
            log.error(
                "%s %s (%s); what is queued for it waits, and one text tries it again every %s s. %s",
                way.gateway.code,
                "refuses every text" if failure.stops_gateway else f"failed {way.failures} times in a row",
                failure.code,
                REST_SECONDS,
                failure.advice,
            )
        RESTING.labels(way.gateway.code).set(1)
        way.rests_until = monotonic() + REST_SECONDS
