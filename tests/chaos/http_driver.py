"""Joins over HTTP, key by key; everything else that people do goes through the core."""

from __future__ import annotations

import time

from tests.chaos.driver import CoreDriver, Request
from tests.faults.phones import Dialect, Phone, Screen
from tests.invariants import LOST, Answer

LINES = {"4071/A": "1", "4071/P": "2"}  # the clinic's menu
YES, CHANGE = "1", "2"
TRIES = 30  # of one request by a gateway that does not give up


class HttpDriver:
    """Two deliveries of a request are two deliveries of each key of its session."""

    def __init__(self, url: str, core: CoreDriver) -> None:
        self._url = url
        self._core = core

    async def deliver(self, request: Request) -> Answer:
        if request.verb != "join":
            return await self._core.deliver(request)
        asked = time.time()
        outcome, label, said = await self._join(request)
        return Answer(
            request=request.key,
            verb=request.verb,
            asked=asked,
            answered=time.time(),
            outcome=outcome,
            queue=request.queue,
            phone=request.phone,
            label=label,
            said=said,
        )

    async def _join(self, request: Request) -> tuple[str, str | None, str]:
        try:
            screen = await self._walk(request)
        except (AssertionError, OSError) as error:
            return LOST, None, repr(error)
        return (LOST if screen.not_now else _outcome(screen)), screen.label, screen.text

    async def _walk(self, request: Request) -> Screen:
        """From the dial to the first screen that names a ticket, or says why there is none."""
        dialect: Dialect = "neutral" if request.channel == "web" else "africastalking"
        phone = Phone(self._url, str(request.phone), dialect, request.key)
        await _until_served(phone, None)
        for key in (LINES[str(request.queue)], YES):
            if phone.screen.over or phone.screen.label:
                return phone.screen
            await _until_served(phone, key)
        if request.replace and "Leave it, join the new line" in phone.screen.text:
            await _until_served(phone, CHANGE)
        return phone.screen


async def _until_served(phone: Phone, key: str | None) -> None:
    """A key, or the dial, sent again while the system is busy."""
    await (phone.press(key) if key else phone.dial())
    for _ in range(TRIES):
        if not phone.screen.not_now:
            return
        await phone.again()


def _outcome(screen: Screen) -> str:
    if screen.text.startswith("Your number is"):
        return "joined"
    return "already" if screen.label else "refused: " + screen.text.splitlines()[0]
