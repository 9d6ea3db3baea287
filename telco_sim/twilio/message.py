"""One message as Twilio keeps it, going out or coming in, and its JSON."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

API = "/2010-04-01"


def new_sid() -> str:
    """Return an id of Twilio's shape: SM and 32 hexadecimal digits."""
    return f"SM{uuid.uuid4().hex}"


def now() -> datetime:
    """Return the time as Twilio writes it: UTC, whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(slots=True, kw_only=True, eq=False)
class Message:
    """`direction` is inbound, outbound-api or outbound-reply; `sent` is None until it left Twilio."""

    account: str
    sender: str
    to: str
    body: str
    parts: int
    direction: str
    status: str
    sid: str = field(default_factory=new_sid)
    created: datetime = field(default_factory=now)
    sent: datetime | None = None
    error_code: int | None = None

    def become(self, status: str, error_code: int | None = None) -> None:
        """Reach the status in which the message stays."""
        self.status, self.error_code, self.sent = status, error_code, now()

    def as_json(self) -> dict[str, Any]:
        """Return every key that Twilio writes."""
        uri = f"{API}/Accounts/{self.account}/Messages/{self.sid}"
        return {
            "account_sid": self.account,
            "api_version": API.strip("/"),
            "body": self.body,
            "date_created": format_datetime(self.created),
            "date_sent": format_datetime(self.sent) if self.sent else None,
            "date_updated": format_datetime(self.sent or self.created),
            "direction": self.direction,
            "error_code": self.error_code,
            "error_message": None,
            "from": self.sender,
            "messaging_service_sid": None,
            "num_media": "0",
            "num_segments": str(self.parts),
            "price": None,
            "price_unit": "USD",
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": self.to,
            "uri": f"{uri}.json",
        }
