"""The words of every screen, by language: read once, taken apart once."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from queue_core.text import normalise

FOLDER = Path(__file__).parent / "catalogues"
FALLBACK = "en"
LONGEST_IN_MINUTES = 99  # a longer wait is told in hours, rounded up
CHOICE = re.compile(r"(\d{1,2}) (.+)")
MOVES = ("98", "0", "00")  # they give way, the last one first, and work unseen


@dataclass(frozen=True, slots=True)
class Phrases:
    """What a language says inside a screen, where the words depend on a number or on what is known."""

    not_a_choice: str
    more: str
    counter: str
    wait: Mapping[str, str]
    days: Mapping[str, Any]
    desk: Mapping[str, str]

    def about(self, ahead: int, minutes: int | None) -> str:
        """How long it takes with so many people ahead."""
        if ahead == 0:
            return self.wait["next"]
        if minutes is None:
            return self.wait["unknown"]
        if minutes > LONGEST_IN_MINUTES:
            return self.wait["hours"].format(hours=math.ceil(minutes / 60))
        return self.wait["minutes"].format(minutes=minutes)

    def day(self, on: date, today: date) -> str:
        named: str = self.days["today"] if on == today else self.days["names"][on.weekday()]
        return named


@dataclass(frozen=True, slots=True)
class Template:
    """One screen in one language. `labels` are the words that stand for a key."""

    body: str
    moves: Mapping[str, str]
    labels: Mapping[str, str]
    phrases: Phrases


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One language. `full` when it has every screen; what it lacks is English, the whole screen."""

    name: str
    language: str
    texts: Mapping[str, Template]
    words: Mapping[str, str]
    full: bool


def clock(at: datetime) -> str:
    return f"{at:%H:%M}"


@lru_cache(maxsize=4096)
def plain(value: str) -> str:
    """A name from the database as every phone can show it."""
    return normalise(value)


def catalogue(language: str) -> Catalogue:
    return catalogues().get(language) or catalogues()[FALLBACK]


def spoken() -> list[tuple[str, str]]:
    """(code, own name) of the languages that have every screen, English first."""
    return [(code, one.name) for code, one in catalogues().items() if one.full]


@cache
def words() -> dict[str, str]:
    """Every word of every language that stands for an outcome; no word means two things."""
    return {word: outcome for one in catalogues().values() for word, outcome in one.words.items()}


@cache
def catalogues() -> dict[str, Catalogue]:
    english = _read(FOLDER / f"{FALLBACK}.toml", {})
    others = {path.stem: _read(path, english.texts) for path in sorted(FOLDER.glob("*.toml"))}
    return {FALLBACK: english, **others}


def _read(path: Path, fallback: Mapping[str, Template]) -> Catalogue:
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    phrases = Phrases(**{phrase: tables[phrase] for phrase in Phrases.__slots__})
    texts = {name: _template(text, phrases) for name, text in tables["texts"].items()}
    words = {word: outcome for outcome, several in tables["words"].items() for word in several}
    full = not (fallback.keys() - texts.keys())
    return Catalogue(tables["name"], tables["language"], {**fallback, **texts}, words, full)


def _template(text: str, phrases: Phrases) -> Template:
    lines = text.strip().splitlines()
    choices = [match.groups() for line in lines if (match := CHOICE.fullmatch(line))]
    moves = {key: f"{key} {label}" for key, label in choices if key in MOVES}
    body = "\n".join(line for line in lines if line not in moves.values())
    return Template(body, {key: moves[key] for key in MOVES if key in moves}, _labels(choices), phrases)


def _labels(choices: list[tuple[str, ...]]) -> dict[str, str]:
    """A label stands for its key, and so does its first word where no other label begins with it."""
    labels = {label.casefold(): key for key, label in choices}
    firsts = [(label.split()[0].rstrip(",:"), key) for label, key in labels.items()]
    words = [word for word, _ in firsts]
    return {word: key for word, key in firsts if words.count(word) == 1} | labels
