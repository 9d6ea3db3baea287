"""What can be seen of an application from outside: the ledger, turned into times and broken promises."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from statistics import quantiles
from typing import Any

from telco_sim.units import SCREEN_LIMIT, measure

DEADLINE_SECONDS = 10.0
TURN = r"\b([A-Z]{1,3}\d{2,4}) IT IS YOUR TURN"
GIVEN = r"Your number is ([A-Z]{1,3}\d{2,4})"
BROKEN = {
    "two_numbers": "A phone was given a second number.",
    "shared_number": "A number was given to two phones.",
    "late": "An answer took longer than 10 s, or never came.",
    "mistake": "An answer was not what the gateway takes.",
    "long": "A screen had more than a phone shows.",
    "text_twice": "A phone that asked nothing in between got the same text twice.",
    "called_twice": "A number was called twice, although it came.",
    "overtaken": "A number was called before a smaller one of its line.",
    "silent_call": "Somebody was called, and no text said so.",
}


@dataclass(slots=True)
class Audit:
    """Takes rows in order. `given` finds the number in what a phone is told, `turn` that of whom a text calls."""

    given: re.Pattern[str] = field(default_factory=lambda: re.compile(GIVEN))
    turn: re.Pattern[str] = field(default_factory=lambda: re.compile(TURN))
    broken: Counter[str] = field(default_factory=Counter)
    hops: list[float] = field(default_factory=list)
    to_text: list[float] = field(default_factory=list)
    call_to_text: list[float] = field(default_factory=list)
    _called: dict[str, datetime] = field(default_factory=dict)
    _turns: dict[str, datetime] = field(default_factory=dict)
    _last: dict[str, int] = field(default_factory=dict)
    _wrapped: set[str] = field(default_factory=set)  # sessions whose screens come in JSON, judged by their gateway
    _asked: dict[tuple[str, int], datetime] = field(default_factory=dict)
    _numbers: dict[str, str] = field(default_factory=dict)
    _owners: dict[str, str] = field(default_factory=dict)
    _joined: dict[str, datetime] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)  # phones that a text has reached
    _texts: dict[str, set[str]] = field(default_factory=dict)

    def take(self, rows: Iterable[dict[str, Any]]) -> None:
        for row in rows:
            if act := _TAKES.get(row["kind"]):
                act(self, row["phone"], row["data"], datetime.fromisoformat(row["time"]))

    def _request(self, phone: str, data: dict[str, Any], time: datetime) -> None:
        if "dialect" in data:
            self._wrapped.add(data["sessionId"])
        known = self._asked.setdefault((data["sessionId"], data["hop"]), time)
        if data["hop"] == 1 and known is time:
            self._texts.pop(phone, None)

    def _reply(self, phone: str, data: dict[str, Any], time: datetime) -> None:
        asked = self._asked.pop((data["sessionId"], data["hop"]), None)
        if asked is None:  # the answer to a copy
            return
        seconds = (time - asked).total_seconds()
        self.hops.append(seconds)
        if data["error"] or seconds > DEADLINE_SECONDS:
            self.broken["late"] += 1
            return
        said = data["body"]
        size = measure(said)
        fits = size.units <= SCREEN_LIMIT[size.alphabet] or data["sessionId"] in self._wrapped
        self.broken["long"] += not fits
        if found := self.given.search(said):
            self._give(phone, found[1])
            if phone not in self._told:
                self._joined.setdefault(phone, time)

    def _give(self, phone: str, number: str) -> None:
        self.broken["two_numbers"] += self._numbers.setdefault(phone, number) != number
        self.broken["shared_number"] += self._owners.setdefault(number, phone) != phone

    def _end(self, _phone: str, data: dict[str, Any], _time: datetime) -> None:
        self.broken["mistake"] += data["errorMessage"].startswith("The reply") and "lost" not in data["errorMessage"]

    def _text(self, phone: str, data: dict[str, Any], time: datetime) -> None:
        if not data["delivered"]:
            return
        seen = self._texts.setdefault(phone, set())
        self.broken["text_twice"] += data["text"] in seen
        seen.add(data["text"])
        self._told.add(phone)
        if joined := self._joined.pop(phone, None):
            self.to_text.append((time - joined).total_seconds())
        if found := self.turn.search(data["text"]):
            self._turns.setdefault(found[1], time)

    def _inbound(self, phone: str, _data: dict[str, Any], _time: datetime) -> None:
        self._texts.pop(phone, None)

    def called(self, number: str, pressed: datetime) -> None:
        """A clerk pressed, and this number was called by it: one that comes, and whom nobody moved in line."""
        line, place = number.rstrip("0123456789"), int(number.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
        self.broken["called_twice"] += number in self._called
        self.broken["overtaken"] += place < self._last.get(line, 0)
        self._last[line] = max(place, self._last.get(line, 0))
        self._called.setdefault(number, pressed)

    def heard(self, number: str) -> bool:
        """Whether a text has said that it is the turn of this number."""
        return number in self._turns

    def close(self) -> None:
        """Compare calls and texts, once every text had its time."""
        for number, pressed in self._called.items():
            if number in self._turns:
                self.call_to_text.append((self._turns[number] - pressed).total_seconds())
            else:
                self.broken["silent_call"] += 1

    @property
    def untold(self) -> bool:
        """Whether somebody was called whom no text has told yet."""
        return not self._called.keys() <= self._turns.keys()

    def promises(self) -> dict[str, int]:
        """How often each promise was broken."""
        return {name: self.broken[name] for name in BROKEN}


_TAKES = {
    "ussd.request": Audit._request,  # noqa: SLF001 - its own methods, by the row that they take
    "ussd.reply": Audit._reply,  # noqa: SLF001
    "ussd.end": Audit._end,  # noqa: SLF001
    "sms.message": Audit._text,  # noqa: SLF001
    "twilio.message": Audit._text,  # noqa: SLF001
    "arrival": Audit._text,  # noqa: SLF001
    "inbound": Audit._inbound,  # noqa: SLF001
}


def percentiles(seconds: list[float]) -> dict[str, float]:
    """Return p50, p95, p99 and the longest in milliseconds, and how many there were; of none nothing but that."""
    if not seconds:
        return {"count": 0}
    cuts = quantiles(seconds, n=100, method="inclusive") if len(seconds) > 1 else seconds * 99
    shares = {f"p{at}": cuts[at - 1] for at in (50, 95, 99)} | {"max": max(seconds)}
    return {"count": len(seconds), **{name: round(value * 1000, 1) for name, value in shares.items()}}
