"""What every gateway's message becomes, and what becomes of every screen on its way back."""

from __future__ import annotations

from dataclasses import dataclass, field

# What a caller reads when nobody knows who he is or what he speaks.
SORRY = "Sorry, the system is busy. Nothing was changed and you keep your place if you had one."


class BadRequest(Exception):
    """A body that is no request of this gateway; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Request:
    """One step of a caller, in the words of no gateway.

    A gateway that sends the whole session each time gives it as `transcript`, inputs joined by `*`; the
    others give the latest `input`, None when the caller has just dialled, and what was dialled after the
    service code as `dialled_path`. `request_id` is the gateway's own name of this delivery, the same when
    it is repeated. `echo` is what the gateway wants back.
    """

    gateway: str
    session_key: str
    phone: str
    is_first: bool
    service_code: str = ""
    network: str = ""
    input: str | None = None
    dialled_path: tuple[str, ...] = ()
    transcript: str | None = None
    is_abort: bool = False
    request_id: str | None = None
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
    headers: dict[str, str] = field(default_factory=dict)
