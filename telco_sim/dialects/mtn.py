"""MTN's group API (MADAPI): numbered message types, texts in requests and numbers in answers."""

from __future__ import annotations

from telco_sim.dialects.dialect import Dialect, Request, Shown, Unreadable, digits, msisdn, posted
from telco_sim.dialects.reading import choice, member, object_of, words
from telco_sim.exchange import Answer
from telco_sim.session import Ending, Session

BEGIN, CONTINUE = "0", "1"
ENDINGS = {Ending.HUNG_UP: "4", Ending.TIMED_OUT: "5"}
TYPES = {1: True, 2: False}
OK = "0000"


class Mtn(Dialect):
    name = "mtn"
    label = "MTN MADAPI"

    def new_id(self) -> str:
        return digits(10)

    def request(self, session: Session, phone: str) -> Request:
        return posted(_fields(session, phone, BEGIN if session.hops == 1 else CONTINUE, session.latest))

    def read(self, session: Session, answer: Answer) -> Shown:
        reply = object_of(answer)
        if (code := member(reply, "statusCode", str)) != OK:
            raise Unreadable(f"The application answered statusCode {code!r}: {reply.get('statusMessage', '')}")
        data = member(reply, "data", dict)
        going_on = choice(data, "messageType", TYPES)
        if member(data, "userInputRequired", bool) is not going_on:
            raise Unreadable("userInputRequired and messageType contradict each other.")
        # The schema requires one name and describes the other, so a careful application sends both.
        return Shown(words(data, "inboundResponse" if "inboundResponse" in data else "outboundResponse"), open=going_on)

    def ending(self, session: Session, ending: Ending) -> Request | None:
        kind = ENDINGS.get(ending)
        return posted(_fields(session, session.phone, kind, "")) if kind else None


def _fields(session: Session, phone: str, kind: str, words: str) -> dict[str, str]:
    return {
        "sessionId": session.id,
        "messageType": kind,
        "msisdn": msisdn(phone),
        "serviceCode": session.service_code,
        "ussdString": words,
    }
