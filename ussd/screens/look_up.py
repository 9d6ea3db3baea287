"""Finding a place: by the four digits on its poster, or by the beginning of its name."""

from __future__ import annotations

from queue_core import queues
from ussd.visit import Visit

CODE_LENGTH = 4
LONGEST_KEY = 2
LONGEST_SEARCH = 23  # as long as any name


def looks_like_code(text: str) -> bool:
    """More digits than any key has."""
    digits = text.replace(" ", "")
    return digits.isdecimal() and len(digits) > LONGEST_KEY


async def place_of(visit: Visit, text: str) -> str:
    """The outcome of a code: "place", which is now where the caller joins, or "unknown"."""
    digits = text.replace(" ", "")
    place = await queues.place(visit.core, digits) if len(digits) == CODE_LENGTH else None
    if place is None:
        visit.wrong(said=True)
        return "unknown"
    visit.at(place)
    return "place"


async def found(visit: Visit, text: str) -> str:
    """The outcome of what was typed where a place is wanted: "place", "found", "unknown" or "no_name"."""
    if not any(char.isalpha() for char in text):
        return await place_of(visit, text)
    name = "".join(char for char in text if char.isalnum() or char in " -'")[:LONGEST_SEARCH].strip()
    visit.session.data["search"] = name
    if await queues.open_places(visit.core, name, 1):
        return "found"
    visit.wrong(said=True)
    return "no_name"
