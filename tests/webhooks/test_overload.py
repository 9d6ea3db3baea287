"""Who comes when there is too much to do hears so at once: callers in their gateway's words, others with a 503."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp

import settings as settings_module
from app import create_app
from db.pool import Pool
from monitoring.metrics import LIMITS
from overload import MOST, MOST_OF_ALL, WORDS, Crowd, Overload
from queue_core import demo
from queue_core.core import Core
from telco_sim.testing import serving
from tests.terminal import SECRET, outside
from ussd.request import SORRY

AT = f"/hooks/africastalking/ussd/{SECRET}"
DIAL = {"sessionId": "s1", "phoneNumber": "+254711000001", "serviceCode": "*384*40#", "text": ""}
HUBTEL = "the-secret-of-hubtel-alone"


@pytest.fixture
async def full(pool: Pool, database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The whole application with room for nobody."""
    await demo.seed(Core(pool))
    environ = outside(database_url, redis_url) | {
        "ZAMU_DATA_DIR": str(tmp_path),
        "ZAMU_USSD_SECRETS": f"hubtel={HUBTEL}",
    }
    app = create_app(settings_module.load(environ))
    (crowd,) = [given for one in app.user_middleware for given in one.args if isinstance(given, Crowd)]
    async with serving(app) as url, httpx.AsyncClient(base_url=url) as client:
        crowd.now = MOST
        yield client
        assert crowd.now == MOST


async def test_a_caller_reads_words_in_his_gateways_own_form(full: httpx.AsyncClient, pool: Pool) -> None:
    answer = await full.post(AT, data=DIAL)
    assert (answer.status_code, answer.text) == (200, f"END {SORRY}")
    asked = {
        "SessionId": "7",
        "Mobile": "233200000001",
        "ServiceCode": "384",
        "Type": "Initiation",
        "Message": "*384*40#",
    }
    answer = await full.post(f"/hooks/hubtel/ussd/{HUBTEL}", json=asked)
    assert answer.status_code == 200
    assert SORRY in json.loads(answer.text)["Message"]
    answer = await full.post(
        "/ussd/inbound",
        json={"session_id": "1", "phone": "+254711000001", "selection": ""},
        headers={"X-Webhook-Secret": SECRET},
    )
    assert answer.json() == {"text": SORRY, "end": True}
    assert await pool.fetchval("select count(*) from ussd_sessions") == 0


async def test_a_wrong_secret_still_learns_nothing(full: httpx.AsyncClient) -> None:
    answer = await full.post("/hooks/africastalking/ussd/not-the-secret-at-all", data=DIAL)
    assert (answer.status_code, answer.text) == (404, "Not Found")


@pytest.mark.parametrize("path", ["/staff/login", f"/hooks/africastalking/sms/{SECRET}", "/display/4071", "/nowhere"])
async def test_others_are_asked_to_come_again(full: httpx.AsyncClient, path: str) -> None:
    before = LIMITS.labels("requests")._value.get()  # noqa: SLF001 - a counter has no other way to be read
    answer = await full.request("POST" if "hooks" in path else "GET", path)
    assert (answer.status_code, answer.text) == (503, WORDS)
    assert int(answer.headers["retry-after"]) > 0
    assert LIMITS.labels("requests")._value.get() == before + 1  # noqa: SLF001


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_who_watches_sees_through_it(full: httpx.AsyncClient, path: str) -> None:
    assert (await full.get(path)).status_code == 200


async def test_everybody_is_counted_out_again_whatever_becomes_of_him() -> None:
    crowd, free = Crowd(), asyncio.Event()

    async def slow(_request: Request) -> PlainTextResponse:
        await free.wait()
        raise RuntimeError

    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(_asking(crowd, slow))
        waiting = [asyncio.create_task(client.get("/slow")) for _ in range(5)]
        done: set[asyncio.Task[httpx.Response]] = set()
        while len(done) < 3:
            more, _ = await asyncio.wait(set(waiting) - done, return_when=asyncio.FIRST_COMPLETED)
            done |= more
        rest = set(waiting) - done
        assert [task.result().status_code for task in done] == [503] * 3
        free.set()
        assert [isinstance(error, RuntimeError) for error in await asyncio.gather(*rest, return_exceptions=True)] == [
            True
        ] * 2
    assert crowd.now == 0


def _asking(crowd: Crowd, handler: object) -> httpx.AsyncClient:
    inner = Starlette(routes=[Route("/slow", handler)])  # type: ignore[arg-type]
    app: ASGIApp = Overload(inner, crowd, 2, MOST_OF_ALL)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://zamu")
