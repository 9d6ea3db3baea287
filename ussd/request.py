"""What every gateway's message becomes, and what becomes of every screen on its way back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

# What a caller reads when nobody knows who he is or what he speaks.
SORRY = "Sorry, the system is busy. Nothing was changed and you keep your place if you had one."

NOT_KEPT = {"Cache-Control": "no-store"}  # for what is asked by GET: the same key may mean another screen


class BadRequest(Exception):
    """What is no request of this gateway, and why. `echo` is what the gateway wants back even so."""

    def __init__(self, problem: str, echo: Mapping[str, str] | None = None) -> None:
        super().__init__(problem)
        self.echo = dict(echo or {})


@dataclass(frozen=True, slots=True)
class Request:
    """One step of a caller, in the words of no gateway.

    A gateway that sends the whole session each time gives it as `transcript`, inputs joined by `*`; the
    others give the latest `input`, None when the caller has just dialled, and what was dialled after the
    service code as `dialled_path`. `is_first` is None where only an unknown session tells that the caller has
    just dialled, and `input` is then what he dialled. A gateway without names for sessions gives the phone as
    `session_key`. `request_id` is the gateway's own name of this delivery, the same when it is repeated.
    `is_abort` says that the caller is gone; who he was may then be missing. `screen` is how many GSM-7 units he
    sees. `echo` is what the gateway wants back.
    """

    gateway: str
    session_key: str
    phone: str
    is_first: bool | None
    service_code: str = ""
    network: str = ""
    input: str | None = None
    dialled_path: tuple[str, ...] = ()
    transcript: str | None = None
    is_abort: bool = False
    request_id: str | None = None
    screen: int = 160
    echo: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ended:
    """A gateway's word that a session is over; not `reached_end` when the caller was cut off or hung up."""

    gateway: str
    session_key: str
    reached_end: bool


@dataclass(frozen=True, slots=True)
class Page:
    """What the caller sees, whether the session is over with it, and the name of the screen."""

    text: str
    ends: bool
    state: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What a gateway is answered over HTTP."""

    body: str
    media_type: str = "text/plain"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, answer: Mapping[str, object]) -> Reply:
        return cls(json.dumps(answer), "application/json")
