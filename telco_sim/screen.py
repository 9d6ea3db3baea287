"""What the caller sees, and how strictly the gateway reads what the application answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from telco_sim.units import SCREEN_LIMIT, measure

NETWORK_ERROR = "Network error. External application down. Please try again later."
INVALID_CODE = "Connection problem or invalid MMI code."
SESSION_OVER = "The session has ended. Dial again."
PREFIX_LENGTH = len("CON ")
HTTP_OK = range(200, 300)


@dataclass(frozen=True, slots=True)
class Screen:
    """One screen. `error` is for the developer; the caller never sees it.

    `seconds` are left to answer, `total` are left of the whole session.
    """

    text: str
    open: bool
    session: str = ""
    seconds: float = 0.0
    total: float = 0.0
    error: str = ""

    @property
    def units(self) -> int:
        """Return the length in the alphabet that the text needs."""
        return measure(self.text).units

    @property
    def alphabet(self) -> str:
        """Return GSM-7 or UCS-2."""
        return measure(self.text).alphabet

    @property
    def warning(self) -> str:
        """Return a sentence when a real phone may cut the text, else nothing."""
        size = measure(self.text)
        limit = SCREEN_LIMIT[size.alphabet]
        if size.units <= limit:
            return ""
        return f"This screen has {size.units} {size.alphabet} units; a phone may cut it after {limit}."

    def as_json(self) -> dict[str, Any]:
        """Return the screen as it is answered over HTTP."""
        return {
            "session": self.session,
            "text": self.text,
            "open": self.open,
            "units": self.units,
            "alphabet": self.alphabet,
            "warning": self.warning,
            "error": self.error,
            "seconds": round(self.seconds, 1),
            "total": round(self.total, 1),
        }


def refusal(status: int, body: bytes) -> str:
    """Say what is wrong with an answer; empty when the gateway accepts it."""
    if status not in HTTP_OK:
        return f"The application answered HTTP {status}; the gateway takes only 2xx."
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return "The reply is not UTF-8."
    if text.startswith(("CON ", "END ")):
        return ""
    return f"The reply must begin with exactly 'CON ' or 'END ': {_what_came_first(text)}."


def _what_came_first(text: str) -> str:
    if not text:
        return "it is empty"
    if text[0] == "\ufeff":
        return "a byte order mark comes first"
    if text[0].isspace():
        return "white space comes first"
    if text[0] in "\"'{[":
        return f"{text[0]} comes first, as if it were JSON"
    return f"it begins with {text[:PREFIX_LENGTH]!r}"
