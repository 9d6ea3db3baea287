"""`/metrics` is for who sits at this machine, and for who has the token; for others there is no such page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

import settings as settings_module
from app import create_app
from telco_sim.testing import serving
from tests.monitoring.scraping import read
from tests.terminal import outside

TOKEN = "a-token-for-prometheus"
ELSEWHERE = {"x-forwarded-for": "203.0.113.9"}


@pytest.fixture
async def client(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    environ = outside(database_url, redis_url) | {"ZAMU_DATA_DIR": str(tmp_path), "ZAMU_METRICS_TOKEN": TOKEN}
    async with serving(create_app(settings_module.load(environ))) as url, httpx.AsyncClient(base_url=url) as client:
        yield client


async def test_this_machine_needs_no_token(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert read(answer.text).total("zamu_database_up") == 1


@pytest.mark.parametrize("header", ["x-forwarded-for", "x-real-ip", "forwarded", "via", "x-forwarded-host"])
async def test_a_proxy_on_this_machine_is_not_this_machine(client: httpx.AsyncClient, header: str) -> None:
    refused = await client.get("/metrics", headers={header: "127.0.0.1"})
    nowhere = await client.get("/nowhere", headers={header: "127.0.0.1"})
    assert (refused.status_code, refused.text) == (nowhere.status_code, nowhere.text) == (404, "Not Found")


async def test_from_elsewhere_only_the_token_opens_it(client: httpx.AsyncClient) -> None:
    for given in ("", TOKEN, f"Basic {TOKEN}", "Bearer", f"Bearer {TOKEN}x", "Bearer \xff"):
        headers = httpx.Headers([*ELSEWHERE.items(), ("authorization", given)], encoding="latin-1")
        assert (await client.get("/metrics", headers=headers)).status_code == 404, given
    answer = await client.get("/metrics", headers=ELSEWHERE | {"authorization": f"Bearer {TOKEN}"})
    assert read(answer.text).total("zamu_database_up") == 1
