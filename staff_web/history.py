"""The audit of a branch in words that people read."""

from __future__ import annotations

from typing import Any, Final

from queue_core.branches import Change, Untold
from staff_web.words import ACTIONS, who

# What happened, whoever did it; by the kind of thing and the verb. Those of a ticket are ACTIONS.
DEEDS: Final[dict[str, dict[str, str]]] = {
    "queue": {
        "open": "{} was opened",
        "resume": "{} was opened after a break",
        "pause": "{} was paused",
        "serve_out": "{} was closed, those in line to be served",
        "send_home": "{} was closed, those in line sent home",
        "cut_over": "The day of {} ended",
        "add": "The line {} was added",
        "change": "{} was changed",
    },
    "staff": {
        "add": "{} was added to the staff",
        "change": "{}, of the staff, was changed",
        "activate": "{} may work here again",
        "deactivate": "{} may no longer work here",
        "reset_password": "{} was given a new first password",
        "change_password": "{} chose another password",
        "confirm_totp": "{} switched the second factor on",
        "end_totp": "{} switched the second factor off",
        "enrol": "A code was sent to a phone for {}",
        "confirm": "A phone was enrolled for {}",
        "unlock": "The phone of {} was unlocked",
        "block": "The phone of {} was blocked by its owner",
    },
    "branch": {"add": "The branch was added", "change": "The branch was changed"},
    "counter": {
        "add": "{} was added",
        "change": "{} was changed",
        "remove": "{} was removed",
    },
}
CHANNELS: Final = {"ussd": " (dialled)", "sms": " (SMS)"}
SETTINGS: Final = {"asks_name": "names asked", "asks_rating": "ratings asked", "is_open": "open"}
SECONDS: Final = {"call_expiry", "grace"}

# What a text was to say.
TEXTS: Final = {
    "turn": "It is your turn",
    "last_call": "The last call",
    "near": "Almost your turn",
    "joined": "The number",
    "joined_no_wait": "The number",
    "added": "The number",
    "moved": "The new number",
    "missed": "You missed your call",
    "skipped": "You missed your call",
    "paused": "The break",
    "resumed": "The end of the break",
    "closed_early": "Sent home",
    "end_of_day": "The end of the day",
    "staff_code": "A code for staff",
}
NOT_TOLD: Final = {
    "failed": "the network refused it",
    "dead": "no network took it",
    "expired": "it came too late to be true",
}


def deed(change: Change) -> str:
    """One sentence: what happened, what it changed, and who did it by what."""
    changed = "; ".join(_changed(name, value) for name, value in sorted(change.details.items()) if _is_change(value))
    more = f" ({changed})" if changed else ""
    return f"{_happened(change)}{more}, by {who(change.actor, change.who)}{CHANNELS.get(change.channel, '')}"


def text_of(text: Untold) -> str:
    """What somebody was not told, and why not."""
    return f"{TEXTS.get(text.template, 'A message')}: {NOT_TOLD[text.status]}"


def _happened(change: Change) -> str:
    plain = change.action.replace("_", " ")
    if change.entity == "ticket":
        to = f" to {change.counter}" if change.action == "call" and change.counter else ""
        return f"{change.what}: {ACTIONS.get(change.action, plain)}{to}"
    return DEEDS.get(change.entity, {}).get(change.action, f"{{}}: {plain}").format(change.what)


def _is_change(value: object) -> bool:
    return isinstance(value, list) and len(value) == len(("old", "new"))


def _changed(name: str, values: list[Any]) -> str:
    words = SETTINGS.get(name, name.replace("_", " "))
    if name == "opening_hours":
        return words
    old, new = (_value(name, value) for value in values)
    return f"{words} {old} → {new}"


def _value(name: str, value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " + ".join(map(str, value)) or "none"
    return f"{value // 60} min" if name in SECONDS else str(value) or "nothing"
