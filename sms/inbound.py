"""What a text from a person is, whichever provider brought it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta
from typing import Any, Literal

LONGEST_ID = 200
LONGEST_TEXT = 1600
MOST_FIELDS = 100  # of a form; Twilio sends about thirty
TOO_OLD = timedelta(hours=1)  # nobody waits for an answer to it any more
OPT_OUTS = (None, "stop", "start", "help")


@dataclass(frozen=True, slots=True)
class Inbound:
    """`phone` is in E.164, None where the sender is no phone. `sent_at` has a zone; None where nobody says.

    `opt_out` is what the provider did about the text by itself, and told the person. `received_at` is when it came,
    None for one that comes just now.
    """

    gateway: str
    provider_id: str
    phone: str | None
    recipient: str
    text: str
    sent_at: datetime | None
    opt_out: Literal["stop", "start", "help"] | None = None
    received_at: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        times = {"sent_at": self.sent_at, "received_at": self.received_at}
        return asdict(self) | {name: at and at.isoformat() for name, at in times.items()}


def from_json(fields: dict[str, Any]) -> Inbound:
    """Raises TypeError, LookupError or ValueError for what `as_json` never wrote."""
    times = {name: fields[name] and datetime.fromisoformat(fields[name]) for name in ("sent_at", "received_at")}
    message = Inbound(**(fields | times))
    words = (message.gateway, message.provider_id, message.recipient, message.text, message.phone or "")
    zoned = all(at is None or at.tzinfo for at in times.values())
    if not (zoned and message.opt_out in OPT_OUTS and all(isinstance(word, str) for word in words)):
        raise TypeError("this is no text")
    return message


def instant(written: str) -> datetime | None:
    """In UTC, with or without saying so. None for what is no date, or none on every wall clock of the world."""
    try:
        at = datetime.fromisoformat(written)
        at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return at if MINYEAR < at.year < MAXYEAR else None


def storable(text: str, most: int) -> str:
    """Without what the database cannot hold, and not longer than it should be."""
    return text.replace("\0", "").encode(errors="replace").decode()[:most]
