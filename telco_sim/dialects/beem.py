"""Beem Africa (Tanzania): commands; the first request carries nothing that was dialled, only a number 0."""

from __future__ import annotations

from typing import Any

from telco_sim.dialects.dialect import Dialect, Request, Shown, digits, msisdn, posted
from telco_sim.dialects.reading import choice, echoed, member, object_of, words
from telco_sim.exchange import Answer
from telco_sim.session import Ending, Session

COMMANDS = {"continue": True, "terminate": False}
FIRST_RESPONSE = 0


class Beem(Dialect):
    name = "beem"
    label = "Beem"

    def new_id(self) -> str:
        return digits(8)

    def request(self, session: Session, phone: str) -> Request:
        session.echo["msisdn"] = msisdn(phone)
        first = session.hops == 1
        fields = _fields(session, "initiate", FIRST_RESPONSE) if first else _fields(session, "continue", session.latest)
        return posted(fields)

    def read(self, session: Session, answer: Answer) -> Shown:
        reply = object_of(answer)
        echoed(reply, msisdn=session.echo["msisdn"], operator=session.network.operator.lower(), session_id=session.id)
        going_on = choice(reply, "command", COMMANDS)
        payload = member(reply, "payload", dict)
        session.echo["request_id"] = str(member(payload, "request_id", int))
        return Shown(words(payload, "request"), open=going_on)

    def ending(self, session: Session, ending: Ending) -> Request | None:
        return posted(_fields(session, "terminate", "")) if ending in {Ending.HUNG_UP, Ending.TIMED_OUT} else None


def _fields(session: Session, command: str, response: str | int) -> dict[str, Any]:
    return {
        "command": command,
        "msisdn": session.echo["msisdn"],
        "session_id": session.id,
        "operator": session.network.operator.lower(),
        "payload": {"request_id": int(session.echo.get("request_id", "0")), "response": response},
    }
