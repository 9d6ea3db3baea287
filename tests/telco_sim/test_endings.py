from __future__ import annotations

import asyncio
import re
from dataclasses import replace

import pytest
from starlette.responses import PlainTextResponse, Response

from telco_sim.config import Network, TelcoConfig
from telco_sim.screen import NETWORK_ERROR, SESSION_OVER
from telco_sim.testing import Handset, RunningTelco, running
from tests.telco_sim.conftest import AMINA, SHORT_CODE, Application

END_FIELDS = {
    "date", "sessionId", "serviceCode", "networkCode", "phoneNumber", "status", "cost", "durationInMillis",
    "hopsCount", "hopsMetadata", "input", "lastAppResponse", "errorMessage",
}  # fmt: skip


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"", "it is empty"),
        (b" CON Hi", "white space comes first"),
        (b"\nEND Hi", "white space comes first"),
        (b"\xef\xbb\xbfCON Hi", "a byte order mark comes first"),
        (b'"CON Hi"', "as if it were JSON"),
        (b"con Hi", "it begins with 'con '"),
        (b"CON\nHi", "it begins with 'CON\\n'"),
        (b"CONGRATULATIONS", "it begins with 'CONG'"),
        (b"CON \xff", "not UTF-8"),
    ],
)
async def test_a_reply_that_is_not_exactly_con_or_end_fails_the_session(
    amina: Handset, application: Application, body: bytes, complaint: str
) -> None:
    application.answer = lambda _form: Response(body, media_type="text/plain")
    screen = await amina.dial(SHORT_CODE)
    end = (await application.wait_for("/end")).form
    assert (screen.text, screen.open) == (NETWORK_ERROR, False)
    assert complaint in screen.error
    assert (end["status"], end["errorMessage"]) == ("Failed", screen.error)
    assert end["lastAppResponse"] == body.decode(errors="replace")


@pytest.mark.parametrize("status", [302, 404, 500, 503])
async def test_a_status_outside_2xx_fails_the_session(amina: Handset, application: Application, status: int) -> None:
    application.answer = lambda _form: PlainTextResponse("CON Hi", status, headers={"Location": "/ussd"})
    screen = await amina.dial(SHORT_CODE)
    assert screen.text == NETWORK_ERROR
    assert f"HTTP {status}" in screen.error
    assert len(application.got("/ussd")) == 1


async def test_an_application_slower_than_the_deadline_fails_the_session(
    config: TelcoConfig, application: Application
) -> None:
    application.held = True
    impatient = Network(name="Impatient", code="1", reply_seconds=0.05)
    async with running(replace(config, network=impatient, ussd_end_url="")) as telco:
        screen = await telco.phone(AMINA).dial(SHORT_CODE)
        await telco.settle()
        end = telco.ledger.of("ussd.end")[0].data
    assert screen.text == NETWORK_ERROR
    assert end["status"] == "Failed"
    assert end["errorMessage"] == "The application did not answer within 0.05 s."


@pytest.mark.parametrize("url", ["", "ftp://127.0.0.1/", "http://127.0.0.1:1/ussd", "http://127.0.0.1:99999/"])
async def test_an_application_that_is_not_there_is_a_network_error(config: TelcoConfig, url: str) -> None:
    async with running(replace(config, ussd_url=url)) as telco:
        screen = await telco.phone(AMINA).dial(SHORT_CODE)
    assert screen.text == NETWORK_ERROR
    assert screen.error
    assert "127.0.0.1" not in screen.error  # an address holds the application's secret


async def test_the_end_of_a_finished_session_is_posted_with_all_thirteen_fields(
    amina: Handset, application: Application
) -> None:
    await amina.dial(SHORT_CODE)
    screen = await amina.press("1")
    end = await application.wait_for("/end")
    assert set(end.form) == END_FIELDS
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", end.form["date"])
    assert end.form["durationInMillis"].isdigit()
    expected = {
        "sessionId": screen.session,
        "serviceCode": SHORT_CODE,
        "networkCode": "99999",
        "phoneNumber": AMINA,
        "status": "Success",
        "hopsCount": "2",
        "input": "1",
        "lastAppResponse": "END Your number is A001",
        "errorMessage": "",
    }
    assert expected.items() <= end.form.items()


async def test_hanging_up_ends_the_session_as_incomplete(amina: Handset, application: Application) -> None:
    await amina.dial(SHORT_CODE)
    screen = await amina.hang_up()
    end = (await application.wait_for("/end")).form
    assert not screen.open
    assert (end["status"], end["input"], end["lastAppResponse"]) == ("Incomplete", "", "CON Welcome\n1 Join")


async def test_hanging_up_while_the_application_thinks_ends_the_session_once(
    amina: Handset, application: Application, telco: RunningTelco
) -> None:
    await amina.dial(SHORT_CODE)
    application.held = True
    pressing = asyncio.create_task(amina.press("1"))
    await application.wait_for("/ussd", 2)
    await amina.hang_up()
    application.release.set()
    assert (await pressing).text == SESSION_OVER
    await telco.settle()
    assert [row.data["status"] for row in telco.ledger.of("ussd.end")] == ["Incomplete"]


@pytest.mark.parametrize(
    "network",
    [
        Network(name="Short idle", code="1", idle_seconds=0.05),
        Network(name="Short session", code="1", session_seconds=0.5),
    ],
    ids=lambda network: network.name,
)
async def test_the_network_ends_a_session_that_nobody_answers(
    config: TelcoConfig, application: Application, network: Network
) -> None:
    async with running(replace(config, network=network)) as telco:
        amina = telco.phone(AMINA)
        await amina.dial(SHORT_CODE)
        assert (await application.wait_for("/end")).form["status"] == "Incomplete"
        assert (await amina.press("1")).text == SESSION_OVER
    assert len(application.got("/ussd")) == 1


async def test_end_events_can_be_lost_and_the_ledger_knows(config: TelcoConfig, application: Application) -> None:
    async with running(replace(config, end_events=False)) as telco:
        amina = telco.phone(AMINA)
        await amina.dial(SHORT_CODE)
        await amina.press("1")
        await telco.settle()
        assert telco.ledger.of("ussd.end")[0].data["status"] == "Success"
    assert application.got("/end") == []


async def test_the_clock_of_the_caller_stands_still_while_the_application_thinks(
    config: TelcoConfig, application: Application
) -> None:
    idle = Network(name="Short idle", code="1", idle_seconds=0.4)
    async with running(replace(config, network=idle)) as telco:
        amina = telco.phone(AMINA)
        await amina.dial(SHORT_CODE)
        application.held = True
        pressing = asyncio.create_task(amina.press("7"))
        await asyncio.wait({pressing}, timeout=0.6)
        application.release.set()
        assert (await pressing).open
