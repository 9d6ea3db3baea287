"""The telco's ledger: everything that passed through it, in order, so that a test can settle any argument."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that happened. `number` starts at 1 and grows by one; `time` never goes backwards."""

    number: int
    time: datetime
    kind: str
    phone: str
    data: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Return the row as it is answered over HTTP."""
        return {
            "number": self.number,
            "time": self.time.isoformat(),
            "kind": self.kind,
            "phone": self.phone,
            "data": self.data,
        }


@dataclass(slots=True)
class Ledger:
    """Rows in order, of these kinds.

    ussd.request (the gateway's words, or with `dialect` ours and, as `sent`, the gateway's), ussd.reply, ussd.end
    (the thirteen fields of the end event);
    sms.request, sms.message (one for each recipient), sms.answer (what the sender was told), sms.report;
    twilio.request, twilio.message, twilio.answer, twilio.report: the same in Twilio's dialect;
    power (a phone is switched on or off), arrival (a text that waited for that reaches its phone);
    inbound (a text of a phone), inbound.post (each time the application got it), optout, optout.post.
    """

    rows: list[Row] = field(default_factory=list)
    _arrival: asyncio.Event = field(default_factory=asyncio.Event)

    def write(self, kind: str, phone: str, **data: Any) -> Row:
        """Append one row and return it."""
        now = datetime.now(UTC)
        if self.rows:
            now = max(now, self.rows[-1].time)
        row = Row(len(self.rows) + 1, now, kind, phone, data)
        self.rows.append(row)
        self.wake()
        return row

    def wake(self) -> None:
        """Let everybody look again who waits for a row."""
        self._arrival.set()
        self._arrival = asyncio.Event()

    async def wait(self, number: int, seconds: float) -> list[Row]:
        """Return the rows that follow row `number`; wait up to `seconds` when there is none."""
        if not self.after(number):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._arrival.wait(), seconds)
        return self.after(number)

    def after(self, number: int) -> list[Row]:
        """Return the rows that follow row `number`; 0 means all."""
        return self.rows[max(number, 0) :]

    def of(self, kind: str, phone: str | None = None) -> list[Row]:
        """Return the rows of one kind, of one phone where it is given."""
        return [row for row in self.rows if row.kind == kind and phone in (None, row.phone)]
