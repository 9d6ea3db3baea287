"""A provider whose every answer, delay and death is chosen by a seed, and which keeps its own books."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sms.sending import Report, SendFailed, Sent

# What becomes of a text that is handed over, and how often. `dies` means the worker, before or after it was taken.
FATES = {
    "answered": 60,
    "retry": 10,
    "lost": 8,
    "dies before": 4,
    "dies after": 4,
    "final": 3,
    "opted out": 1,
    "account": 1,
}
TAKEN = {"answered", "lost", "dies after"}
# The reports that follow, in the order in which they arrive.
REPORTS: Sequence[Sequence[str]] = (
    (),
    ("sent", "delivered"),
    ("sent", "delivered"),
    ("delivered", "sent"),
    ("delivered", "delivered"),
    ("failed",),
    ("failed", "delivered"),
    ("sent", "expired"),
)


@dataclass(frozen=True, slots=True)
class Taken:
    """A text that the provider has, and what it was told of it."""

    provider_id: str
    phone: str
    body: str
    reference: UUID


class Provider:
    """A gateway for the outbox. `reports` are those that are on their way; `named`: they name our text."""

    code = "simulated"

    def __init__(self, chance: random.Random) -> None:
        self.books: list[Taken] = []
        self.reports: list[Report] = []
        self.deaths = 0
        self._chance = chance
        self._named = chance.random() < 0.5
        self._lists = chance.random() < 0.5

    async def send(self, phone: str, body: str, *, reference: str, expires_in: timedelta) -> Sent | SendFailed:
        assert expires_in > timedelta(), f"{body!r} was handed over past its deadline"
        (fate,) = self._chance.choices(list(FATES), list(FATES.values()))
        if fate in TAKEN:
            self._take(phone, body, UUID(reference))
        match fate:
            case "answered":
                return Sent(self.books[-1].provider_id)
            case "dies before" | "dies after":
                self.deaths += 1
                raise asyncio.CancelledError
            case "lost":
                return SendFailed("answer_lost", "unknown")
            case "retry":
                return SendFailed("provider_error", "retry")
            case "opted out":
                return SendFailed("blacklisted", "final", opted_out=True)
            case "account":
                return SendFailed("authentication", "retry", stops_gateway=True)
        return SendFailed("invalid_phone", "final")

    def _take(self, phone: str, body: str, reference: UUID) -> None:
        self.books.append(Taken(f"sim-{len(self.books)}", phone, body, reference))
        self.reports += [
            self._report(self.books[-1], status) for status in REPORTS[self._chance.randrange(len(REPORTS))]
        ]

    def _report(self, taken: Taken, status: str) -> Report:
        reference = taken.reference if self._named else None
        return Report(taken.provider_id, status, phone=taken.phone, reference=reference)

    async def look_up(self, phone: str, body: str, since: datetime) -> Sequence[Report] | None:
        if not self._lists:
            return None
        return [self._report(taken, "sent") for taken in self.books if (taken.phone, taken.body) == (phone, body)]

    async def close(self) -> None:
        return
