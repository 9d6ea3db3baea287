"""What somebody typed, as it was meant: plain words, digits of any script, numbers with letters that look like them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from queue_core.text import GSM_BASIC

LONGEST = 160
LONGEST_AMOUNT = 9  # digits
UNSEEN = {"Mn", "Me", "Cf", "Cc", "Cs", "Co"}
FILLERS = {"\u115f", "\u1160"}  # letters to Unicode, nothing to the eye
LOOK_ALIKES = str.maketrans("OILSB", "01158")


def characters(text: str) -> Iterator[tuple[str, int]]:
    """Each character that is seen and its place in the text: no accents, the digits of any script as ASCII."""
    for place, typed in enumerate(text):
        for char in unicodedata.normalize("NFKD", typed):
            if char in "\n\t" or (unicodedata.category(char) not in UNSEEN and char not in FILLERS):
                yield str(unicodedata.decimal(char, char)), place


def plain(text: str, keep: str = "") -> list[str]:
    """What was typed as single words: no punctuation but `keep`, and that inside a word alone."""
    seen = (char if char.isalnum() or char in keep else " " for char, _ in characters(text[: LONGEST * 4]))
    words = (word.strip(keep) for word in "".join(seen)[:LONGEST].split())
    return [word for word in words if word]


def number(word: str) -> str | None:
    """The digits that a word stands for: O is 0, I and L are 1, S is 5, B is 8. None where it is no number."""
    digits = word.translate(LOOK_ALIKES)
    return digits if digits.isdecimal() and digits.isascii() else None


def amount(word: str, most: int) -> int | None:
    """The number that a word stands for, however long it is, or `most` where that is less. None where it is none."""
    digits = number(word)
    return None if digits is None else min(int(digits.lstrip("0")[:LONGEST_AMOUNT] or "0"), most)


def echo(word: str, most: int) -> str:
    """The beginning of a word as an answer may repeat it: one character outside of GSM would double its price."""
    return "".join(char for char in word if char in GSM_BASIC)[:most]
