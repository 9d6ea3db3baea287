"""The words to which Twilio itself listens, and its answers to them."""

from __future__ import annotations

WORDS = {
    "STOP": ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"),
    "START": ("START", "UNSTOP"),
    "HELP": ("HELP",),
}
CONFIRMATIONS = {
    "STOP": "You are unsubscribed and will get no more messages from this number. Reply START to subscribe again.",
    "START": "You are subscribed again to messages from this number. Reply STOP to unsubscribe.",
    "HELP": "Reply STOP to unsubscribe.",
}


def kind_of(words: str) -> str:
    """Return STOP, START or HELP for a text that is one such word and nothing else, in any case; else nothing."""
    word = words.strip().upper()
    return next((kind for kind, listened in WORDS.items() if word in listened), "")
