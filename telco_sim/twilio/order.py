"""One request to send a text through Twilio, read and judged as Twilio judges it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from telco_sim.twilio.errors import (
    FOREIGN_SENDER,
    INVALID_CALLBACK,
    INVALID_PARAMETER,
    INVALID_RECIPIENT,
    INVALID_SENDER,
    MAGIC_RECIPIENTS,
    MAGIC_SENDERS,
    NO_BODY,
    NO_RECIPIENT,
    NO_SENDER,
    NO_SUCH_SERVICE,
    OVER_LENGTH,
    RefusedError,
)

LONGEST_BODY = 1600
VALIDITY = range(1, 36001)
E164 = re.compile(r"\+[1-9]\d{6,14}")
SENDER = re.compile(r"\+[1-9]\d{6,14}|\d{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")


@dataclass(frozen=True, slots=True)
class Order:
    """The fields that matter here; `validity` in seconds, as it was sent, empty when it was not."""

    to: str
    sender: str
    service: str
    body: str
    callback: str
    validity: str

    @classmethod
    def read(cls, body: bytes) -> Order:
        """Read the form; what is missing is empty."""
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        return cls(
            to=form.get("To", ""),
            sender=form.get("From", ""),
            service=form.get("MessagingServiceSid", ""),
            body=form.get("Body", ""),
            callback=form.get("StatusCallback", ""),
            validity=form.get("ValidityPeriod", ""),
        )

    def judge(self, senders: frozenset[str]) -> None:
        """Return when Twilio would take it; raises RefusedError with the code of the first thing wrong."""
        faults = [*self._sender_faults(senders), *self._text_faults(), *self._recipient_faults()]
        if code := next((code for wrong, code in faults if wrong), None):
            raise RefusedError(code)

    def _sender_faults(self, senders: frozenset[str]) -> list[tuple[bool, int]]:
        return [
            (not self.to, NO_RECIPIENT),
            (bool(self.service), NO_SUCH_SERVICE),
            (not self.sender, NO_SENDER),
            (self.sender in MAGIC_SENDERS, MAGIC_SENDERS.get(self.sender, 0)),
            (not SENDER.fullmatch(self.sender), INVALID_SENDER),
            (self.sender not in senders, FOREIGN_SENDER),
        ]

    def _text_faults(self) -> list[tuple[bool, int]]:
        return [
            (not self.body, NO_BODY),
            (len(self.body) > LONGEST_BODY, OVER_LENGTH),
            (bool(self.callback) and not _is_url(self.callback), INVALID_CALLBACK),
            (bool(self.validity) and not _is_validity(self.validity), INVALID_PARAMETER),
        ]

    def _recipient_faults(self) -> list[tuple[bool, int]]:
        return [
            (self.to in MAGIC_RECIPIENTS, MAGIC_RECIPIENTS.get(self.to, 0)),
            (not E164.fullmatch(self.to), INVALID_RECIPIENT),
        ]


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    # A host with an underscore is one of Twilio's own prohibitions.
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and "_" not in str(parts.hostname)


def _is_validity(seconds: str) -> bool:
    return bool(re.fullmatch(r"\d{1,5}", seconds)) and int(seconds) in VALIDITY
