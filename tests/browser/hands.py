"""A scene's player that holds some of its phones in a real browser, key by key."""

from __future__ import annotations

import asyncio
from typing import Any

from playwright.async_api import Locator, Page, expect

from telco_sim.player import Player

SHOWN = '.handset[data-kind="ussd"], .handset[data-kind="over"]'


class Hands(Player):
    """Player that uses the page for the phones that lie on it, and the control API for all others."""

    async def lay(self, page: Page, phones: list[str]) -> None:
        """Put these phones on the page, instead of those that are there."""
        self._page, self._names = page, phones
        self._one_finger = asyncio.Lock()
        for index, phone in enumerate(phones):
            await self._handset(phone).locator("summary").click()
            form = self._handset(phone).locator("form")
            await form.get_by_label("Number").fill(self._scene.number(phone))
            await form.get_by_role("button", name="Insert").click()
            await expect(page.locator(".handset").nth(index).locator("details[open]")).to_have_count(0)

    def _handset(self, phone: str) -> Locator:
        return self._page.locator(".handset").nth(self._names.index(phone))

    async def _type(self, phone: str, *keys: str) -> None:
        async with self._one_finger:
            for key in keys:
                await self._handset(phone).locator(f'[data-key="{key}"]').click()

    async def _look(self, phone: str) -> None:
        """Wait for the answer, and remember what the phone shows as the control API would tell it."""
        handset = self._handset(phone)
        await expect(handset.and_(self._page.locator(SHOWN))).to_be_visible()
        told: dict[str, Any] = {
            "text": await handset.locator(".text").inner_text(),
            "open": await handset.get_attribute("data-kind") == "ussd",
            "error": await handset.locator(".remark").inner_text(),
        }
        self._screens[phone] = told

    async def dial(self, phone: str, code: str) -> None:
        if phone not in self._names:
            return await super().dial(phone, code)
        await self._type(phone, "end", *code, "call")
        return await self._look(phone)

    async def press(self, phone: str, keys: str | int) -> None:
        if phone not in self._names:
            return await super().press(phone, keys)
        await self._type(phone, *str(keys), "left")
        return await self._look(phone)
