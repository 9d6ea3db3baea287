"""How long a text is on the air: GSM-7 septets or UCS-2 units, and the parts that an SMS is cut into."""

from __future__ import annotations

from dataclasses import dataclass

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
)
EXTENDED = frozenset("^{}\\[~]|€\f")
SCREEN_LIMIT = {"GSM-7": 160, "UCS-2": 80}
PART_LIMITS = {"GSM-7": (160, 153), "UCS-2": (70, 67)}
LAST_OF_THE_BASIC_PLANE = 0xFFFF


@dataclass(frozen=True, slots=True)
class Size:
    """Units in the alphabet that the whole text needs."""

    units: int
    alphabet: str


def measure(text: str) -> Size:
    """Count `text` in GSM-7 septets, or in UTF-16 units when one character is not in GSM-7."""
    alphabet = "GSM-7" if all(char in BASIC or char in EXTENDED for char in text) else "UCS-2"
    return Size(sum(_cost(char, alphabet) for char in text), alphabet)


def sms_parts(text: str) -> int:
    """Count the parts of an SMS; a character of two units is never divided between two parts."""
    size = measure(text)
    single, each = PART_LIMITS[size.alphabet]
    if size.units <= single:
        return 1
    parts, used = 1, 0
    for char in text:
        cost = _cost(char, size.alphabet)
        if used + cost > each:
            parts, used = parts + 1, 0
        used += cost
    return parts


def _cost(char: str, alphabet: str) -> int:
    if alphabet == "GSM-7":
        return 2 if char in EXTENDED else 1
    return 2 if ord(char) > LAST_OF_THE_BASIC_PLANE else 1
