"""Somebody with a phone: dials, presses keys and reads the screen, through a gateway's own wire format."""

from __future__ import annotations

import json
from itertools import count
from urllib.parse import urlencode

from queue_core.text import units
from ussd.engine import Engine
from ussd.gateways import africastalking, neutral
from ussd.request import Page, Request

SERVICE_CODE = "*384*40#"
_sessions = count(1)


class Caller:
    """One phone. `screen` is what it shows, `over` whether the session is, `state` the name of the screen."""

    def __init__(self, engine: Engine, number: str, gateway: str = "africastalking") -> None:
        self.engine = engine
        self.number = number
        self.gateway = gateway
        self.session = ""
        self.inputs: list[str] = []
        self.path = ""
        self.screen = ""
        self.over = True
        self.state = ""
        self.last: Request | None = None

    async def dial(self, code: str = SERVICE_CODE) -> str:
        """A new session; digits after the service code arrive with it."""
        self.session = f"ATUid_{next(_sessions):032}"
        self.path = code.removeprefix(SERVICE_CODE.removesuffix("#")).removesuffix("#").removeprefix("*")
        self.inputs = []
        return await self.send()

    async def press(self, *keys: str) -> str:
        for key in keys:
            assert not self.over, f"The session is over: {self.screen!r}"
            self.inputs.append(key)
            await self.send()
        return self.screen

    async def send(self, times: int = 1) -> str:
        """The present step reaches us, or reaches us again."""
        request = self.request()
        for _ in range(times):
            await self._take(request)
        return self.screen

    def request(self) -> Request:
        if self.gateway == "neutral":
            first = f"*384*40*{self.path}#" if self.path else ""
            selection = self.inputs[-1] if self.inputs else first
            fields = {"session_id": self.session, "phone": self.number, "selection": selection}
            name = f"{self.session}:{len(self.inputs)}"
            return neutral.parse(json.dumps({**fields, "request_id": name}).encode())
        steps = [self.path, *self.inputs] if self.path else self.inputs
        return africastalking.parse(
            urlencode(
                {
                    "sessionId": self.session,
                    "phoneNumber": self.number,
                    "networkCode": "63902",
                    "serviceCode": SERVICE_CODE,
                    "text": "*".join(steps),
                }
            ).encode()
        )

    async def _take(self, request: Request) -> None:
        page = await self.engine.answer(request)
        self.screen, self.over, self.state, self.last = page.text, page.ends, page.state, request
        check(page)

    def sees(self, *lines: str) -> None:
        """Every one of these stands on the screen."""
        for line in lines:
            assert line in self.screen, f"no {line!r} in {self.screen!r}"

    def is_at(self, state: str) -> None:
        assert self.state == state, f"at {self.state}: {self.screen!r}"


def check(page: Page) -> None:
    """What holds for every page, always."""
    assert page.text.strip() == page.text != ""
    assert units(page.text) <= 160
    assert "{" not in page.text
