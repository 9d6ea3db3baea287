"""What lies on a disk until the database is back."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Held:
    """`broken` are files that nobody can read, and a human has to look at."""

    texts: int = 0
    oldest_seconds: float = 0.0
    broken: int = 0
