"""The recorded morning at the clinic: through a page, through the control API, and staff through the panel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import expect

import settings as settings_module
from app import create_app
from telco_sim import forms
from telco_sim.audit import Audit
from telco_sim.config import TelcoConfig
from telco_sim.control import line_to
from telco_sim.dialects import DIALECTS
from telco_sim.player import ACTS
from telco_sim.scene import read
from telco_sim.testing import RunningTelco, running
from tests import invariants
from tests.browser.conftest import served
from tests.browser.hands import Hands
from tests.browser.windows import Windows
from tests.scenes import clinic_morning
from tests.terminal import SECRET, outside
from tests.world import World

SPEED = 300.0  # two hours in 24 seconds; faster, a busy machine cannot keep up
KEY = "the-key-of-this-telco"
SECRETS = {name: f"the-secret-of-{name}-alone" for name in DIALECTS if name != "africastalking"}
STATES = "select status, count(*) from tickets group by status"
UNSENT = "select count(*) from notifications where status in ('pending', 'sending')"


@pytest_asyncio.fixture(loop_scope="session")
async def telco() -> AsyncIterator[RunningTelco]:
    async with running(TelcoConfig(api_key=KEY)) as telco:
        yield telco


@pytest_asyncio.fixture(loop_scope="session")
async def clinic(database: str, redis_url: str, tmp_path: Path, telco: RunningTelco) -> AsyncIterator[str]:
    """The real application behind that telco, texts included."""
    environ = outside(database, redis_url) | {
        "ZAMU_DATA_DIR": str(tmp_path),
        "ZAMU_USSD_SECRETS": " ".join(f"{name}={secret}" for name, secret in SECRETS.items()),
        "ZAMU_SMS_GATEWAYS": "africastalking",
        "ZAMU_AT_USERNAME": "sandbox",
        "ZAMU_AT_API_KEY": KEY,
        "ZAMU_AT_SENDER": "20880",
        "ZAMU_AT_BASE_URL": telco.url,
    }
    stop = asyncio.Event()
    async with served(create_app(settings_module.load(environ), stop)) as url:
        hook = f"{url}/hooks/africastalking"
        telco.connect(
            ussd_url=f"{hook}/ussd/{SECRET}",
            ussd_end_url=f"{hook}/ussd-end/{SECRET}",
            delivery_url=f"{hook}/delivery/{SECRET}",
            inbound_url=f"{hook}/sms/{SECRET}",
            dialect_urls={name: f"{url}/hooks/{name}/ussd/{secret}" for name, secret in SECRETS.items()},
        )
        yield url
        stop.set()


def test_the_morning_is_what_its_script_writes() -> None:
    assert clinic_morning.HERE.read_text() == clinic_morning.written()


async def test_a_morning_at_the_clinic_goes_well(
    telco: RunningTelco, clinic: str, world: World, windows: Windows
) -> None:
    scene = read(clinic_morning.HERE, ACTS)
    page = await windows.open(telco.url)
    await page.goto("/telco")
    await expect(page.locator(".handset")).to_have_count(len(clinic_morning.BY_HAND))
    async with line_to(telco.url) as control, forms.client(clinic, 30) as http:
        hands = Hands(scene, control, http, SPEED)
        await hands.lay(page, list(clinic_morning.BY_HAND))
        played = await hands.play()
    assert played.broken == []
    await _all_sent(world)
    await telco.settle()
    assert await invariants.broken(world.pool) == []
    audit = Audit()
    audit.take(row.as_json() for row in telco.ledger.rows)
    assert {name: number for name, number in audit.promises().items() if number} == {}
    called = sum(people for _, people in clinic_morning.COUNTERS.values())
    absent = len(clinic_morning.COUNTERS)
    states = {row["status"]: row["count"] for row in await world.pool.fetch(STATES)}
    assert sum(states.values()) == len(clinic_morning.people())
    assert states["completed"] == called - absent
    assert states["cancelled"] == len(clinic_morning.LEAVERS)
    assert telco.ledger.of("arrival", scene.number(clinic_morning.OFF[-1]))
    faults = telco.faults.as_json()
    assert [rule for rules in faults.values() for rule in rules if rule["count"] is not None] == []


async def _all_sent(world: World) -> None:
    async with asyncio.timeout(60):
        while await world.pool.fetchval(UNSENT):  # noqa: ASYNC110 - another process's table
            await asyncio.sleep(0.1)
