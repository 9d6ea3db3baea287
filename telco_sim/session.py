"""One USSD session as the gateway keeps it, and the two forms that are posted about it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum

from telco_sim.config import Network

LONGEST_LABEL = 99


class Ending(Enum):
    """How a session came to its end, in the words of Infobip's reasons."""

    DONE = "finished"
    HUNG_UP = "user hung up"
    TIMED_OUT = "timeout"
    FAILED = "application error"


STATUSES = {Ending.DONE: "Success", Ending.FAILED: "Failed"}


@dataclass(slots=True, eq=False)
class Session:
    """`inputs` holds every answer exactly as it was typed; `last_reply` is the application's, unread.

    `echo` is what a dialect must return with the next request; `error` is why the session failed. `late` are copies of
    earlier requests that are still under way; `twin` is another session of the same phone, with the same keys.
    """

    phone: str
    network: Network
    service_code: str
    dialect: str
    id: str
    bare_star: bool = False
    inputs: list[str] = field(default_factory=list)
    hops: int = 0
    labels: list[str] = field(default_factory=list)
    last_label: str = ""
    last_reply: str = ""
    echo: dict[str, str] = field(default_factory=dict)
    error: str = ""
    late: list[Callable[[], Awaitable[object]]] = field(default_factory=list)
    twin: Session | None = None
    closed: bool = False
    started: float = field(default_factory=time.monotonic)
    clock: asyncio.TimerHandle | None = None

    @property
    def text(self) -> str:
        """Return all inputs joined by `*`, never trimmed and never collapsed."""
        return "*".join(self.inputs)

    @property
    def dialled(self) -> str:
        """Return what was dialled, while nothing else was typed: the code and what followed it."""
        return "*".join([self.service_code.removesuffix("#"), *self.inputs]) + "#"

    @property
    def latest(self) -> str:
        """Return the last input, which at first is what was dialled."""
        return self.dialled if self.hops == 1 else self.inputs[-1]

    @property
    def total_left(self) -> float:
        """Return how long the network lets the whole session go on."""
        return max(0.0, self.started + self.network.session_seconds - time.monotonic())

    @property
    def seconds_left(self) -> float:
        """Return how long the caller may wait with the next answer."""
        return min(self.network.idle_seconds, self.total_left)

    def label(self, value: str) -> None:
        """Keep the label that the application gave this hop; the gateway ignores a malformed one."""
        self.last_label = value if len(value) <= LONGEST_LABEL and "|" not in value else ""
        if self.last_label:
            self.labels.append(self.last_label)

    def stop_clock(self) -> None:
        """Forget the moment at which the network would have ended the session."""
        if self.clock:
            self.clock.cancel()

    def request_fields(self, phone: str) -> dict[str, str]:
        """Return the five fields of an interactive callback."""
        return {
            "sessionId": self.id,
            "phoneNumber": phone,
            "networkCode": self.network.code,
            "serviceCode": self.service_code,
            "text": self.text,
        }

    def end_fields(self, ending: Ending) -> dict[str, str]:
        """Return the thirteen fields of the end event."""
        return {
            "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),
            "sessionId": self.id,
            "serviceCode": self.service_code,
            "networkCode": self.network.code,
            "phoneNumber": self.phone,
            "status": STATUSES.get(ending, "Incomplete"),
            "cost": "KES 0.10" if self.hops else "0.00",
            "durationInMillis": str(int((time.monotonic() - self.started) * 1000)),
            "hopsCount": str(self.hops),
            "hopsMetadata": "|".join(self.labels),
            "input": self.text,
            "lastAppResponse": self.last_reply,
            "errorMessage": self.error,
        }
