"""Hubtel (Ghana): the latest input as JSON, a state of the application's that goes round with it, and two endings."""

from __future__ import annotations

import uuid
from typing import Any

from telco_sim.dialects.dialect import Dialect, Request, Shown, bare, msisdn, posted
from telco_sim.dialects.reading import choice, member, object_of, words
from telco_sim.exchange import Answer
from telco_sim.session import Ending, Session

TYPES = {"Response": True, "Release": False}
ENDINGS = {Ending.HUNG_UP: "Release", Ending.TIMED_OUT: "Timeout"}


class Hubtel(Dialect):
    name = "hubtel"
    label = "Hubtel"

    def new_id(self) -> str:
        return uuid.uuid4().hex

    def request(self, session: Session, phone: str) -> Request:
        return posted(_fields(session, phone, "Initiation" if session.hops == 1 else "Response", session.latest))

    def read(self, session: Session, answer: Answer) -> Shown:
        reply = object_of(answer)
        shown = Shown(words(reply, "Message"), open=choice(reply, "Type", TYPES))
        session.echo["ClientState"] = member(reply, "ClientState", str) if reply.get("ClientState") is not None else ""
        return shown

    def ending(self, session: Session, ending: Ending) -> Request | None:
        kind = ENDINGS.get(ending)
        return posted(_fields(session, session.phone, kind, "")) if kind else None


def _fields(session: Session, phone: str, kind: str, message: str) -> dict[str, Any]:
    return {
        "Type": kind,
        "Mobile": msisdn(phone),
        "SessionId": session.id,
        "ServiceCode": bare(session.service_code),
        "Message": message,
        "Operator": session.network.operator.lower(),
        "Sequence": session.hops,
        "ClientState": session.echo.get("ClientState", ""),
        "Platform": "USSD",
    }
