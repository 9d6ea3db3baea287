"""The small telco and every gateway, each written by the same formats: a caller joins, is cut off, looks and leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from telco_sim.config import TelcoConfig
from telco_sim.dialects import DIALECTS
from telco_sim.testing import Handset, running
from tests.webhooks.conftest import SECRET, USSD_SECRETS, Server
from tests.world import MIDDAY
from ussd.gateways import GATEWAYS

STATUS = "select array_agg(status) from tickets"


@pytest.fixture(params=sorted(DIALECTS))
async def handset(request: pytest.FixtureRequest, server: Server) -> AsyncIterator[Handset]:
    await server.pool.execute(MIDDAY)
    hooks = f"{str(server.client.base_url).rstrip('/')}/hooks"
    config = TelcoConfig(
        api_key="key",
        service_code="*384*40#",
        ussd_url=f"{hooks}/africastalking/ussd/{SECRET}",
        ussd_end_url=f"{hooks}/africastalking/ussd-end/{SECRET}",
        dialect_urls={code: f"{hooks}/{code}/ussd/{secret}" for code, secret in USSD_SECRETS.items()},
    )
    async with running(config) as telco:
        yield telco.phone("+254711000001", dialect=request.param)


async def press(handset: Handset, *keys: str) -> str:
    """The whole screen that follows, also where it comes in parts."""
    for key in keys:
        await handset.press(key)
    text = handset.screen.text
    while text.endswith("98 More"):
        text = text.removesuffix("98 More") + (await handset.press("98")).text
    return text


async def test_a_conversation_goes_round_by_every_gateway(handset: Handset, server: Server) -> None:
    await handset.dial("*384*40#")
    await press(handset, "1", "4071")
    await handset.dial("*384*40#")  # hung up and dialled again
    assert "1 Continue" in handset.screen.text
    assert "A001" in await press(handset, "1", "1", "1")
    assert await server.pool.fetchval(STATUS) == ["waiting"]
    await handset.dial("*384*40*4071#")
    assert handset.screen.text.startswith("A001")
    await press(handset, "3", "2")
    assert not handset.screen.open
    assert await server.pool.fetchval(STATUS) == ["cancelled"]


def test_the_telco_plays_every_gateway_that_there_is() -> None:
    assert DIALECTS.keys() == GATEWAYS.keys() - {"neutral"}
