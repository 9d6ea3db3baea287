"""What a delivery means: a repeat of one that was answered, or what the caller typed since."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

from ussd.request import Request
from ussd.session import Mark, Session

LONGEST_INPUT = 182  # bytes: one USSD message
MOST_STEPS = 40
LONGEST_TRANSCRIPT = MOST_STEPS * (LONGEST_INPUT + 1)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What the caller typed after the first `known` characters of the transcript; None for a repeat.

    `restarts` says that the session as we know it is not the one that it belongs to.
    """

    inputs: list[str] | None
    known: int = 0
    restarts: bool = False


REPEAT = Delivery(None)


class Marks:
    """Names for what was typed that do not show it: a transcript may hold a PIN."""

    def __init__(self, secret: bytes) -> None:
        self._hash = blake2b(key=secret[: blake2b.MAX_KEY_SIZE], digest_size=16)

    def request_key(self, *parts: object) -> str:
        """The name of one act, for the database to know a second asking by."""
        return self._name("\0".join(map(str, parts)))

    def mark(self, text: str) -> Mark:
        """What a session's trail keeps of a delivery."""
        return len(text), self._name(text)[:8]

    def _name(self, text: str) -> str:
        digest = self._hash.copy()
        digest.update(text.encode())
        return digest.hexdigest()

    def mark_of(self, request: Request) -> Mark | None:
        """None where a second delivery cannot be told from a second press."""
        name = request.request_id if request.transcript is None else request.transcript
        return None if name is None else self.mark(name)


def too_long(transcript: str) -> bool:
    """Whether nobody can have typed this."""
    return len(transcript) > LONGEST_TRANSCRIPT or transcript.count("*") >= MOST_STEPS


def read(session: Session, request: Request, marks: Marks) -> Delivery:
    """What this delivery means to a session that was answered before."""
    if request.transcript is None:
        return _read_latest(session, request, marks)
    return _read_transcript(session, request.transcript, marks)


def _read_latest(session: Session, request: Request, marks: Marks) -> Delivery:
    name = request.input if request.is_first is None else request.request_id
    if name is not None and marks.mark(name) in session.trail:
        return REPEAT
    if request.is_first:
        return Delivery([], restarts=True) if _makes_room(session, request) else REPEAT
    return REPEAT if session.ended else Delivery([request.input or ""])


def _makes_room(session: Session, request: Request) -> bool:
    """Whether a call begins another session of this name. One that is begun twice is resumed.

    Where the name is the phone's, a call with a name of its own or after the first key is another one.
    """
    named_by_phone = request.session_key == request.phone
    return session.ended or (named_by_phone and (request.request_id is not None or session.steps > 0))


def _read_transcript(session: Session, text: str, marks: Marks) -> Delivery:
    if session.ended:
        return REPEAT
    last = Delivery([text[text.rfind("*") + 1 :]])
    if session.not_accumulated:
        return last
    if marks.mark(text) in session.trail:
        return REPEAT
    longest = max(session.trail, default=(0, ""))
    if _continues(text, longest, marks):
        known = longest[0]
        return Delivery(text[known + bool(known) :].split("*"), known)
    if text.count("*") + 1 <= session.steps:  # an operator that does not send what was typed before
        session.not_accumulated = True
        return last
    return Delivery(text.split("*"), restarts=True)


def is_next_key(session: Session, request: Request, marks: Marks) -> bool:
    """Whether the transcript proves it: what was answered last, and one key more."""
    if request.transcript is None or session.ended or session.not_accumulated:
        return False
    longest = max(session.trail, default=(0, ""))
    added = request.transcript[longest[0] + bool(longest[0]) :]
    return bool(added) and "*" not in added and _continues(request.transcript, longest, marks)


def _continues(text: str, mark: Mark, marks: Marks) -> bool:
    length = mark[0]
    return length == 0 or (text[length : length + 1] == "*" and marks.mark(text[:length]) == mark)
