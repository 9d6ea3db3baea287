"""Every outgoing text: catalogues by language, filled with the facts of an event."""

from __future__ import annotations

import math
import tomllib
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from queue_core.text import normalise

FOLDER = Path(__file__).parent / "catalogues"
FALLBACK = "en"
LONGEST_IN_MINUTES = 99  # a longer wait is told in hours, rounded up: shorter, and never too good a promise
# Phrases that say something else while these facts are not known.
NEEDS = {
    "pause": {"until"},
    "on_day": {"day"},
    "opens": {"day", "time"},
    "opening": {"day", "time"},
    "elsewhere": {"svc2"},
    "more_of": {"more"},
    "left": {"tries"},
    "code_now": {"rolling"},
}

Parameters = Mapping[str, Any]


class CannotRender(Exception):
    """No text can be made of this template and these parameters, now or later."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One language: whole texts by template, and the phrases inside them that depend on what is known.

    `no_reply` says it differently where nobody can answer; `staff` are the texts to staff, in the languages that have
    them.
    """

    name: str
    texts: dict[str, str]
    phrases: dict[str, dict[str, str]]
    wait: dict[str, str]
    days: list[str]
    no_reply: dict[str, str]
    staff: dict[str, str] = field(default_factory=dict)

    @property
    def all_texts(self) -> Mapping[str, str]:
        return ChainMap(self.texts, self.staff)

    def fill(self, template: str, parameters: Parameters, *, can_reply: bool = True) -> str:
        facts = {key: normalise(str(value)) for key, value in parameters.items() if value is not None}
        if "day" in facts:
            facts["day"] = self.days[parameters["day"]]
        if "ahead" in facts:
            facts["wait"] = self._wait(parameters["ahead"], parameters.get("min"))
        for name, states in self.phrases.items():
            facts[name] = states["known" if facts.keys() >= NEEDS[name] else "unknown"].format_map(facts)
        other = None if can_reply else self.no_reply.get(template)
        return (other or self.all_texts[template]).format_map(facts)

    def _wait(self, ahead: int, minutes: int | None) -> str:
        if ahead == 0:
            return self.wait["next"]
        if minutes is None:
            return self.wait["unknown"].format(ahead=ahead)
        if minutes > LONGEST_IN_MINUTES:
            return self.wait["hours"].format(ahead=ahead, hours=math.ceil(minutes / 60))
        return self.wait["minutes"].format(ahead=ahead, minutes=minutes)


def render(template: str, language: str, parameters: Parameters, *, shortcode: str, can_reply: bool = True) -> str:
    """The text as it is sent. Without a translation it is English as a whole, never a mix.

    `can_reply`: its sender is a number that people can text to, and no name. Raises CannotRender when there is no such
    template or a parameter that it needs is missing.
    """
    catalogue = catalogues().get(language)
    if catalogue is None or template not in catalogue.all_texts:
        catalogue = catalogues()[FALLBACK]
    try:
        return catalogue.fill(template, {**parameters, "ussd": shortcode}, can_reply=can_reply)
    except (LookupError, TypeError, ValueError) as error:
        raise CannotRender(f"The text {template!r} cannot be written: {type(error).__name__} {error}") from error


def languages() -> dict[str, str]:
    """The languages that a person may choose, by code, each under its own name."""
    return {code: catalogue.name for code, catalogue in catalogues().items()}


@cache
def catalogues() -> dict[str, Catalogue]:
    """Every language that has a catalogue."""
    return {path.stem: _load(path) for path in sorted(FOLDER.glob("*.toml"))}


def _load(path: Path) -> Catalogue:
    return Catalogue(**tomllib.loads(path.read_text(encoding="utf-8")))
