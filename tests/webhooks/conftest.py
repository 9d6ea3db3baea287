"""The real web application on a loopback port, with a database of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

import settings as settings_module
from app import create_app
from db.pool import Pool
from queue_core import demo
from queue_core.core import Core
from sms import inbox
from telco_sim.testing import serving
from ussd.gateways import GATEWAYS

SECRET = "the-secret-in-the-path-and-header"
NEXT_SECRET = "the-one-that-will-replace-it-soon"
USSD_SECRETS = {code: f"the-secret-of-{code}-alone" for code in GATEWAYS if code not in {"africastalking", "neutral"}}

PUBLIC_URL = "https://queue.example.org"  # not where the tests reach it: there is a proxy in between
TWILIO_TOKEN = "the-token-of-our-account"


@dataclass(frozen=True, slots=True)
class Server:
    """What a gateway sees of us."""

    client: httpx.AsyncClient
    pool: Pool

    async def dial(self, secret: str = SECRET, **fields: str) -> httpx.Response:
        """An Africa's Talking request; fields replace those of a good one."""
        good = {"sessionId": "ATUid_1", "phoneNumber": "+254711000001", "serviceCode": "*384*40#", "text": ""}
        return await self.form(f"/hooks/africastalking/ussd/{secret}", urlencode(good | fields).encode())

    async def form(self, path: str, body: bytes, **headers: str) -> httpx.Response:
        kind = {"content-type": "application/x-www-form-urlencoded"}
        return await self.client.post(path, content=body, headers=kind | headers)

    async def choose(self, body: bytes, secret: str = SECRET) -> httpx.Response:
        """The neutral JSON contract."""
        return await self.client.post("/ussd/inbound", content=body, headers={b"X-Webhook-Secret": secret.encode()})


@pytest.fixture
async def server(
    pool: Pool, database_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Server]:
    monkeypatch.setattr(inbox, "TOO_OLD", timedelta(days=36_500))  # recorded requests keep their dates
    await demo.seed(Core(pool))
    environ = {
        "ZAMU_DATA_DIR": str(tmp_path),
        "ZAMU_DATABASE_URL": database_url,
        "ZAMU_REDIS_URL": redis_url,
        "ZAMU_SECRET_KEY": "k" * 32,
        "ZAMU_WEBHOOK_SECRET": f"{SECRET},{NEXT_SECRET}",
        "ZAMU_USSD_SECRETS": " ".join(f"{code}={secret}" for code, secret in USSD_SECRETS.items()),
        "ZAMU_PUBLIC_URL": PUBLIC_URL,
        "ZAMU_TWILIO_ACCOUNT_SID": "AC00000000000000000000000000000001",
        "ZAMU_TWILIO_AUTH_TOKEN": f"{TWILIO_TOKEN},the-token-after-it",
        "ZAMU_TWILIO_FROM": "+15005550006",
    }
    app = create_app(settings_module.load(environ))
    async with serving(app) as url, httpx.AsyncClient(base_url=url) as client:
        yield Server(client, pool)
