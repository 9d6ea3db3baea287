"""What a gateway's dialect is: how a turn of a session is put into HTTP, and how the answer is read."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from telco_sim.exchange import Answer
from telco_sim.session import Ending, Session

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class Request:
    """One request: `tail` follows the application's address, `fields` are what the ledger keeps of it."""

    fields: Mapping[str, Any]
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"
    tail: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """What an answer puts on the screen, and whether the session goes on."""

    text: str
    open: bool


class Unreadable(Exception):
    """The gateway does not take this answer; the message is a sentence for a developer."""


class Dialect:
    """One gateway; it keeps nothing itself, and what must be echoed is in `session.echo`.

    `label` is the name for people; `history` tells that each request has all inputs and not only the last.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    history: ClassVar[bool] = False

    def new_id(self) -> str:
        """Make a session's id."""
        return digits(16)

    def request(self, session: Session, phone: str) -> Request:
        """Put the latest input of a session into a request, or the dialled code at the first hop."""
        raise NotImplementedError

    def read(self, session: Session, answer: Answer) -> Shown:
        """Read what was answered; raises Unreadable."""
        raise NotImplementedError

    def ending(self, session: Session, ending: Ending) -> Request | None:
        """Tell the application that a session is over; None where the gateway does not."""
        return None


def digits(length: int) -> str:
    """An id of so many digits; the first is not zero."""
    return str(random.randrange(10 ** (length - 1), 10**length))


def posted(fields: Mapping[str, Any], *, method: str = "POST", tail: str = "") -> Request:
    """A request with a JSON object in it."""
    return Request(fields, json.dumps(fields).encode(), JSON, method, tail)


def msisdn(phone: str) -> str:
    """A number as most gateways write it: digits alone."""
    return phone.removeprefix("+")


def bare(code: str) -> str:
    """A dialled code without its first `*` and its `#`: `384*40`."""
    return code.removeprefix("*").removesuffix("#")
