"""How long a break may be, as the panel offers it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from queue_core.errors import Refused

# Minutes; 0: nobody knows.
PAUSES: Final = {"10": "10 minutes", "15": "15 minutes", "30": "30 minutes", "60": "1 hour", "0": "Not known"}


def until(minutes: str) -> datetime | None:
    """When the break is over; None when nobody knows. Raises Refused: bad_number."""
    if minutes not in PAUSES:
        raise Refused("bad_number", {"least": 0, "most": 60})
    return datetime.now(UTC) + timedelta(minutes=int(minutes)) if int(minutes) else None
