"""Africa's Talking: a form with every input so far; text that begins with CON or END; an event at the end."""

from __future__ import annotations

import uuid

from telco_sim.callbacks import encode_form
from telco_sim.dialects.dialect import FORM, Dialect, Request, Shown, Unreadable
from telco_sim.exchange import Answer
from telco_sim.screen import PREFIX_LENGTH, refusal
from telco_sim.session import Ending, Session

HOP_LABEL = "at-ussd-hop-metadata"


class AfricasTalking(Dialect):
    name = "africastalking"
    label = "Africa's Talking"
    history = True

    def new_id(self) -> str:
        return f"ATUid_{uuid.uuid4().hex}"

    def request(self, session: Session, phone: str) -> Request:
        fields = session.request_fields(phone)
        headers = {HOP_LABEL: session.last_label} if session.last_label else {}
        return Request(fields, encode_form(fields, bare_star=session.bare_star).encode(), {**headers, **FORM})

    def read(self, session: Session, answer: Answer) -> Shown:
        session.label(answer.headers.get(HOP_LABEL, ""))
        if error := refusal(answer.status, answer.body):
            raise Unreadable(error)
        reply = answer.body.decode()
        return Shown(reply[PREFIX_LENGTH:], open=reply.startswith("CON "))

    def ending(self, session: Session, ending: Ending) -> Request | None:
        fields = session.end_fields(ending)
        return Request(fields, encode_form(fields, bare_star=session.bare_star).encode(), FORM)
