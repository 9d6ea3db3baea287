"""A tiny application behind the short code, and a telco in front of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from telco_sim.config import TelcoConfig
from telco_sim.testing import Handset, RunningTelco, running, serving

AMINA = "+254711000001"
SHORT_CODE = "*384*40#"
API_KEY = "telco-key"


@dataclass(frozen=True)
class Received:
    """One request that reached the application."""

    path: str
    raw: str
    headers: dict[str, str]

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.raw, keep_blank_values=True))


def menu(form: dict[str, str]) -> Response:
    """Answer `1` with a number, and anything else with a question."""
    if form["text"] == "":
        return PlainTextResponse("CON Welcome\n1 Join")
    if form["text"] == "1":
        return PlainTextResponse("END Your number is A001")
    return PlainTextResponse(f"CON You said {form['text']}")


def nothing(_form: dict[str, str]) -> Response:
    return PlainTextResponse("")


@dataclass
class Application:
    """An application whose answers a test may replace, `answers` by path; `release` lets a held answer go."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answer: Callable[[dict[str, str]], Response] = menu
    answers: dict[str, Callable[[dict[str, str]], Response]] = field(default_factory=dict)
    held: bool = False
    release: asyncio.Event = field(default_factory=asyncio.Event)
    arrivals: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        raw = (await request.body()).decode()
        async with self.arrivals:
            received = Received(scope["path"], raw, dict(request.headers))
            self.received.append(received)
            self.arrivals.notify_all()
        if self.held:
            await self.release.wait()
        answer = {"/ussd": self.answer, **self.answers}.get(received.path, nothing)
        response = answer(received.form)
        await response(scope, receive, send)

    def got(self, path: str) -> list[Received]:
        return [request for request in self.received if request.path == path]

    async def wait_for(self, path: str, number: int = 1) -> Received:
        """Return the `number`th request to `path` once it has come."""
        async with asyncio.timeout(10), self.arrivals:
            await self.arrivals.wait_for(lambda: len(self.got(path)) >= number)
        return self.got(path)[number - 1]


@pytest.fixture
async def application() -> AsyncIterator[Application]:
    application = Application()
    async with serving(application, application.release.set) as url:
        application.url = url
        yield application


@pytest.fixture
def config(application: Application) -> TelcoConfig:
    return TelcoConfig(
        api_key=API_KEY,
        ussd_url=f"{application.url}/ussd",
        ussd_end_url=f"{application.url}/end",
        delivery_url=f"{application.url}/delivery",
        report_delay=0.01,
    )


@pytest.fixture
async def telco(config: TelcoConfig) -> AsyncIterator[RunningTelco]:
    async with running(config) as telco:
        yield telco


@pytest.fixture
def amina(telco: RunningTelco) -> Handset:
    return telco.phone(AMINA)
