"""Moments, as the database writes them into JSON."""

from __future__ import annotations

from datetime import datetime


def instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
