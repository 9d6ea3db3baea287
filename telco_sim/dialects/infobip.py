"""Infobip: a path for each event of a session, whose first answer is always shown as a menu."""

from __future__ import annotations

from telco_sim.dialects.dialect import Dialect, Request, Shown, Unreadable, digits, msisdn, posted
from telco_sim.dialects.reading import member, object_of, words
from telco_sim.exchange import Answer
from telco_sim.session import Ending, Session

IMSI = "429011234567890"
EXIT_OK = 200
EXIT_CODES = {Ending.DONE: EXIT_OK, Ending.HUNG_UP: 600, Ending.TIMED_OUT: 504, Ending.FAILED: 500}


class Infobip(Dialect):
    name = "infobip"
    label = "Infobip"

    def new_id(self) -> str:
        return digits(10)

    def request(self, session: Session, phone: str) -> Request:
        first = session.hops == 1
        fields = {
            "msisdn": msisdn(phone),
            "imsi": IMSI,
            "shortCode": session.dialled if first else session.service_code,
            "text": "" if first else session.latest,
            "language": None,
            "optional": "",
            "ussdGwId": "11",
        }
        return posted(fields, tail=f"/session/{session.id}/{'start' if first else 'response'}")

    def read(self, session: Session, answer: Answer) -> Shown:
        reply = object_of(answer)
        if (code := member(reply, "responseExitCode", int)) != EXIT_OK:
            raise Unreadable(f"The application answered responseExitCode {code}: {reply.get('responseMessage', '')}")
        closing = member(reply, "shouldClose", bool)
        return Shown(words(reply, "ussdMenu"), open=session.hops == 1 or not closing)

    def ending(self, session: Session, ending: Ending) -> Request | None:
        fields = {"reason": ending.value, "exitCode": EXIT_CODES[ending]}
        return posted(fields, method="PUT", tail=f"/session/{session.id}/end")
