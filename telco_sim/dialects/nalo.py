"""Nalo Solutions (Ghana): 120 characters at most, and a MSGTYPE that means "first" going in and "go on" coming out."""

from __future__ import annotations

from telco_sim.dialects.dialect import Dialect, Request, Shown, digits, msisdn, posted
from telco_sim.dialects.reading import echoed, member, object_of, words
from telco_sim.exchange import Answer
from telco_sim.session import Session

USER = "NALOTest"
LONGEST = 120


class Nalo(Dialect):
    name = "nalo"
    label = "Nalo"

    def new_id(self) -> str:
        return digits(17)

    def request(self, session: Session, phone: str) -> Request:
        return posted(
            {
                "USERID": USER,
                "MSISDN": msisdn(phone),
                "USERDATA": session.latest[:LONGEST],
                "MSGTYPE": session.hops == 1,
                "NETWORK": session.network.operator.upper(),
                "SESSIONID": session.id,
            }
        )

    def read(self, session: Session, answer: Answer) -> Shown:
        reply = object_of(answer)
        echoed(reply, USERID=USER)
        return Shown(words(reply, "MSG", LONGEST), open=member(reply, "MSGTYPE", bool))
