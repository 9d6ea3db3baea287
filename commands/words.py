"""What the terminal prints: an answer for people or for scripts, and refusals in plain words."""

from __future__ import annotations

import json
from typing import Any, NoReturn

import asyncpg
import click

from queue_core.errors import Refused

REASONS = {
    "closed": "{queue} at {branch} is closed. Nobody was added. Open it: `zamu queue open {branch_code}/{queue_code}`.",
    "paused": "{queue} at {branch} is paused. Nobody was added. Open it: `zamu queue open {branch_code}/{queue_code}`.",
    "full": "{queue} at {branch} gave out all its numbers for today. Nobody was added.",
    "not_open": "{queue} is closed, so it cannot be paused. Nothing was changed.",
    "no_queue": "There is no such queue. Nothing was changed. `zamu queue list` shows all of them.",
    "no_ticket": "There is no such ticket today. Nothing was changed. A ticket is named like 4071/A047.",
    "outstanding": "{label} was called to {counter} and has not started. Nobody was called. Say what became of it:"
    " --finish complete, --finish skip or --finish no-show.",
    "no_counter": "No counter of that name is there. Nothing was changed.",
    "no_free_counter": "Every counter of this queue has somebody. Nobody was called. Name one with --counter.",
    "wrong_state": "{label} is {status} now. Nothing was changed.",
    "stale": "{label} has changed since you looked; it is {status} now. Nothing was changed.",
    "no_staff": "Nobody with this login works here. Nothing was changed. `zamu staff list` shows all logins.",
    "no_phone": "This person has no phone to work from. Nothing was changed. `zamu staff enrol` adds one.",
    "phone_taken": "This phone is another staff member's. Nothing was changed.",
    "too_many": "This phone got as many codes as it may in an hour or a day. None was sent."
    " The next is possible in {seconds} s.",
    "wrong_code": "This is not the code that the phone got. Nothing was changed. {tries_left} tries are left.",
    "code_over": "There is no code to confirm, or it is over. Nothing was changed. `zamu staff enrol` sends a new one.",
    "weak_pin": "A PIN is six digits that nobody guesses first: not 111111, 121212 or 123456. Nothing was changed.",
    "blocked": "The owner of this phone told us that somebody else used it. Nothing was changed. It needs a new PIN:"
    " `zamu staff enrol`.",
    "not_added": "{login} was not added: the login is taken, or there is no such organization or branch.",
    "bad_phone": "This is not a phone number that can get texts. Nothing was changed. Write it like +254711000001.",
}  # fmt: skip


def say(answer: dict[str, Any], sentence: str, *, as_json: bool) -> None:
    """One JSON object for scripts, or one sentence for people."""
    click.echo(json.dumps(answer, default=str) if as_json else sentence)


def reason(refusal: Refused) -> str:
    facts = {**refusal.facts, **refusal.facts.get("ticket", {})}
    return REASONS[refusal.code].format(**facts)


def refuse(refusal: Refused, *, as_json: bool) -> NoReturn:
    """Say why and leave with exit status 1."""
    if as_json:
        click.echo(json.dumps({"refused": refusal.code, "reason": reason(refusal)}))
    else:
        click.echo(reason(refusal), err=True)
    raise SystemExit(1)


def cause(error: Exception) -> str:
    """An error of the database in its own words, without the rows that it may quote."""
    return str(error.args[0]) if isinstance(error, asyncpg.PostgresError) else str(error) or type(error).__name__


def trouble(error: Exception, *, changed: bool = False) -> str:
    """What to say when the database does not answer, or not as it should. `changed`: perhaps it had acted before."""
    now = "It is not known if it was done: look before you try again." if changed else "Nothing was changed."
    return f"The database does not serve us ({cause(error)}). {now} `zamu doctor` says more."
