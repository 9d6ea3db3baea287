"""What a text from a person is, whichever provider brought it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

LONGEST_ID = 200
LONGEST_TEXT = 1600


@dataclass(frozen=True, slots=True)
class Inbound:
    """`phone` is in E.164, None where the sender is no phone. `sent_at` has a zone; None where nobody says.

    `opt_out` is what the provider did about the text by itself, and told the person.
    """

    gateway: str
    provider_id: str
    phone: str | None
    recipient: str
    text: str
    sent_at: datetime | None
    opt_out: Literal["stop", "start", "help"] | None = None

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "sent_at": self.sent_at.isoformat() if self.sent_at else None}


def from_json(fields: dict[str, Any]) -> Inbound:
    """Raises TypeError or ValueError for what `as_json` never wrote."""
    return Inbound(**{**fields, "sent_at": fields["sent_at"] and datetime.fromisoformat(fields["sent_at"])})


def storable(text: str, most: int) -> str:
    """Without what the database cannot hold, and not longer than it should be."""
    return text.replace("\0", "").encode(errors="replace").decode()[:most]
