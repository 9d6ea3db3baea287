"""Texts that never reached us: a provider keeps a list of what it received, and we read on where we stopped."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import UTC, datetime

from db.pool import FAILED, Pool
from db.queries import load
from sms.gateways.africastalking import AfricasTalking
from sms.inbound import TOO_OLD
from sms.inbox import Inbox

SQL = load("inbound")
log = logging.getLogger("zamu.sms")

AGAIN_SECONDS = 600


class Missed:
    """Catches up at the start and then every ten minutes: the provider repeats its callbacks, but not for ever."""

    def __init__(self, pool: Pool, inbox: Inbox, gateway: AfricasTalking) -> None:
        self._pool = pool
        self._inbox = inbox
        self._gateway = gateway

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self.catch_up()
            except FAILED as error:
                log.warning("the list of received texts was not read: %s", type(error).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), AGAIN_SECONDS)

    async def catch_up(self) -> int:
        """Handle what is new in the list; the number of texts that were not too old for it."""
        done = 0
        after = await self._pool.fetchval(SQL.fetched_until, self._gateway.code) or "0"
        while listed := await self._gateway.received(after):
            for _, message in listed:
                if message.sent_at and datetime.now(UTC) - message.sent_at < TOO_OLD:
                    await self._inbox.receive(message)
                    done += 1
            after = listed[-1][0]
            await self._pool.execute(SQL.set_fetched_until, self._gateway.code, after)
        return done
