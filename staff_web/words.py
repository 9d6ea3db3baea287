"""What the panel says of a press: what was done, or why not and what is true now."""

from __future__ import annotations

from typing import Final

from queue_core.errors import Refused

NOTHING = " Nothing was changed."

# By the code of a refusal; of a weak password, by what is wrong with it.
REASONS: Final = {
    "closed": "{queue} is closed. Nobody was added or moved. Open it first.",
    "paused": "{queue} is on a break, so nobody was added. Open it first.",
    "full": "{queue} gave out all its numbers for today. Nobody was added or moved.",
    "branch_closed": "{branch} takes nobody new. Nobody was added or moved. A manager opens it.",
    "more_wait": "{people} wait in {queue} now, more than when you looked." + NOTHING,
    "not_open": "{queue} is closed, so it cannot be paused." + NOTHING,
    "outstanding": "{label} was called and has not started. Nobody was called. Say first what became of {label}.",
    "no_free_counter": "Every counter of this line has somebody. Nobody was called.",
    "stale": "{label} has changed since you looked: it is {status} now." + NOTHING,
    "wrong_state": "{label} is {status} now." + NOTHING,
    "too_late": "The call of {label} can no longer be undone: a minute is over, or the person is coming." + NOTHING,
    "moved_twice": "{label} was moved back twice already." + NOTHING,
    "no_reason": "Say why, in a few words: it is kept with the ticket." + NOTHING,
    "same_queue": "{label} waits in that line already." + NOTHING,
    "bad_phone": "This is not a phone number that can get texts. Nobody was added. Write it like 0711 000 001.",
    "bad_name": "A name is 1 to 16 letters, blanks, points and hyphens." + NOTHING,
    "bad_number": "Write a number from {least} to {most}." + NOTHING,
    "wrong_login": "Login or password is wrong. Nobody was logged in.",
    "code_needed": "Type the 6-digit code of your authenticator as well. Nobody was logged in.",
    "wrong_code": "This code is wrong or was used already." + NOTHING,
    "code_over": "The code is over, or there is none. Send a new one." + NOTHING,
    "too_many": "Too many tries. Wait {wait}, then try again." + NOTHING,
    "wrong_password": "The present password is wrong." + NOTHING,
    "has_totp": "The second factor is on already. Switch it off first." + NOTHING,
    "short": "The new password needs at least {least} characters; four or five words are good." + NOTHING,
    "long": "The new password is too long." + NOTHING,
    "yours": "The new password holds your name or login, which others would try first." + NOTHING,
    "common": "The new password is one of those that others would try first. Take words of your own." + NOTHING,
    "same": "The new password is the present one." + NOTHING,
    "weak_pin": "A PIN is six digits that nobody guesses first: not 111111, 121212 or 123456." + NOTHING,
    "phone_taken": "This phone is another staff member's." + NOTHING,
    "no_phone": "This person has no phone to work from." + NOTHING,
    "blocked": "The owner told us that somebody else used this phone. Enrol it again with a new PIN." + NOTHING,
    "login_taken": "This login is taken. Nobody was added. Choose another.",
    "bad_login": "A login is 1 to 32 small letters, digits, points and hyphens. Nobody was added.",
    "last_admin": "There must be one admin who can log in." + NOTHING,
    "not_allowed": "Your role may not do this to this person." + NOTHING,
    "yourself": "Your own password is changed under your name, with the present one." + NOTHING,
    "repeated": "This was done already, and what it made was shown once. Make a new one if it was not written down.",
    "bad_staff_name": "A name is 1 to {most} letters in one line." + NOTHING,
    "bad_plain_name": "This name is 1 to {most} plain letters, digits and signs, for the smallest phones." + NOTHING,
    "bad_help_phone": "Write the phone as people dial it, 3 to 12 digits, like 0700 123 456." + NOTHING,
    "bad_address": "An address is one line of at most {most} letters." + NOTHING,
    "bad_hours": "Opening hours ({day}): write them like 08:30-13:00, 14:00-17:00." + NOTHING,
    "hours_order": "Opening hours ({day}): each time ends later than it begins." + NOTHING,
    "hours_overlap": "Opening hours ({day}): two of the times overlap." + NOTHING,
    "bad_setting": "The {what} is a number from {least} to {most}." + NOTHING,
    "bad_line_code": "A line has one or two letters, but none of B, I, O, S, Z: they look like digits." + NOTHING,
    "line_taken": "Another line of this branch has the letters {code}. Nothing was added. Choose others.",
    "counter_taken": "This branch has a counter {counter} already." + NOTHING,
    "counter_busy": "{counter} has {label}. Nothing was removed. Say first what became of {label}.",
    "changed_meanwhile": "Somebody changed the settings of {branch} since you looked. Nothing was changed."
    " This is how they are now.",
    "bad_code": "A branch has a code of 4 digits. Nothing was added.",
    "code_taken": "The code {code} is taken. Nothing was added. Choose another.",
    "bad_language": "Choose one of the languages." + NOTHING,
    "name_taken": "Another organization has this name." + NOTHING,
}

STATUS: Final = {
    "waiting": "waiting",
    "called": "called",
    "serving": "being served",
    "skipped": "skipped",
    "completed": "completed",
    "no_show": "a no-show",
    "cancelled": "cancelled",
    "expired": "expired",
}
# What happened to a ticket, by the action of its audit row.
ACTIONS: Final = {
    "join": "joined",
    "call": "called",
    "recall": "called again",
    "last_call": "called a last time",
    "start": "is being served",
    "complete": "done",
    "skip": "skipped",
    "expire_call": "skipped: did not come in time",
    "no_show": "no-show",
    "expire_grace": "no-show: did not come back in time",
    "come_back": "back in line",
    "coming": "said “I am coming”",
    "take_back": "call undone",
    "leave": "gave the place up",
    "replace": "left for another line",
    "transfer": "moved to another line",
    "defer": "late: moved back",
    "move": "moved in line",
    "rename": "renamed",
    "send_home": "sent home",
    "cut_over": "the day ended",
}
HOUR, MINUTE = 3600, 60


def reason(refusal: Refused) -> str:
    """Why the rules said no. A stale press that finds nobody has no ticket to name."""
    facts = {**refusal.facts, **refusal.facts.get("ticket", {})}
    if refusal.code == "stale" and "label" not in facts:
        return "Nobody is at the counter any more. Nothing was changed."
    facts["status"] = STATUS.get(facts.get("status", ""), "")
    facts["wait"] = how_long(facts.get("seconds", 0))
    facts["people"] = people(facts.get("waiting", 0)).capitalize()
    if refusal.code == "closed" and not facts.get("branch_open", True):
        facts["why"] = "branch_closed"
    return REASONS[facts.get("why", refusal.code)].format(**facts)


def how_long(seconds: float) -> str:
    """For people: a minute is enough, and less than that is seconds."""
    if seconds < MINUTE:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / MINUTE)} min" if seconds < HOUR else f"{round(seconds / HOUR)} h"


def who(actor: str, name: str | None) -> str:
    """Whoever did something: a staff member by name."""
    return name or {"customer": "the person", "system": "the clock", "staff": "the operator"}[actor]


def people(number: int) -> str:
    """`nobody`, `1 person`, `4 people`."""
    return {0: "nobody", 1: "1 person"}.get(number, f"{number} people")
