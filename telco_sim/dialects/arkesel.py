"""Arkesel (Ghana): the latest input as JSON, and an answer that repeats who is meant."""

from __future__ import annotations

from telco_sim.dialects.dialect import Dialect, Request, Shown, msisdn, posted
from telco_sim.dialects.reading import echoed, member, object_of, words
from telco_sim.exchange import Answer
from telco_sim.session import Session

USER = "USSD_DOCUMENTATION"


class Arkesel(Dialect):
    name = "arkesel"
    label = "Arkesel"

    def request(self, session: Session, phone: str) -> Request:
        session.echo["msisdn"] = msisdn(phone)
        return posted(
            {
                "sessionID": session.id,
                "userID": USER,
                "newSession": session.hops == 1,
                "msisdn": msisdn(phone),
                "userData": session.latest,
                "network": session.network.operator.upper(),
            }
        )

    def read(self, session: Session, answer: Answer) -> Shown:
        reply = object_of(answer)
        echoed(reply, sessionID=session.id, userID=USER, msisdn=session.echo["msisdn"])
        return Shown(words(reply, "message"), open=member(reply, "continueSession", bool))
