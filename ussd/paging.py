"""What fits one screen, and a screen in parts where a network shows less."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from functools import lru_cache

from queue_core.text import is_gsm, units

SCREEN = 160  # GSM-7 units: what most networks show
MOST_CHOICES = 5
SENTENCES = re.compile(r".*\.(?=\s)", re.DOTALL)


@lru_cache(maxsize=4096)  # menus are the same for everybody
def parts(body: str, moves: tuple[str, ...], above: str, more: str, size: int = SCREEN) -> tuple[str, ...]:
    """The screen as `fit` makes it, or in parts cut between lines where even the body is too long for that.

    Each but the last ends with `more`, the choice that shows the next one.
    """
    shortest = "\n".join(filter(None, (_first_sentence(above), body)))
    if _fits(shortest, size):
        return (fit(body, moves, above, size),)
    lines = [piece for line in shortest.split("\n") for piece in _wrapped(line, more, size)]
    shown = []
    while not _fits("\n".join(lines), size):
        count = next(count for count in range(len(lines), 0, -1) if _fits("\n".join((*lines[:count], more)), size))
        shown.append("\n".join((*lines[:count], more)))
        lines = lines[count:]
    return (*shown, fit("\n".join(lines), moves, size=size))


def fit(body: str, moves: tuple[str, ...] = (), above: str = "", size: int = SCREEN) -> str:
    """The screen: perhaps a line above it, the body, and as many of the moves as there is room for.

    Where even the body has no room below that line, only the first sentence of the line stays.
    """
    head = [above] if above else []
    for shown in range(len(moves), -1, -1):
        text = "\n".join((*head, body, *moves[:shown]))
        if _fits(text, size):
            return text
    first = _first_sentence(above)
    return fit(body, (), first, size) if first != above else _cut("\n".join((*head, body)), size)


def _fits(text: str, size: int) -> bool:
    """Whether it is at most `size` septets, or as many octets in the alphabet that takes two for each character."""
    if 2 * len(text) <= size and text.isascii():
        return True
    return units(text) <= (size if is_gsm(text) else size * 7 // 16)


def _first_sentence(line: str) -> str:
    first, dot, _ = line.partition(". ")
    return f"{first}." if dot else line


def _wrapped(line: str, more: str, size: int) -> list[str]:
    """The line in pieces that have room above `more`, whatever alphabet they are written in."""
    if _fits(f"{line}\n{more}", size):
        return [line]
    room = size if is_gsm(line + more) else size * 7 // 16
    wide = 1 if units(line) == len(line) else 2
    return textwrap.wrap(line, (room - units(f"\n{more}")) // wide, break_on_hyphens=False)


def _cut(text: str, size: int) -> str:
    """A last resort: as many whole sentences as there is room for, or as much of the only one."""
    while not _fits(text, size):
        text = text[:-1]
    whole = SENTENCES.match(text)
    return whole[0] if whole else text.rstrip()


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


def room_for_choices(body: str, moves: Sequence[str], above: str, size: int = SCREEN) -> int:
    """What the rest of a screen leaves for a list, also when a line is added above it."""
    around = "\n".join((above, body.replace("\n{choices}", ""), *moves))
    return size - units(around)
