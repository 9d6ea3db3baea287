"""The two halves of every USSD dialect, written apart, meet: ours plays the gateway of the real application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import settings as settings_module
from app import create_app
from telco_sim.config import NETWORKS, TelcoConfig
from telco_sim.dialects import DIALECTS
from telco_sim.faults import Faults, UssdFault
from telco_sim.screen import Screen
from telco_sim.testing import Handset, RunningTelco, running, serving
from tests.telco_sim.conftest import API_KEY, SHORT_CODE
from tests.terminal import SECRET, database, outside
from tests.world import World, seeded, world

__all__ = ["database", "seeded", "world"]

SECRETS = {name: f"the-secret-of-{name}-alone" for name in DIALECTS if name != "africastalking"}
HOMES = {"beem": ("+255762000001", "Vodacom Tanzania"), "safaricom": ("+254722000001", "Safaricom")}
MOST_PARTS = 5


@pytest.fixture
async def telco(database: str, redis_url: str, tmp_path: Path) -> AsyncIterator[RunningTelco]:
    environ = outside(database, redis_url) | {
        "ZAMU_DATA_DIR": str(tmp_path),
        "ZAMU_USSD_SECRETS": " ".join(f"{name}={secret}" for name, secret in SECRETS.items()),
    }
    async with serving(create_app(settings_module.load(environ))) as url:
        config = TelcoConfig(
            api_key=API_KEY,
            ussd_url=f"{url}/hooks/africastalking/ussd/{SECRET}",
            ussd_end_url=f"{url}/hooks/africastalking/ussd-end/{SECRET}",
            dialect_urls={name: f"{url}/hooks/{name}/ussd/{secret}" for name, secret in SECRETS.items()},
        )
        async with running(config) as telco:
            yield telco


def caller(telco: RunningTelco, dialect: str) -> Handset:
    number, network = HOMES.get(dialect, ("+233241234567", "MTN Ghana"))
    return telco.phone(number, NETWORKS[network], dialect)


async def read(phone: Handset, screen: Screen) -> str:
    """All of a screen: a narrow gateway shows it in parts, and Infobip cannot end with its first."""
    text = screen.text
    for _ in range(MOST_PARTS):
        assert screen.error == ""
        if "98 " not in screen.text:
            return text
        screen = await phone.press("98")
        text += f"\n{screen.text}"
    raise AssertionError(text)


async def join(phone: Handset) -> str:
    screen = await phone.dial(SHORT_CODE)
    for keys in ("1", "4071", "1", "1"):
        screen = await phone.press(keys)
    return await read(phone, screen)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_join_look_and_leave_in_every_dialect(telco: RunningTelco, world: World, dialect: str) -> None:
    phone = caller(telco, dialect)
    assert "Your number is A001" in await join(phone)
    assert "A001" in await read(phone, await phone.dial(SHORT_CODE))
    assert await world.pool.fetchval("select count(*) from tickets") == 1
    await telco.settle()
    assert [row.data["error"] for row in telco.ledger.of("ussd.reply") if row.data["error"]] == []
    assert [row.data["answered"] for row in telco.ledger.of("ussd.end") if row.data["answered"] not in (0, 200)] == []


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_dropped_call_is_taken_up_again_in_every_dialect(telco: RunningTelco, dialect: str) -> None:
    phone = caller(telco, dialect)
    await phone.dial(SHORT_CODE)
    for keys in ("1", "4071", "1"):
        await phone.press(keys)
    await phone.hang_up()
    await telco.settle()
    assert "joining Kilimani Clinic" in await read(phone, await phone.dial(SHORT_CODE))


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_requests_delivered_twice_join_once_in_every_dialect(
    telco: RunningTelco, world: World, dialect: str
) -> None:
    telco.set_faults(Faults(ussd=[UssdFault(deliver=2, at_once=True)]))
    phone = caller(telco, dialect)
    assert "Your number is A001" in await join(phone)
    assert await world.pool.fetchval("select count(*) from tickets") == 1


@pytest.mark.parametrize("dialect", SECRETS)
async def test_a_wrong_secret_shows_a_network_error(telco: RunningTelco, dialect: str) -> None:
    urls = {name: f"{url}x" for name, url in telco.state.config.dialect_urls.items()}
    telco.connect(dialect_urls=urls)
    screen = await caller(telco, dialect).dial(SHORT_CODE)
    assert "HTTP 404" in screen.error
