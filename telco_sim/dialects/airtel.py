"""Airtel (Comviva Flares): a query with the latest input; plain text, and headers that say whether it goes on."""

from __future__ import annotations

from telco_sim.callbacks import encode_form
from telco_sim.dialects.dialect import Dialect, Request, Shown, Unreadable, bare, digits, msisdn
from telco_sim.dialects.reading import body_of, choice
from telco_sim.exchange import Answer
from telco_sim.session import Ending, Session

FLOWS = {"FC": True, "FB": False}
CHARGES = {"Y": True, "N": False}
SWITCH = "msc-nairobi-1"
LOST = "522"


class Airtel(Dialect):
    name = "airtel"
    label = "Airtel Flares"

    def new_id(self) -> str:
        return digits(14)

    def request(self, session: Session, phone: str) -> Request:
        words = bare(session.dialled) if session.hops == 1 else session.latest
        return _asked({"SessionID": session.id, "MSISDN": msisdn(phone), "MSC": SWITCH, "input": words}, session)

    def read(self, session: Session, answer: Answer) -> Shown:
        text = body_of(answer)
        if not answer.headers.get("content-type", "").startswith("text/plain"):
            raise Unreadable("The reply must be text/plain.")
        going_on = choice(answer.headers, "freeflow", FLOWS)
        choice(answer.headers, "charge", CHARGES)
        if not answer.headers.get("amount", "").isdigit():
            raise Unreadable("The header amount must be a whole number, 0 where nothing is charged.")
        if not text:
            raise Unreadable("The reply is empty, so there is nothing to show.")
        return Shown(text, open=going_on)

    def ending(self, session: Session, ending: Ending) -> Request | None:
        if ending is Ending.DONE:
            return None
        phone = msisdn(session.phone)
        fields = {"clean": "clean-session", "error": LOST, "SessionID": session.id, "msisdn": phone}
        return _asked(fields, session)


def _asked(fields: dict[str, str], session: Session) -> Request:
    return Request(fields, method="GET", tail=f"?{encode_form(fields, bare_star=session.bare_star)}")
