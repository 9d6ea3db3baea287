from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from starlette.responses import JSONResponse, PlainTextResponse, Response

from telco_sim.config import NETWORKS, TelcoConfig
from telco_sim.dialects import DIALECTS
from telco_sim.faults import Faults, UssdFault
from telco_sim.screen import NETWORK_ERROR
from telco_sim.testing import RunningTelco, running, serving
from tests.telco_sim.backends import Backend
from tests.telco_sim.conftest import API_KEY, SHORT_CODE

ESI = "+233201234567"
GHANA = NETWORKS["MTN Ghana"]
DIALLED: dict[str, dict[str, Any]] = {
    "hubtel": {"Type": "Initiation", "Mobile": "233201234567", "ServiceCode": "384*40", "Operator": "mtn"},
    "nalo": {"USERID": "NALOTest", "MSISDN": "233201234567", "MSGTYPE": True, "NETWORK": "MTN"},
    "arkesel": {"userID": "USSD_DOCUMENTATION", "newSession": True, "msisdn": "233201234567", "network": "MTN"},
    "beem": {"command": "initiate", "operator": "mtn", "payload": {"request_id": 0, "response": 0}},
    "infobip": {"msisdn": "233201234567", "shortCode": "*384*40*4071#", "text": ""},
    "mtn": {"messageType": "0", "msisdn": "233201234567", "serviceCode": SHORT_CODE},
    "safaricom": {"ORIG": "233201234567", "DEST": "384*40", "USSD_PARAMS": "4071"},
    "airtel": {"MSISDN": "233201234567", "input": "384*40*4071"},
    "africastalking": {"phoneNumber": ESI, "networkCode": "62001", "serviceCode": SHORT_CODE, "text": "4071"},
}
PRESSED: dict[str, dict[str, Any]] = {
    "hubtel": {"Type": "Response", "Message": "2", "Sequence": 2, "ClientState": "at Welcome"},
    "nalo": {"USERDATA": "2", "MSGTYPE": False},
    "arkesel": {"userData": "2", "newSession": False},
    "beem": {"command": "continue", "payload": {"request_id": 1, "response": "2"}},
    "infobip": {"text": "2"},
    "mtn": {"messageType": "1", "ussdString": "2"},
    "safaricom": {"USSD_PARAMS": "2"},
    "airtel": {"input": "2"},
    "africastalking": {"text": "2"},
}
ENDED: dict[str, dict[str, Any]] = {
    "hubtel": {"Type": "Release"},
    "beem": {"command": "terminate"},
    "infobip": {"reason": "user hung up", "exitCode": 600},
    "mtn": {"messageType": "4"},
    "airtel": {"clean": "clean-session", "error": "522", "msisdn": "233201234567"},
    "africastalking": {"status": "Incomplete", "hopsCount": "1"},
}


@pytest.fixture
def backend() -> Backend:
    return Backend()


@pytest.fixture
async def telco(backend: Backend) -> AsyncIterator[RunningTelco]:
    async with serving(backend) as url:
        config = TelcoConfig(
            api_key=API_KEY,
            ussd_url=f"{url}/africastalking",
            ussd_end_url=f"{url}/end",
            dialect_urls={name: f"{url}/{name}" for name in DIALECTS if name != "africastalking"},
        )
        async with running(config) as telco:
            yield telco


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_conversation_in_every_dialect(telco: RunningTelco, backend: Backend, dialect: str) -> None:
    esi = telco.phone(ESI, GHANA, dialect)
    assert (await esi.dial(SHORT_CODE)).text == "Welcome"
    second = await esi.press("2")
    assert (second.text, second.open, second.error) == ("You said 2", True, "")
    last = await esi.press("9")
    assert (last.text, last.open) == ("You said 9", False)
    pressed = backend.heard[1]
    assert {name: pressed.said[name] for name in PRESSED[dialect]} == PRESSED[dialect]
    assert pressed.method == ("GET" if dialect in {"safaricom", "airtel"} else "POST")


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_what_is_dialled_goes_out_as_the_gateway_writes_it(
    telco: RunningTelco, backend: Backend, dialect: str
) -> None:
    await telco.phone(ESI, GHANA, dialect).dial("*384*40*4071#")
    said = backend.heard[0].said
    assert {name: said[name] for name in DIALLED[dialect]} == DIALLED[dialect]


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_hanging_up_is_told_where_the_gateway_tells_it(
    telco: RunningTelco, backend: Backend, dialect: str
) -> None:
    esi = telco.phone(ESI, GHANA, dialect)
    await esi.dial(SHORT_CODE)
    await esi.hang_up()
    await telco.settle()
    told = [heard.said for heard in backend.heard[1:]]
    assert [{name: said[name] for name in ENDED[dialect]} for said in told] == (
        [ENDED[dialect]] if dialect in ENDED else []
    )
    (row,) = telco.ledger.of("ussd.end")
    assert (row.data["status"], row.data["hopsCount"]) == ("Incomplete", "1")


@pytest.mark.parametrize("dialect", ["hubtel", "mtn"])
async def test_a_timeout_is_told_apart_from_a_hang_up(telco: RunningTelco, backend: Backend, dialect: str) -> None:
    esi = telco.phone(ESI, replace(GHANA, idle_seconds=0.05), dialect)
    await esi.dial(SHORT_CODE)
    said = (await backend.hear(2)).said
    assert said.get("Type", said.get("messageType")) in {"Timeout", "5"}


WRONG: list[tuple[str, Response, str]] = [
    ("hubtel", PlainTextResponse("CON Hi"), "The reply is not JSON."),
    ("hubtel", JSONResponse({"Type": "Go", "Message": "Hi"}), "Type must be 'Response' or 'Release', not 'Go'."),
    ("hubtel", JSONResponse({"Type": "Response", "Message": ""}), "Message is empty, so there is nothing to show."),
    ("nalo", JSONResponse({"USERID": "x", "MSG": "Hi", "MSGTYPE": True}), "USERID must come back as it was sent, "),
    ("nalo", JSONResponse({"USERID": "NALOTest", "MSG": "Hi", "MSGTYPE": 1}), "MSGTYPE must be true or false, not 1."),
    (
        "nalo",
        JSONResponse({"USERID": "NALOTest", "MSG": "x" * 121, "MSGTYPE": True}),
        "MSG has 121 characters; the gateway carries 120.",
    ),
    ("arkesel", JSONResponse({"message": "Hi", "continueSession": True}), "sessionID must come back as it was sent, "),
    ("beem", JSONResponse(["Hi"]), "The reply is not a JSON object."),
    ("infobip", JSONResponse({"responseExitCode": 400, "responseMessage": "no"}), "The application answered "),
    ("infobip", JSONResponse({"responseExitCode": 200, "ussdMenu": "Hi"}), "The reply has no shouldClose."),
    ("mtn", JSONResponse({"statusCode": "0001"}), "The application answered statusCode '0001'"),
    (
        "mtn",
        JSONResponse({"statusCode": "0000", "data": {"messageType": 1, "userInputRequired": False}}),
        "userInputRequired and messageType contradict each other.",
    ),
    ("safaricom", PlainTextResponse(" CON Hi"), "The reply must begin with exactly 'CON ' or 'END ': white space"),
    ("airtel", PlainTextResponse("Hi"), "freeflow must be 'FC' or 'FB', not None."),
    ("airtel", PlainTextResponse("Hi", headers={"Freeflow": "FC", "charge": "N"}), "The header amount must be"),
    (
        "airtel",
        PlainTextResponse("Hi", status_code=500),
        "The application answered HTTP 500; the gateway takes only 200.",
    ),
]


@pytest.mark.parametrize(("dialect", "answer", "error"), WRONG)
async def test_an_answer_that_the_gateway_would_not_take_fails(
    telco: RunningTelco, backend: Backend, dialect: str, answer: Response, error: str
) -> None:
    backend.wrong[dialect] = answer
    screen = await telco.phone(ESI, GHANA, dialect).dial(SHORT_CODE)
    assert (screen.text, screen.open) == (NETWORK_ERROR, False)
    assert screen.error.startswith(error)
    await telco.settle()
    assert telco.ledger.of("ussd.end")[0].data["errorMessage"] == screen.error


async def test_infobip_shows_a_first_answer_as_a_menu_whatever_it_says(telco: RunningTelco, backend: Backend) -> None:
    reply = {"shouldClose": True, "ussdMenu": "Closed", "responseExitCode": 200, "responseMessage": ""}
    backend.wrong["infobip"] = JSONResponse(reply)
    esi = telco.phone(ESI, GHANA, "infobip")
    assert (await esi.dial(SHORT_CODE)).open
    assert not (await esi.press("1")).open


async def test_a_request_that_is_delivered_twice_is_the_same_twice(telco: RunningTelco, backend: Backend) -> None:
    telco.set_faults(Faults(ussd=[UssdFault(hop=2, deliver=2)]))
    esi = telco.phone(ESI, GHANA, "hubtel")
    await esi.dial(SHORT_CODE)
    await esi.press("2")
    first, second = (heard.said for heard in backend.heard[1:])
    assert first == second
    assert (first["Sequence"], first["ClientState"]) == (2, "at Welcome")


async def test_the_ledger_says_the_same_in_every_dialect_and_what_was_sent(telco: RunningTelco) -> None:
    await telco.phone(ESI, GHANA, "nalo").dial("*384*40*4071#")
    (row,) = telco.ledger.of("ussd.request")
    assert (row.data["text"], row.data["phoneNumber"], row.data["dialect"]) == ("4071", ESI, "nalo")
    assert row.data["sent"]["USERDATA"] == "*384*40*4071#"


async def test_a_dialect_is_chosen_over_http_and_a_wrong_one_refused(telco: RunningTelco, backend: Backend) -> None:
    async with httpx.AsyncClient(base_url=telco.url, trust_env=False) as http:
        order = {"phone": ESI, "code": SHORT_CODE, "network": "MTN Ghana", "dialect": "arkesel"}
        assert (await http.post("/telco/dial", json=order)).json()["text"] == "Welcome"
        refused = await http.post("/telco/dial", json={**order, "dialect": "telex"})
    assert backend.heard[0].dialect == "arkesel"
    assert refused.status_code == 400
    assert refused.json()["error"].startswith("There is no dialect 'telex': choose one of africastalking, hubtel, ")


async def test_a_gateway_without_an_address_is_said_on_the_screen() -> None:
    async with running(TelcoConfig(api_key=API_KEY)) as telco:
        screen = await telco.phone(ESI, dialect="beem").dial(SHORT_CODE)
    assert screen.error == "The telco has no usable address of the application."
