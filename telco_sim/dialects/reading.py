"""Reading what an application answered as strictly as a gateway does, with a sentence for each mistake."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from telco_sim.dialects.dialect import Unreadable
from telco_sim.exchange import Answer

HTTP_OK = 200
NAMES: dict[type, str] = {bool: "true or false", dict: "an object", int: "a whole number", str: "a text"}


def body_of(answer: Answer) -> str:
    """Return the text of an answer with status 200."""
    if answer.status != HTTP_OK:
        raise Unreadable(f"The application answered HTTP {answer.status}; the gateway takes only 200.")
    try:
        return answer.body.decode()
    except UnicodeDecodeError:
        raise Unreadable("The reply is not UTF-8.") from None


def object_of(answer: Answer) -> dict[str, Any]:
    """Return the JSON object of an answer with status 200."""
    try:
        reply = json.loads(body_of(answer))
    except ValueError:
        raise Unreadable("The reply is not JSON.") from None
    if not isinstance(reply, dict):
        raise Unreadable("The reply is not a JSON object.")
    return reply


def member(reply: Mapping[str, Any], name: str, kind: type) -> Any:
    """Return a field of just this type; `true` is no number."""
    if name not in reply:
        raise Unreadable(f"The reply has no {name}.")
    if type(reply[name]) is not kind:
        raise Unreadable(f"{name} must be {NAMES[kind]}, not {reply[name]!r}.")
    return reply[name]


def words(reply: Mapping[str, Any], name: str, longest: int | None = None) -> str:
    """Return a text that is not empty, nor longer than the gateway carries."""
    text: str = member(reply, name, str)
    if not text:
        raise Unreadable(f"{name} is empty, so there is nothing to show.")
    if longest is not None and len(text) > longest:
        raise Unreadable(f"{name} has {len(text)} characters; the gateway carries {longest}.")
    return text


def choice(reply: Mapping[str, Any], name: str, allowed: Mapping[Any, bool]) -> bool:
    """Return what one of the allowed values means."""
    value = reply.get(name)
    if isinstance(value, bool | dict | list) or value not in allowed:
        raise Unreadable(f"{name} must be {' or '.join(map(repr, allowed))}, not {value!r}.")
    return allowed[value]


def echoed(reply: Mapping[str, Any], **sent: str) -> None:
    """Refuse an answer that does not return these fields as they were sent."""
    for name, value in sent.items():
        if reply.get(name) != value:
            raise Unreadable(f"{name} must come back as it was sent, {value!r}, not {reply.get(name)!r}.")
