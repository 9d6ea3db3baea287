"""Phones over HTTP, as both USSD gateways tell of them; the same request may be sent once more."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlencode
from uuid import uuid4

from telco_sim.exchange import post
from tests.disturbing import PATIENCE
from tests.terminal import SECRET

Dialect = Literal["africastalking", "neutral"]
DIALECTS: Final[tuple[Dialect, ...]] = ("africastalking", "neutral")
SERVICE_CODE = "*384*40#"
CLINIC = "4071"
LABEL = re.compile(r"\b[A-Z]\d{3,}\b")
NOT_NOW = ("the system is busy", "We are still saving your request")


@dataclass(frozen=True, slots=True)
class Screen:
    """What the caller reads, and whether the session is over with it."""

    text: str
    over: bool

    @property
    def label(self) -> str | None:
        """The first ticket that it names."""
        found = LABEL.search(self.text)
        return found[0] if found else None

    @property
    def not_now(self) -> bool:
        """A machine's fault: the same request will be answered better later."""
        return any(words in self.text for words in NOT_NOW)


class Phone:
    """One session of one phone. `screen` is the last answer; two phones with one `session` are one caller.

    `url` is where the server is. It may move, as when another one takes over.
    """

    def __init__(self, url: str, number: str, dialect: Dialect = "africastalking", session: str = "") -> None:
        self.url = url
        self.number = number
        self.screen = Screen("", over=True)
        self._dialect = dialect
        self.session = session or uuid4().hex
        self._path = ""
        self._keys: list[str] = []

    async def dial(self, path: str = CLINIC) -> Screen:
        """Begin; digits after the service code go with it."""
        self._path, self._keys = path, []
        return await self.again()

    def redial(self) -> None:
        """The next dial begins a session of its own."""
        self.session = uuid4().hex

    async def press(self, key: str) -> Screen:
        assert not self.screen.over, self.screen
        self._keys.append(key)
        return await self.again()

    async def again(self) -> Screen:
        """The present request once more. Raises OSError without an answer; any answer is words, with status 200."""
        self.screen = await (self._of_africastalking() if self._dialect == "africastalking" else self._of_neutral())
        return self.screen

    async def _of_africastalking(self) -> Screen:
        form = {
            "sessionId": self.session,
            "phoneNumber": self.number,
            "networkCode": "63902",
            "serviceCode": SERVICE_CODE,
            "text": "*".join(filter(None, [self._path, *self._keys])),
        }
        kind, _, text = (await self._post(f"/hooks/africastalking/ussd/{SECRET}", urlencode(form), {})).partition(" ")
        assert kind in ("CON", "END"), kind
        return _with_words(text, over=kind == "END")

    async def _of_neutral(self) -> Screen:
        dialled = SERVICE_CODE.replace("#", f"*{self._path}#") if self._path else ""
        request = {
            "session_id": self.session,
            "phone": self.number,
            "selection": self._keys[-1] if self._keys else dialled,
            "request_id": f"{self.session}:{len(self._keys)}",
        }
        answer = json.loads(await self._post("/ussd/inbound", json.dumps(request), {"X-Webhook-Secret": SECRET}))
        return _with_words(answer["text"], over=answer["end"])

    async def _post(self, path: str, body: str, headers: dict[str, str]) -> str:
        async with asyncio.timeout(PATIENCE):
            answer = await post(self.url + path, body.encode(), headers)
        text = answer.body.decode()
        assert answer.status == 200, text
        return text


def _with_words(text: str, *, over: bool) -> Screen:
    assert text.strip(), "a screen without words"
    return Screen(text, over)
