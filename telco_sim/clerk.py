"""A clerk at a web panel while a crowd dials: calls the next one again and again, by button."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from telco_sim import forms

PATIENCE = 30.0
CALLED = re.compile(r"\b([A-Z]{1,3}\d{2,4}) was called to ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """Whose panel it is, at which desk, and how many people he calls a second."""

    panel: str
    login: str
    password: str
    desk: str
    calls: float


class PanelError(Exception):
    """The panel cannot be used; the message is the sentence to show."""


class Clerk:
    """`tell` hears each number that he called, and when he pressed."""

    def __init__(self, duty: Duty, tell: Callable[[str, datetime], None]) -> None:
        self._duty = duty
        self._tell = tell

    async def work(self, until: asyncio.Event) -> None:
        """Call until it is enough; raises PanelError when he is not let in."""
        async with forms.client(self._duty.panel, PATIENCE) as http:
            await self._log_in(http)
            await self._start(http)  # whoever was called before we came
            loop = asyncio.get_running_loop()
            begin, number = loop.time(), 0
            while True:
                await self._call(http)
                if until.is_set():
                    return
                number += 1
                await asyncio.sleep(max(0.0, begin + number / self._duty.calls - loop.time()))

    async def _log_in(self, http: httpx.AsyncClient) -> None:
        fields = {"login": self._duty.login, "password": self._duty.password}
        try:
            page = await forms.press(http, "/staff/login", "Log in", fields=fields)
            desk = await http.get("/staff/desk", follow_redirects=True)
        except httpx.HTTPError:
            raise PanelError(f"No panel answers at {self._duty.panel}.") from None
        if page is None or self._duty.desk not in forms.links(desk):
            raise PanelError(
                f"{self._duty.login} cannot work at {self._duty.desk!r}. Is the password right, and one of his own?"
                " The desks are on the page /staff/desk."
            )

    async def _call(self, http: httpx.AsyncClient) -> None:
        """Whoever is at the counter is done; the next one is called and comes at once."""
        pressed = datetime.now(UTC)
        page = await forms.press(http, "/staff/desk", "Call next", links=[self._duty.desk])
        if page and (found := CALLED.search(page.text)):
            self._tell(found[1], pressed)
            await self._start(http)

    async def _start(self, http: httpx.AsyncClient) -> None:
        await forms.press(http, "/staff/desk", "Start", links=[self._duty.desk])
