"""A telco inside a test: `async with running(config) as telco`, and handsets to hold."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from telco_sim import texting, ussd
from telco_sim.app import create_app
from telco_sim.config import Network, TelcoConfig
from telco_sim.exchange import Answer
from telco_sim.faults import Faults, InboundFault
from telco_sim.ledger import Ledger
from telco_sim.screen import Screen
from telco_sim.server import serving
from telco_sim.telco import Telco, Text

__all__ = ["Handset", "RunningTelco", "running", "serving"]


class Handset:
    """One phone. It holds one session at a time; two handsets of one number hold two, and share the inbox."""

    def __init__(self, telco: Telco, number: str) -> None:
        """Take the phone from the drawer; nothing is dialled yet."""
        self.number = number
        self.screen = Screen("", open=False)
        self._telco = telco

    async def dial(self, code: str) -> Screen:
        """Dial a code; a session that is still open is hung up first."""
        if self.screen.open:
            await self.hang_up()
        self.screen = await ussd.dial(self._telco, self.number, code)
        return self.screen

    async def press(self, keys: str) -> Screen:
        """Answer the screen; raises RuntimeError when it takes no answer."""
        if not self.screen.open:
            raise RuntimeError(f"The last screen took no answer, so {keys!r} cannot be sent: {self.screen}")
        self.screen = await ussd.press(self._telco, self.screen.session, keys)
        return self.screen

    async def hang_up(self) -> Screen:
        """End the session, also while `dial` or `press` waits for its answer in another task."""
        sessions = [session.id for session in self._telco.sessions.values() if session.phone == self.number]
        for session_id in [self.screen.session] if self.screen.open else sessions:
            self.screen = await ussd.hang_up(self._telco, session_id)
        return self.screen

    def switch(self, *, on: bool) -> None:
        """Switch the phone on or off."""
        ussd.switch(self._telco, self.number, on=on)

    async def text(self, words: str, *, to: str) -> list[Answer]:
        """Text a number, and return what the application answered to each copy; see `RunningTelco.text`."""
        return await texting.text(self._telco, self.number, to, words)

    async def opt_out(self, sender: str) -> Answer:
        """Have a sender made of letters stopped, and return what the application answered."""
        return await texting.opt_out(self._telco, self.number, sender)

    @property
    def inbox(self) -> list[Text]:
        """Return every text so far, oldest first."""
        return list(self._telco.inbox(self.number).texts)

    async def wait_for_text(self, contains: str, *, after: int = 0, within: float = 10.0) -> Text:
        """Return the first text with these words, among those after ledger row `after`, past ones included.

        Raises AssertionError with what came instead when there is none `within` so many seconds.
        """
        deadline = asyncio.get_running_loop().time() + within
        seen = after
        while (left := deadline - asyncio.get_running_loop().time()) > 0:
            for text in await self._telco.wait_for_texts(self.number, seen, left):
                if contains in text.text:
                    return text
                seen = text.number
        came = [text.text for text in self.inbox if text.number > after]
        raise AssertionError(f"No text with {contains!r} reached {self.number} in {within:g} s, but: {came}")


@dataclass(frozen=True, slots=True)
class RunningTelco:
    """A telco that listens at `url` (scheme, host and port alone)."""

    url: str
    state: Telco

    def phone(self, number: str, network: Network | None = None, dialect: str | None = None) -> Handset:
        """Return a new handset; `network` moves the number there, and `dialect` names the gateway of its codes."""
        if network:
            self.state.insert_sim(number, network)
        if dialect:
            self.state.choose_dialect(number, dialect)
        return Handset(self.state, number)

    @property
    def ledger(self) -> Ledger:
        """Return the ledger."""
        return self.state.ledger

    @property
    def faults(self) -> Faults:
        """Return the faults in force, to be extended in place."""
        return self.state.faults

    def set_faults(self, faults: Faults) -> None:
        """Replace all faults; `Faults()` lets everything work again."""
        self.state.faults = faults

    def connect(
        self,
        *,
        ussd_url: str = "",
        ussd_end_url: str = "",
        dialect_urls: Mapping[str, str] | None = None,
        delivery_url: str = "",
        inbound_url: str = "",
        optout_url: str = "",
        twilio_inbound_url: str = "",
        public_url: str = "",
    ) -> None:
        """Point at the application, for when its address is known only after the telco's; see TelcoConfig."""
        self.state.connect(
            ussd_url=ussd_url,
            ussd_end_url=ussd_end_url,
            dialect_urls=dialect_urls or {},
            delivery_url=delivery_url,
            inbound_url=inbound_url,
            optout_url=optout_url,
            twilio_inbound_url=twilio_inbound_url,
            public_url=public_url,
        )

    async def text(
        self,
        phone: str,
        words: str,
        *,
        to: str,
        times: int = 1,
        at_once: bool = False,
        delay: float = 0.0,
        overtaken: bool = False,
        date: str | None = None,
    ) -> list[Answer]:
        """Text `words` from a phone to a number; returns the application's first answer to each copy.

        The other parameters are those of InboundFault, and stand above the faults in force. A copy not answered 200
        is posted again in the background: `settle` waits for that.
        """
        wrong = InboundFault(deliver=times, at_once=at_once, delay=delay, overtaken=overtaken, date=date)
        return await texting.text(self.state, phone, to, words, wrong)

    async def settle(self) -> None:
        """Wait until every end event, report and inbound text that is due was posted."""
        await self.state.callbacks.settle()


@contextlib.asynccontextmanager
async def running(config: TelcoConfig) -> AsyncIterator[RunningTelco]:
    """Run a telco on a free loopback port of this process until the block ends."""
    app = create_app(config)
    telco: Telco = app.state.telco
    async with serving(app, telco.stop) as url:
        yield RunningTelco(url, telco)
