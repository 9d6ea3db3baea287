"""Six digits in a text may be a PIN: they are found however they are typed, and never written anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sms.typed import characters, number

HIDDEN = "******"
DIGITS = 6
LONGEST_RUN = 9  # a PIN in parts, and a ticket or the minutes before it: more digits are a phone number
PIECE = re.compile(r"\d+")
BETWEEN = re.compile(r"[\W_]*")
# With letters that look like digits, as a word of its own: 48292O, O82913; but BL1234 is a ticket.
LOOKS_LIKE = re.compile(r"(?<![^\W_])(?:\d[\dOILSB]{5}|[OILSB]\d{5})(?![^\W_])", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Found:
    """Six digits, and from where to where they stand in the text."""

    digits: str
    start: int
    end: int


def find(text: str, *, parted: bool = True) -> list[Found]:
    """Every six digits that are no part of more, from first to last.

    `parted`: also with anything but letters between them: 48 29 13, 482.913.
    """
    seen = list(characters(text))
    line = LOOKS_LIKE.sub(lambda word: number(word[0].upper()) or word[0], "".join(char for char, _ in seen))
    found = [
        Found("".join(PIECE.findall(line, start, end)), seen[start][1], seen[end - 1][1] + 1)
        for run in _runs(line)
        for start, end in _sixes(run)
        if parted or end - start == DIGITS
    ]
    return sorted(found, key=lambda one: one.start)


def hide(text: str, found: list[Found]) -> str:
    """The text with stars in the places of what was found."""
    for one in reversed(found):
        text = text[: one.start] + HIDDEN + text[one.end :]
    return text


def _runs(line: str) -> list[list[re.Match[str]]]:
    """Groups of digits with no letter between them; one that is too long to be of a PIN stands between two runs."""
    runs: list[list[re.Match[str]]] = [[]]
    for piece in PIECE.finditer(line):
        if len(piece[0]) > DIGITS or (runs[-1] and not BETWEEN.fullmatch(line, runs[-1][-1].end(), piece.start())):
            runs.append([])
        if len(piece[0]) <= DIGITS:
            runs[-1].append(piece)
    return runs


def _sixes(run: list[re.Match[str]]) -> Iterator[tuple[int, int]]:
    """From the end, where a PIN stands: groups that have six digits together."""
    may_be_parted = sum(len(piece[0]) for piece in run) <= LONGEST_RUN
    end = len(run)
    while end:
        start, digits = end, 0
        while start and digits < DIGITS:
            start -= 1
            digits += len(run[start][0])
        if digits == DIGITS and (may_be_parted or start == end - 1):
            yield run[start].start(), run[end - 1].end()
            end = start
        else:
            end -= 1
