"""Safaricom without a gateway between: a query with every input so far; text that begins with CON or END."""

from __future__ import annotations

from telco_sim.callbacks import encode_form
from telco_sim.dialects.dialect import Dialect, Request, Shown, Unreadable, bare, digits, msisdn
from telco_sim.exchange import Answer
from telco_sim.screen import PREFIX_LENGTH, refusal
from telco_sim.session import Session


class Safaricom(Dialect):
    name = "safaricom"
    label = "Safaricom"
    history = True

    def new_id(self) -> str:
        return digits(12)

    def request(self, session: Session, phone: str) -> Request:
        fields = {
            "ORIG": msisdn(phone),
            "DEST": bare(session.service_code),
            "SESSION_ID": session.id,
            "USSD_PARAMS": session.text,
        }
        return Request(fields, method="GET", tail=f"?{encode_form(fields, bare_star=session.bare_star)}")

    def read(self, session: Session, answer: Answer) -> Shown:
        if error := refusal(answer.status, answer.body):
            raise Unreadable(error)
        reply = answer.body.decode()
        return Shown(reply[PREFIX_LENGTH:], open=reply.startswith("CON "))
