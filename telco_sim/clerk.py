"""A clerk at a web panel while a crowd dials: calls the next one again and again, by button."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from telco_sim import forms

PATIENCE = 30.0
COMES_SECONDS, GLANCE_SECONDS = 15.0, 0.1  # who was not told by then comes by himself
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
    """`tell` hears each number that he called, and when he pressed; `heard` says whether a text told its phone."""

    def __init__(self, duty: Duty, tell: Callable[[str, datetime], None], heard: Callable[[str], bool]) -> None:
        self._duty = duty
        self._tell = tell
        self._heard = heard
        self._last = ""

    async def work(self, until: asyncio.Event) -> None:
        """Call until it is enough; raises PanelError when he is not let in."""
        async with forms.client(self._duty.panel, PATIENCE) as http:
            await self._log_in(http)
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
        """Whoever was called comes once he was told, and is done; the next one is called."""
        await self._comes()
        await self._press(http, "Start")  # also whoever was called before, or by a press whose answer was lost
        pressed = datetime.now(UTC)
        page = await self._press(http, "Call next")
        found = CALLED.search(page.text) if page else None
        self._last = found[1] if found else ""
        if found:
            self._tell(found[1], pressed)

    async def _comes(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(COMES_SECONDS):
                while self._last and not self._heard(self._last):  # noqa: ASYNC110 - the ledger is read now and then
                    await asyncio.sleep(GLANCE_SECONDS)

    async def _press(self, http: httpx.AsyncClient, button: str) -> httpx.Response | None:
        """Without an answer he looks at the desk again before he presses anything else."""
        with contextlib.suppress(httpx.HTTPError):
            return await forms.press(http, "/staff/desk", button, links=[self._duty.desk])
        return None
