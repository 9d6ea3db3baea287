"""What people type, as plainly as a key."""

from __future__ import annotations

import unicodedata

from queue_core.text import normalise


def clean(typed: str) -> str:
    """Plain digits and letters with single spaces: ` 1 `, `1#`, `1.` and an Arabic one are all `1`."""
    if typed.isascii() and typed.isalnum():
        return typed
    plain = "".join(str(unicodedata.decimal(char, char)) for char in normalise(typed))
    return " ".join(plain.split()).rstrip("#.) ")
