"""What the handset prints: a small phone for a person, plain lines for a transcript."""

from __future__ import annotations

import textwrap
from datetime import datetime
from typing import Any

from telco_sim.units import SCREEN_LIMIT

COLUMNS = 20
TEXT_COLUMNS = 48


def drawn_screen(screen: dict[str, Any], title: str, unread: int) -> str:
    """Draw a screen as a phone of twenty columns shows it, every line of it."""
    badge = f"{unread} new" if unread else ""
    rule = "─" * (COLUMNS + 2)
    rows = [
        title[: COLUMNS - len(badge)].ljust(COLUMNS - len(badge)) + badge,
        *_wrapped(screen["text"], COLUMNS),
    ]
    framed = [f"  │ {row.ljust(COLUMNS)} │" for row in rows]
    framed[1:1] = [f"  ├{rule}┤"]
    return "\n".join([f"  ┌{rule}┐", *framed, f"  └{rule}┘", f"  {status_line(screen)}", *_remarks(screen)])


def plain_screen(screen: dict[str, Any]) -> str:
    """Write a screen as it came, for a transcript."""
    return "\n".join([screen["text"], f"[{status_line(screen)}]", *_remarks(screen)])


def status_line(screen: dict[str, Any]) -> str:
    """Say how much of the screen is used, and whether an answer is awaited."""
    limit = SCREEN_LIMIT[screen["alphabet"]]
    state = f"answer within {screen['seconds']:.0f} s" if screen["open"] else "session ended"
    return f"{screen['units']} of {limit} {screen['alphabet']} units, {state}"


def drawn_text(text: dict[str, Any]) -> str:
    """Draw one SMS with its sender and its time on the clock of this machine."""
    rows = [_heading(text), *_wrapped(text["text"], TEXT_COLUMNS)]
    return "\n".join(f"  ▌ {row}" for row in rows)


def plain_text(text: dict[str, Any]) -> str:
    """Write one SMS without its time, so that two runs give one transcript."""
    return f"SMS from {text['from']}: {text['text']}"


def drawn_sent(number: str, words: str) -> str:
    """Draw one SMS that this phone sends."""
    return "\n".join(f"  ▐ {row}" for row in [f"SMS to {number}", *_wrapped(words, TEXT_COLUMNS)])


def plain_sent(number: str, words: str) -> str:
    """Write one SMS that this phone sends."""
    return f"SMS to {number}: {words}"


def _heading(text: dict[str, Any]) -> str:
    parts = f", {text['parts']} parts" if text["parts"] > 1 else ""
    return f"SMS from {text['from']}, {datetime.fromisoformat(text['time']).astimezone():%H:%M}{parts}"


def _remarks(screen: dict[str, Any]) -> list[str]:
    return [f"! {screen[name]}" for name in ("warning", "error") if screen[name]]


def _wrapped(text: str, columns: int) -> list[str]:
    return [row for line in text.split("\n") for row in textwrap.wrap(line, columns) or [""]]
