"""Each slip of a finger in each word of a command: what becomes of it, and what never does."""

from __future__ import annotations

import os
import string
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from sms.commands import Command, for_staff, read, wants_no_texts
from sms.words import all_words

GUIDE = Path(__file__).parents[2] / "docs" / "texting.md"
BEGIN, END = "<!-- slips: written by tests/texting/test_slips.py -->\n", "<!-- end of slips -->"
HURTS = {"leave", "stop", "close", "no", "forget_me"}
DONE, ASKED, OTHER, SILENCE = "done", "asked back", "taken for another command", "not understood"
OUTCOMES = (DONE, ASKED, OTHER, SILENCE)


def slips(word: str) -> Iterator[str]:
    """Every word that one slip of a finger makes of it: left out, doubled or added, changed, swapped."""
    for place in range(len(word) + 1):
        before, after = word[:place], word[place:]
        for letter in string.ascii_uppercase:
            yield before + letter + after
            if after:
                yield before + letter + after[1:]
        if after:
            yield before + after[1:]
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]


@cache
def understood(typed: str, side: str) -> Command | None:
    return read(typed, "en", side=side)


def outcome(command: Command | None, meant: str) -> str:
    if command is None:
        return SILENCE
    if not command.sure or command.verb == "forget":
        return ASKED
    return DONE if command.verb == meant else OTHER


def table() -> str:
    """What becomes of every slip in every word, by side."""
    lines = ["| side | slips | " + " | ".join(OUTCOMES) + " |", "|---" * (len(OUTCOMES) + 2) + "|"]
    for side in ("customer", "staff"):
        known = {word for word, _ in all_words(side)}
        counts = Counter(
            outcome(understood(typed, side), meant)
            for word, meant in all_words(side)
            for typed in set(slips(word)) - known
        )
        shown = " | ".join(f"{counts[one]:,}" for one in OUTCOMES)
        lines.append(f"| {side} | {counts.total():,} | {shown} |")
    return "\n".join(lines) + "\n"


def test_no_slip_of_a_finger_leaves_stops_closes_or_ends_a_phone() -> None:
    for side in ("customer", "staff"):
        known = {word for word, _ in all_words(side)}
        for word, meant in all_words(side):
            for typed in set(slips(word)) - known:
                command = understood(typed, side)
                assert command is None or not command.sure or command.verb not in HURTS - {meant}, (typed, command)


def test_no_slip_of_a_finger_ends_the_texts() -> None:
    stops = {word for word, command in all_words("customer") if command == "stop"}
    for word, meant in all_words("customer"):
        if meant != "stop":
            assert {typed for typed in slips(word) if wants_no_texts(typed, "en")} <= stops


def test_a_slip_in_a_customers_word_never_moves_a_line() -> None:
    for word, _ in all_words("customer"):
        for typed in slips(word):
            command, meant = for_staff(typed), understood(typed, "customer")
            assert command is None or not command.guessed or meant is None or meant.guessed


def test_the_guide_counts_them() -> None:
    before, _, rest = GUIDE.read_text().partition(BEGIN)
    kept, _, after = rest.partition(END)
    if os.environ.get("WRITE_README"):
        GUIDE.write_text(before + BEGIN + table() + END + after)
    else:
        assert kept == table()
