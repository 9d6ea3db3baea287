"""Somebody's browser at the panel, without a screen: it keeps cookies, fills in forms and presses buttons."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from uuid import uuid4

import httpx

TOKEN = re.compile(r'name="csrf" value="([^"]+)"')
SAID = re.compile(r'<div id="said"[^>]*><p class="(?:good|bad)">.*?</span> (.*?)</p>', re.DOTALL)


@dataclass(slots=True)
class Browser:
    """One person's browser. `csrf` is what forms of the session carry, once he is logged in."""

    client: httpx.AsyncClient
    csrf: str = ""

    async def log_in(self, login: str, password: str, code: str = "") -> httpx.Response:
        """Fill in the form of the door."""
        door = await self.client.get("/staff/login")
        form = {"csrf": token_of(door), "next": "", "login": login, "password": password, "code": code}
        answer = await self.client.post("/staff/login", data=form)
        if answer.status_code == httpx.codes.SEE_OTHER:
            self.csrf = token_of(await self.client.get("/staff/password"))
        return answer

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers=headers)

    async def press(self, path: str, /, **fields: str) -> httpx.Response:
        """A button, once; the answer is what the server says to the press, with no redirect followed."""
        return await self.client.post(path, data={"csrf": self.csrf, "request": uuid4().hex} | fields)

    async def told(self, path: str, /, **fields: str) -> str:
        """What the page after a press says of it, or the page that answers a refused one."""
        answer = await self.press(path, **fields)
        if answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
            return said_on(answer)
        assert answer.status_code == httpx.codes.SEE_OTHER, (answer.status_code, answer.text)
        return said_on(await self.get(answer.headers["location"]))


def token_of(page: httpx.Response) -> str:
    """What the forms of a page carry."""
    found = TOKEN.search(page.text)
    assert found, (page.status_code, page.text)
    return found[1]


def said_on(page: httpx.Response) -> str:
    """What a page says of the last press; empty where it says nothing."""
    found = SAID.search(page.text)
    return unescape(found[1]) if found else ""
