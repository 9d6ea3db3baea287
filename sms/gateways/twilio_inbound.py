"""Twilio's texts from people, and the proof that it was Twilio who brought them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import parse_qsl

from queue_core.errors import Refused
from queue_core.phones import normalise
from sms.inbound import LONGEST_ID, LONGEST_TEXT, MOST_FIELDS, Inbound, storable

CODE = "twilio"
SIGNATURE = "x-twilio-signature"
SIGNATURE_SETTINGS = "x-twilio-webhooks-signature-settings"
# As Twilio writes it: the signature is over names and values in one row, so that it would also hold for a request whose
# id swallows the field after it, and that is handled anew.
ID = re.compile(r"(?:SM|MM)[0-9a-f]{32}")
# What Twilio did about a text by itself, and told the person.
OPT_OUTS: dict[str, Literal["stop", "start", "help"]] = {"STOP": "stop", "START": "start", "HELP": "help"}


def parse_inbound(form: Mapping[str, str]) -> Inbound | None:
    """A text from a person, from its form; None where it has no id.

    Twilio says nothing of when it was sent: it brings a text at once, or within seconds once more, or not at all.
    """
    provider_id = form.get("MessageSid", "") or form.get("SmsSid", "")
    if not ID.fullmatch(provider_id):
        return None
    return Inbound(
        gateway=CODE,
        provider_id=provider_id,
        phone=_phone(form.get("From", "")),
        recipient=storable(form.get("To", ""), LONGEST_ID),
        text=storable(form.get("Body", ""), LONGEST_TEXT),
        sent_at=datetime.now(UTC),
        opt_out=OPT_OUTS.get(form.get("OptOutType", "").upper()),
    )


def signed_by(secrets: Sequence[str], url: str, body: bytes, headers: Mapping[str, str]) -> bool:
    """Whether Twilio signed this form with one of the secrets: auth tokens, or those of shared keys.

    `url` is the public one as Twilio knows it, with its query as it came; the names of `headers` are in lower
    case or do not mind it. Nothing of the form is to be believed before this.
    """
    from multidict import MultiDict
    from twilio.request_validator import RequestValidator, get_signature_algorithm

    try:
        pairs = parse_qsl(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        return False
    fields, signature = MultiDict(pairs), headers.get(SIGNATURE, "")
    algorithm = get_signature_algorithm(headers.get(SIGNATURE_SETTINGS))
    # Every secret is tried, so that the time does not tell which one fits.
    fits = [RequestValidator(secret).validate(url, fields, signature, algorithm) for secret in secrets if secret]
    return any(fits)


def _phone(written: str) -> str | None:
    """None for a sender that is no phone, such as a short code."""
    try:
        return normalise(written) if written.startswith("+") else None
    except Refused:
        return None
