"""What a telco must know before it starts: its networks and their limits, the account, the application."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

LONGEST_RETRY_SECONDS = 3600.0
# 1, 2, 4 … seconds, then every hour: 12 hours in all, as Africa's Talking says of itself.
INBOUND_RETRIES = (*(2.0**n for n in range(12)), *[LONGEST_RETRY_SECONDS] * 11)
DEFAULT_DIALECT = "africastalking"
TEXTABLE = re.compile(r"\+?\d{3,15}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """One mobile network; times in seconds. `operator` is its name with gateways that say it in words."""

    name: str
    code: str
    country: str = "Kenya"
    operator: str = ""
    reply_seconds: float = 10.0
    idle_seconds: float = 30.0
    session_seconds: float = 180.0


ATHENA = Network(name="Athena", code="99999", country="Sandbox", operator="athena")
SAFARICOM = Network(name="Safaricom", code="63902", operator="safaricom")
AIRTEL = Network(name="Airtel", code="63903", operator="airtel", idle_seconds=60.0)
EQUITEL = Network(name="Equitel", code="63999", operator="equitel")
ELSEWHERE = (
    Network(name="MTN Ghana", code="62001", country="Ghana", operator="mtn"),
    Network(name="Vodafone Ghana", code="62002", country="Ghana", operator="vodafone"),
    Network(name="AirtelTigo", code="62006", country="Ghana", operator="airteltigo"),
    Network(name="Vodacom Tanzania", code="64004", country="Tanzania", operator="vodacom"),
    Network(name="Tigo Tanzania", code="64002", country="Tanzania", operator="tigo"),
    Network(name="MTN Uganda", code="64110", country="Uganda", operator="mtn"),
    Network(name="MTN Nigeria", code="62130", country="Nigeria", operator="mtn"),
    Network(name="MTN Rwanda", code="63510", country="Rwanda", operator="mtn"),
)
NETWORKS = {network.name: network for network in (ATHENA, SAFARICOM, AIRTEL, EQUITEL, *ELSEWHERE)}
"""Presets by name. Athena is the gateway's own sandbox network, and the default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TelcoConfig:
    """Everything about one telco and the application behind its short code.

    - `senders`: the sender ids that texts may come from; a text that names none is always taken.
    - `ussd_url`, `ussd_end_url`, `delivery_url`, `inbound_url`, `optout_url`, `twilio_inbound_url`: an empty
      address means that nothing is posted there. The first two are those of Africa's Talking; `dialect_urls` are
      the addresses of the other gateways by the name of their dialect.
    - `inbound_retries`: the pauses in seconds before an inbound text that was not answered 200 is posted again.
      Twilio's dialect knows only the first, and only after a refused connection.
    - `twilio_account_sid`: without it, Twilio's dialect is off. `twilio_senders`: the account's numbers and sender
      ids.
    - `public_url`: the scheme and host at which the application believes to be reached. Twilio's signatures are made
      over it, and a status callback at it is posted to the host of `twilio_inbound_url`.
    - `prefill`: digits dialled after the code (`*384*40*4071#`) are the first `text`; operators differ.
    - `bare_star`: send `*` as it is instead of `%2A`.
    - `panel_url`, `board_url`: pages of the application that `/telco/demo` shows beside the phones, which must let
      themselves be framed by this telco. `tour`: JSON, a list of `{"place": "phones", "panel" or "board", "title",
      "words"}`.
    - `report_delay`: the pause in seconds before each delivery report.
    """

    api_key: str
    username: str = "sandbox"
    service_code: str = "*384*40#"
    senders: frozenset[str] = frozenset({"20880"})
    network: Network = ATHENA
    ussd_url: str = ""
    ussd_end_url: str = ""
    dialect_urls: Mapping[str, str] = field(default_factory=dict)
    delivery_url: str = ""
    inbound_url: str = ""
    optout_url: str = ""
    inbound_retries: tuple[float, ...] = INBOUND_RETRIES
    twilio_account_sid: str = ""
    twilio_auth_token: str = ""
    twilio_senders: frozenset[str] = frozenset({"+15005550006"})
    twilio_inbound_url: str = ""
    public_url: str = ""
    prefill: bool = True
    bare_star: bool = False
    end_events: bool = True
    panel_url: str = ""
    board_url: str = ""
    tour: str = ""
    report_delay: float = 0.3

    def urls_of(self, dialect: str) -> tuple[str, str]:
        """Where a dialect's requests go, and where it says that a session ended."""
        if dialect == DEFAULT_DIALECT:
            return self.ussd_url, self.ussd_end_url
        url = self.dialect_urls.get(dialect, "")
        return url, url

    @property
    def numbers(self) -> list[str]:
        """What a phone can text: short codes first, then Twilio's; nobody can answer a sender made of letters."""
        return [*_textable(self.senders), *self.twilio_numbers]

    @property
    def twilio_numbers(self) -> list[str]:
        """Those of the numbers that are Twilio's."""
        return _textable(self.twilio_senders) if self.twilio_account_sid else []


def _textable(senders: frozenset[str]) -> list[str]:
    return sorted(sender for sender in senders if TEXTABLE.fullmatch(sender))
