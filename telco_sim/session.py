"""One USSD session as the gateway keeps it, and the two forms that are posted about it."""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime

from telco_sim.config import Network

LONGEST_LABEL = 99


def new_session_id() -> str:
    """Return an id of the gateway's shape: ATUid_ and 32 hexadecimal digits."""
    return f"ATUid_{uuid.uuid4().hex}"


@dataclass(slots=True, eq=False)
class Session:
    """`inputs` holds every answer exactly as it was typed; `last_reply` keeps its CON or END."""

    phone: str
    network: Network
    service_code: str
    id: str = field(default_factory=new_session_id)
    inputs: list[str] = field(default_factory=list)
    hops: int = 0
    labels: list[str] = field(default_factory=list)
    last_label: str = ""
    last_reply: str = ""
    closed: bool = False
    started: float = field(default_factory=time.monotonic)
    clock: asyncio.TimerHandle | None = None

    @property
    def text(self) -> str:
        """Return all inputs joined by `*`, never trimmed and never collapsed."""
        return "*".join(self.inputs)

    @property
    def seconds_left(self) -> float:
        """Return how long the caller may wait with the next answer."""
        left = self.started + self.network.session_seconds - time.monotonic()
        return max(0.0, min(self.network.idle_seconds, left))

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

    def end_fields(self, status: str, error: str) -> dict[str, str]:
        """Return the thirteen fields of the end event."""
        return {
            "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),
            "sessionId": self.id,
            "serviceCode": self.service_code,
            "networkCode": self.network.code,
            "phoneNumber": self.phone,
            "status": status,
            "cost": "KES 0.10" if self.hops else "0.00",
            "durationInMillis": str(int((time.monotonic() - self.started) * 1000)),
            "hopsCount": str(self.hops),
            "hopsMetadata": "|".join(self.labels),
            "input": self.text,
            "lastAppResponse": self.last_reply,
            "errorMessage": error,
        }
