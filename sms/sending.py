"""What a gateway is, and what it can answer: a failure is a value, which the outbox acts on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider has it. `provider_id` names the text in delivery reports; None where it gave no name."""

    provider_id: str | None
    cost: str | None = None
    segments: int | None = None


@dataclass(frozen=True, slots=True)
class SendFailed:
    """Why a text did not go, as a code for logs and reports.

    `retry`: the provider certainly does not have it. `final`: it never will. `unknown`: it may have it, so a
    second try could reach the person twice. `opted_out`: the person wants no texts. `stops_gateway`: not this
    text but the account is wrong, and every text would fail until somebody does what `advice` says. Advice without
    it is about this text alone.
    """

    code: str
    outcome: Literal["retry", "final", "unknown"]
    opted_out: bool = False
    stops_gateway: bool = False
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What a provider says of a text later on.

    `status` is sent, delivered, failed or expired; any other is kept and means nothing. The reason opted_out
    means that the person wants no texts. `reference` is the notification's id where the provider gives it back;
    where it does not, `phone` finds the text whose own answer, with its id, was lost.
    """

    provider_id: str
    status: str
    phone: str | None = None
    reason: str | None = None
    raw: dict[str, str] = field(default_factory=dict)
    reference: UUID | None = None


class Gateway(Protocol):
    """One way out for texts."""

    @property
    def code(self) -> str: ...

    async def send(self, phone: str, body: str, *, reference: str, expires_in: timedelta) -> Sent | SendFailed:
        """Hand over one text. Its own time-outs end it within 15 s; `reference` is the notification's id.

        `expires_in` is how long the text stays true: a provider that can is told to drop it after that.
        """
        ...

    async def look_up(self, phone: str, body: str, since: datetime) -> Sequence[Report] | None:
        """The provider's texts to this phone with these words, the oldest first. None: it cannot be asked."""
        ...

    async def close(self) -> None: ...
