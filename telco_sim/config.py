"""What a telco must know before it starts: its networks and their limits, the account, the application."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """One mobile network; times in seconds."""

    name: str
    code: str
    reply_seconds: float = 10.0
    idle_seconds: float = 30.0
    session_seconds: float = 180.0


ATHENA = Network(name="Athena", code="99999")
SAFARICOM = Network(name="Safaricom", code="63902")
AIRTEL = Network(name="Airtel", code="63903", idle_seconds=60.0)
EQUITEL = Network(name="Equitel", code="63999")
NETWORKS = {network.name: network for network in (ATHENA, SAFARICOM, AIRTEL, EQUITEL)}
"""Presets by name. Athena is the gateway's own sandbox network, and the default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TelcoConfig:
    """Everything about one telco and the application behind its short code.

    - `senders`: the sender ids that texts may come from; a text that names none is always taken.
    - `ussd_url`, `ussd_end_url`, `delivery_url`: an empty address means that nothing is posted there.
    - `prefill`: digits dialled after the code (`*384*40*4071#`) are the first `text`; operators differ.
    - `bare_star`: send `*` as it is instead of `%2A`.
    - `report_delay`: the pause in seconds before each delivery report.
    """

    api_key: str
    username: str = "sandbox"
    service_code: str = "*384*40#"
    senders: frozenset[str] = frozenset({"20880"})
    network: Network = ATHENA
    ussd_url: str = ""
    ussd_end_url: str = ""
    delivery_url: str = ""
    prefill: bool = True
    bare_star: bool = False
    end_events: bool = True
    report_delay: float = 0.3
