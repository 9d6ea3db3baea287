"""Finding the way back after a session was lost, from the transcript that some gateways send each time."""

from __future__ import annotations

from collections import deque
from typing import Any

from queue_core.tickets import from_facts
from ussd.visit import Visit

# What a verb was answered, as an outcome of the first screen: where that alone tells which screen followed.
OUTCOMES = {
    "joined": "joined",
    "left": "left",
    "deferred": "deferred",
    "moved_twice": "moved_twice",
    "back": "in_line",
    "coming": "on_my_way",
    "erased": "erased",
}


def steps(transcript: str, known: int) -> deque[tuple[str, str]]:
    """(input, transcript up to it) of all that came after the first `known` characters."""
    end = known + 1 if known else 0
    found: deque[tuple[str, str]] = deque()
    for typed in transcript[end:].split("*"):
        end += len(typed)
        found.append((typed, transcript[:end]))
        end += 1
    return found


async def last_answer(visit: Visit) -> str | None:
    """The outcome of the last of the visit's inputs that did something, when it was pressed the first time.

    It and all before it are taken off: they are done.
    """
    keys = {visit.request_key(step): place for place, (_, step) in enumerate(visit.inputs)}
    answers = await visit.store.rows.answers(list(keys))
    visit.answered = frozenset(visit.inputs[keys[key]][1] for key in answers)
    known = {keys[key]: answer for key, answer in answers.items() if _outcome(answer)}
    if not known:
        return None
    last = max(known)
    for _ in range(last + 1):
        visit.inputs.popleft()
    if "ticket" in known[last]:
        ticket = from_facts(known[last]["ticket"])
        visit.hold(ticket)
        visit.session.language = ticket.language
    return _outcome(known[last])


def _outcome(answer: dict[str, Any]) -> str | None:
    return OUTCOMES.get(str(answer.get("refused") or answer.get("outcome")))
