from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from telco_sim.faults import InboundFault, SmsFault, UssdFault
from telco_sim.testing import RunningTelco
from tests.telco_sim.conftest import AMINA, SHORT_CODE


@pytest.fixture
async def http(telco: RunningTelco) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=telco.url, trust_env=False) as client:
        yield client


async def test_the_page_and_all_that_it_loads_is_there(http: httpx.AsyncClient) -> None:
    page = await http.get("/telco")
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["content-security-policy"].startswith("default-src 'self'")
    for name in ("telco.css", "handset.css", "drawer.css", "telco.js", "handset.js", "telco.svg"):
        assert f"/telco/static/{name}" in page.text or name == "handset.js"
        assert (await http.get(f"/telco/static/{name}")).status_code == 200


async def test_the_page_is_told_what_can_be_chosen(http: httpx.AsyncClient, telco: RunningTelco) -> None:
    telco.connect(ussd_url="http://127.0.0.1:1/", dialect_urls={"nalo": "http://127.0.0.1:1/"})
    await telco.phone(AMINA).dial(SHORT_CODE)
    setup = (await http.get("/telco/setup")).json()
    assert setup["dialects"] == {"africastalking": "Africa's Talking", "nalo": "Nalo"}
    assert setup["networks"]["Airtel"] == {"country": "Kenya", "idle": 60.0, "total": 180.0}
    assert (setup["code"], setup["numbers"], setup["network"]) == (SHORT_CODE, ["20880"], "Athena")
    assert setup["last"] == len(telco.ledger.rows)


async def test_the_ledger_waits_for_a_row(http: httpx.AsyncClient, telco: RunningTelco) -> None:
    waiting = asyncio.create_task(http.get("/telco/ledger?wait=10"))
    await asyncio.sleep(0)
    await telco.phone(AMINA).dial(SHORT_CODE)
    assert (await waiting).json()["rows"][0]["kind"] == "ussd.request"


async def test_faults_in_force_are_told_so_that_they_can_be_set_again(
    http: httpx.AsyncClient, telco: RunningTelco
) -> None:
    telco.faults.ussd += [UssdFault(deliver=2, phone=AMINA), UssdFault(count=0)]
    telco.faults.sms.append(SmsFault(status=500))
    telco.faults.inbound.append(InboundFault(deliver=0))
    faults = (await http.get("/telco/faults")).json()
    assert [len(rules) for rules in faults.values()] == [1, 1, 0, 1]
    assert (await http.post("/telco/faults", json=faults)).status_code == 204
    assert (await http.get("/telco/faults")).json() == faults
