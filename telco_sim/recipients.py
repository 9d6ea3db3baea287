"""What the gateway says about each recipient of a send request, and the numbers that always fail."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass

STATUSES = {
    100: "Processed",
    101: "Success",
    102: "Success",
    401: "RiskHold",
    402: "InvalidSenderId",
    403: "InvalidPhoneNumber",
    404: "UnsupportedNumberType",
    405: "InsufficientBalance",
    406: "UserInBlacklist",
    407: "CouldNotRoute",
    409: "DoNotDisturbRejection",
    500: "InternalServerError",
    501: "GatewayError",
    502: "RejectedByGateway",
}
ACCEPTED = frozenset({100, 101, 102})
SENT, QUEUED, INVALID_NUMBER, BLACKLISTED = 101, 102, 403, 406
COST_OF_A_PART = 0.8

MAGIC_NUMBERS = {f"+254799000{code}": code for code in STATUSES if code not in ACCEPTED}
"""Numbers that always fail, by their last three digits:

+254799000401 RiskHold · …402 InvalidSenderId · …403 InvalidPhoneNumber · …404 UnsupportedNumberType
…405 InsufficientBalance · …406 UserInBlacklist · …407 CouldNotRoute · …409 DoNotDisturbRejection
…500 InternalServerError · …501 GatewayError · …502 RejectedByGateway
"""


@dataclass(frozen=True, slots=True)
class Recipient:
    """One element of `Recipients`; one that was not accepted has no id and costs nothing."""

    number: str
    code: int
    parts: int
    message_id: str

    @classmethod
    def judged(cls, number: str, parts: int, *, enqueue: bool, scripted: int | None) -> Recipient:
        """Decide the fate of one number: a scripted code, a magic number, its shape, then success."""
        code = scripted or MAGIC_NUMBERS.get(number) or (QUEUED if enqueue else SENT)
        if not re.fullmatch(r"\+\d{7,15}", number):
            code = INVALID_NUMBER
        message_id = f"ATXid_{uuid.uuid4().hex}" if code in ACCEPTED else "None"
        return cls(number, code, parts, message_id)

    @property
    def accepted(self) -> bool:
        """Tell whether the text will be delivered."""
        return self.code in ACCEPTED

    @property
    def cost(self) -> float:
        """Return the price in shillings."""
        return COST_OF_A_PART * self.parts if self.accepted else 0.0

    def as_json(self) -> dict[str, str | int]:
        """Return the element as the gateway writes it."""
        return {
            "cost": f"KES {self.cost:.4f}" if self.accepted else "0",
            "messageId": self.message_id,
            "number": self.number,
            "status": STATUSES[self.code],
            "statusCode": self.code,
        }


def summary(recipients: list[Recipient], parts: int) -> str:
    """Return the gateway's `Message` sentence."""
    accepted = [recipient for recipient in recipients if recipient.accepted]
    told = f"Sent to {len(accepted)}/{len(recipients)} Total Cost: "
    if not accepted:
        return f"{told}0"
    return f"{told}KES {sum(recipient.cost for recipient in accepted):.4f} Message parts: {parts}"
