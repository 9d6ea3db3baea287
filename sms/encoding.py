"""How many messages a text is billed as."""

from __future__ import annotations

from collections.abc import Iterable

from queue_core.text import GSM_EXTENSION, is_gsm

# What one message holds, and what each part of a longer one does beside its six octets of header.
GSM_ALONE, GSM_PART = 160, 153
UCS2_ALONE, UCS2_PART = 70, 67
LAST_OF_ONE_UNIT = 0xFFFF


def segments(text: str) -> int:
    """The number of messages that carry the text.

    One holds 160 septets alone and 153 as a part, or 70 and 67 units of UTF-16 where the GSM alphabet does
    not do. An extension character and an emoji are two units, never parted.
    """
    if is_gsm(text):
        return _parts([2 if character in GSM_EXTENSION else 1 for character in text], GSM_ALONE, GSM_PART)
    return _parts([2 if ord(character) > LAST_OF_ONE_UNIT else 1 for character in text], UCS2_ALONE, UCS2_PART)


def _parts(widths: Iterable[int], alone: int, part: int) -> int:
    widths = list(widths)
    if sum(widths) <= alone:
        return 1
    parts, room = 1, part
    for width in widths:
        if width > room:
            parts, room = parts + 1, part
        room -= width
    return parts
