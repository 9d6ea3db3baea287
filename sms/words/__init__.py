"""The words of commands, by language: what is exactly one, and what is one slip of a finger away from one."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path

FOLDER = Path(__file__).parent
FIRST = "en"
SHORTEST = 4  # a word of fewer letters is too near to everything
LONG = 7  # from so many letters on, two slips are forgiven


@cache
def words(side: str) -> dict[str, dict[str, str]]:
    """Language -> word -> command, for the "customer" or the "staff" side."""
    tables = {
        path.stem: tomllib.loads(path.read_text(encoding="utf-8")).get(side, {}) for path in FOLDER.glob("*.toml")
    }
    return {
        language: {word: command for command, listed in table.items() for word in listed}
        for language, table in sorted(tables.items())
    }


def exact(side: str, word: str, language: str) -> str | None:
    """The command of a word: in the person's own language, then in English, then in the others."""
    tables = words(side)
    for name in dict.fromkeys((language, FIRST, *tables)):
        if command := tables.get(name, {}).get(word):
            return command
    return None


@lru_cache(maxsize=4096)
def near(side: str, word: str) -> frozenset[str]:
    """The commands that may have been meant by a word that is none."""
    return frozenset(command for known, command in _long_words(side) if _is_slip(word, known))


@cache
def _long_words(side: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        (word, command)
        for table in words(side).values()
        for word, command in table.items()
        if len(word) >= SHORTEST and word.isalpha()
    )


def _is_slip(typed: str, known: str) -> bool:
    return typed != known and distance(typed, known, most=2 if len(known) >= LONG else 1) is not None


def distance(one: str, other: str, *, most: int) -> int | None:
    """How many letters were left out, added, changed or swapped; None for more than `most`."""
    if abs(len(one) - len(other)) > most:
        return None
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, wanted in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return None
    return row[-1] if row[-1] <= most else None


def all_words(side: str) -> Iterable[tuple[str, str]]:
    """(word, command) of every language."""
    return ((word, command) for table in words(side).values() for word, command in table.items())
