"""What fits one screen."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from queue_core.text import units

SCREEN = 160  # GSM-7 units: what the narrowest network shows
MOST_CHOICES = 5


@lru_cache(maxsize=4096)  # menus are the same for everybody
def fit(body: str, moves: tuple[str, ...] = (), above: str = "") -> str:
    """The screen: perhaps a line above it, the body, and as many of the moves as there is room for.

    Where even the body has no room below that line, only the first sentence of the line stays.
    """
    head = [above] if above else []
    for shown in range(len(moves), -1, -1):
        text = "\n".join((*head, body, *moves[:shown]))
        if 2 * len(text) <= SCREEN or units(text) <= SCREEN:
            return text
    first, _, rest = above.partition(". ")
    return fit(body, (), f"{first}.") if rest else _cut("\n".join((*head, body)))


def _cut(text: str) -> str:
    """A last resort: names that are longer than any name may be."""
    while units(text) > SCREEN:
        text = text[:-1]
    return text.rstrip()


def pack(labels: Sequence[str], room: int) -> list[slice]:
    """Pages of a list: as many lines as fit into `room` units, never more than five, at least one."""
    pages, start, used = [], 0, 0
    for index, label in enumerate(labels):
        line = len("1 \n") + units(label)
        if index > start and (used + line > room or index - start == MOST_CHOICES):
            pages.append(slice(start, index))
            start, used = index, 0
        used += line
    return [*pages, slice(start, len(labels))]


def room_for_choices(body: str, moves: Sequence[str], above: str) -> int:
    """What the rest of a screen leaves for a list, also when a line is added above it."""
    around = "\n".join((above, body.replace("\n{choices}", ""), *moves))
    return SCREEN - units(around)
