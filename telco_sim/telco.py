"""The telco's state: SIM cards, USSD sessions, inboxes, the ledger and the faults in force."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from telco_sim.callbacks import Callbacks
from telco_sim.config import DEFAULT_DIALECT, Network, TelcoConfig
from telco_sim.faults import Faults
from telco_sim.ledger import Ledger, Row
from telco_sim.session import Session
from telco_sim.twilio.message import Message


@dataclass(frozen=True, slots=True)
class Text:
    """One SMS in the inbox of a phone. `number` is its row in the ledger, so it grows over all phones."""

    number: int
    time: str
    sender: str
    text: str
    parts: int
    id: str

    def as_json(self) -> dict[str, Any]:
        """Return the text as it is answered over HTTP."""
        return {
            "number": self.number,
            "time": self.time,
            "from": self.sender,
            "text": self.text,
            "parts": self.parts,
            "id": self.id,
        }


@dataclass(slots=True, eq=False)
class Inbox:
    """The texts of one phone, oldest first."""

    texts: list[Text] = field(default_factory=list)
    arrival: asyncio.Event = field(default_factory=asyncio.Event)

    def after(self, number: int) -> list[Text]:
        """Return the texts that arrived after ledger row `number`."""
        return [text for text in self.texts if text.number > number]

    def wake(self) -> None:
        """Let everybody look again who waits for a text."""
        self.arrival.set()
        self.arrival = asyncio.Event()


class Telco:
    """State without behaviour: `ussd`, `sms`, `texting` and `twilio` act on it.

    `optouts` are pairs of a sender and a phone; `overtaken` are the posts that wait for a phone's next text.
    """

    def __init__(self, config: TelcoConfig) -> None:
        """Start with no SIM, no session and no fault."""
        self.config = config
        self.ledger = Ledger()
        self.faults = Faults()
        self.callbacks = Callbacks()
        self.sessions: dict[str, Session] = {}
        self.optouts: set[tuple[str, str]] = set()
        self.overtaken: dict[str, list[Callable[[], Awaitable[object]]]] = {}
        self.twilio_messages: list[Message] = []
        self.stopping = False
        self._sims: dict[str, Network] = {}
        self._dialects: dict[str, str] = {}
        self._inboxes: dict[str, Inbox] = {}
        self._off: dict[str, list[Callable[[], object]]] = {}

    def connect(self, **urls: Any) -> None:
        """Point at an application: any of the addresses of a TelcoConfig."""
        self.config = replace(self.config, **urls)

    def insert_sim(self, phone: str, network: Network) -> None:
        """Move a phone to a network; every other phone is on the configured one."""
        self._sims[phone] = network

    def network_of(self, phone: str) -> Network:
        """Return the network that a phone is on."""
        return self._sims.get(phone, self.config.network)

    def choose_dialect(self, phone: str, dialect: str) -> None:
        """Have a phone's codes served by a gateway; those of every other phone are by Africa's Talking."""
        self._dialects[phone] = dialect

    def dialect_of(self, phone: str) -> str:
        """Return the name of the gateway that serves a phone's codes."""
        return self._dialects.get(phone, DEFAULT_DIALECT)

    def inbox(self, phone: str) -> Inbox:
        """Return the inbox of a phone, empty when it never got a text."""
        return self._inboxes.setdefault(phone, Inbox())

    @property
    def off(self) -> list[str]:
        """The phones that are switched off."""
        return list(self._off)

    def is_off(self, phone: str) -> bool:
        """Tell whether a phone is switched off."""
        return phone in self._off

    def switch(self, phone: str, *, on: bool) -> None:
        """Switch a phone on or off; what waited for it happens now."""
        if on != self.is_off(phone):
            return
        self.ledger.write("power", phone, on=on)
        if not on:
            self._off[phone] = []
            return
        for happen in self._off.pop(phone):
            happen()

    def once_on(self, phone: str, happen: Callable[[], object]) -> None:
        """Let something happen now, or where the phone is off as soon as it is on."""
        if self.is_off(phone):
            self._off[phone].append(happen)
        else:
            happen()

    def deliver(self, row: Row) -> None:
        """Put the text of an `sms.message` or `twilio.message` row into the inbox of its phone, once that is on."""
        if self.is_off(row.phone):
            self.once_on(row.phone, lambda: self._arrive_late(row))
        else:
            self._arrive(row)

    def _arrive_late(self, row: Row) -> None:
        self._arrive(self.ledger.write("arrival", row.phone, **{**row.data, "delivered": True}))

    def _arrive(self, row: Row) -> None:
        data = row.data
        inbox = self.inbox(row.phone)
        inbox.texts.append(
            Text(row.number, row.time.isoformat(), data["from"], data["text"], data["parts"], data["messageId"]),
        )
        inbox.wake()

    async def wait_for_texts(self, phone: str, after: int, seconds: float) -> list[Text]:
        """Return the texts after ledger row `after`; wait up to `seconds` when there is none."""
        inbox = self.inbox(phone)
        if not inbox.after(after) and not self.stopping:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(inbox.arrival.wait(), seconds)
        return inbox.after(after)

    def stop(self) -> None:
        """End everything that waits, so that a server can close at once."""
        self.stopping = True
        for session in self.sessions.values():
            session.stop_clock()
        for inbox in self._inboxes.values():
            inbox.wake()
        self.ledger.wake()
        self.callbacks.stop()

    async def aclose(self) -> None:
        """Stop and release the connections; posts nothing for sessions that were still open."""
        self.stop()
        await self.callbacks.aclose()
