from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from telco_sim.testing import Handset, RunningTelco
from tests.telco_sim.conftest import AMINA, API_KEY, SHORT_CODE, Application


@pytest.fixture
async def http(telco: RunningTelco) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=telco.url, trust_env=False) as client:
        yield client


async def send(http: httpx.AsyncClient, message: str) -> None:
    form = {"username": "sandbox", "to": AMINA, "message": message}
    await http.post("/version1/messaging", data=form, headers={"apiKey": API_KEY})


async def test_a_session_over_http(http: httpx.AsyncClient) -> None:
    first = (await http.post("/telco/dial", json={"phone": AMINA, "code": SHORT_CODE})).json()
    assert first == {
        "session": first["session"],
        "text": "Welcome\n1 Join",
        "open": True,
        "units": 14,
        "alphabet": "GSM-7",
        "warning": "",
        "error": "",
        "seconds": first["seconds"],
        "total": first["total"],
    }
    pressed = (await http.post("/telco/press", json={"session": first["session"], "input": "1"})).json()
    assert (pressed["text"], pressed["open"]) == ("Your number is A001", False)
    again = (await http.post("/telco/press", json={"session": first["session"], "input": "1"})).json()
    assert (again["open"], again["error"]) == (False, "No such session is open.")


async def test_hanging_up_over_http(http: httpx.AsyncClient, application: Application) -> None:
    first = (await http.post("/telco/dial", json={"phone": AMINA, "code": SHORT_CODE})).json()
    assert (await http.post("/telco/hangup", json={"session": first["session"]})).json()["open"] is False
    assert (await application.wait_for("/end")).form["status"] == "Incomplete"


async def test_a_sim_can_be_on_another_network(http: httpx.AsyncClient, application: Application) -> None:
    await http.post("/telco/dial", json={"phone": AMINA, "code": SHORT_CODE, "network": "Airtel"})
    assert application.received[0].form["networkCode"] == "63903"
    reply = await http.post("/telco/dial", json={"phone": AMINA, "code": SHORT_CODE, "network": "Nokia"})
    assert reply.status_code == 400
    assert reply.json()["error"].startswith("There is no network 'Nokia': choose one of Athena,")


async def test_the_inbox_waits_for_a_text(http: httpx.AsyncClient, amina: Handset) -> None:
    waiting = asyncio.create_task(http.get(f"/telco/inbox/{AMINA}?wait=10"))
    await send(http, "one")
    texts = (await waiting).json()["texts"]
    assert [(text["from"], text["text"]) for text in texts] == [("AFRICASTKNG", "one")]
    assert texts[0]["number"] == amina.inbox[0].number
    later = await http.get(f"/telco/inbox/{AMINA}?after={texts[0]['number']}")
    assert later.json() == {"texts": []}


async def test_the_ledger_over_http(http: httpx.AsyncClient, telco: RunningTelco) -> None:
    await http.post("/telco/dial", json={"phone": AMINA, "code": SHORT_CODE})
    rows = (await http.get("/telco/ledger")).json()["rows"]
    assert rows == [row.as_json() for row in telco.ledger.rows]
    assert [row["kind"] for row in rows] == ["ussd.request", "ussd.reply"]
    assert (await http.get("/telco/ledger?after=1")).json()["rows"] == rows[1:]


async def test_faults_are_replaced_and_cleared_over_http(http: httpx.AsyncClient, telco: RunningTelco) -> None:
    await http.post("/telco/faults", json={"sms": [{"status": 500}], "ussd": [{"drop_reply": True}]})
    await http.post("/telco/faults", json={"ussd": [{"phone": AMINA, "drop_reply": True, "count": 1}]})
    assert (len(telco.faults.sms), len(telco.faults.ussd)) == (0, 1)
    dialled = await http.post("/telco/dial", json={"phone": AMINA, "code": SHORT_CODE})
    assert dialled.json()["open"] is False
    await http.delete("/telco/faults")
    assert telco.faults.ussd == []


@pytest.mark.parametrize(
    ("path", "body", "sentence"),
    [
        ("/telco/dial", "{", "The body must be a JSON object with the text fields phone, code."),
        ("/telco/dial", '{"phone": 1, "code": "*1#"}', "The body must be a JSON object with the text fields"),
        ("/telco/dial", '{"phone": "0711", "code": "*1#"}', "'0711' is not a phone number"),
        ("/telco/press", "[]", "The body must be a JSON object with the text fields session, input."),
        ("/telco/faults", '{"mms": []}', "There are faults for 'inbound', 'sms', 'twilio', 'ussd' only"),
        ("/telco/faults", '{"sms": [{"colour": 1}]}', "A fault is an object with known fields"),
        ("/telco/faults", '{"sms": [{"status": 418}]}', "status must be one of"),
        ("/telco/faults", '{"inbound": [{"deliver": 4}]}', "deliver must be one of"),
        ("/telco/faults", '{"twilio": [{"status": 418}]}', "status must be one of"),
        ("/telco/text", '{"phone": "+254711000001", "to": "20880"}', "The body must be a JSON object"),
        ("/telco/optout", '{"phone": "+254711000001", "sender": "20880"}', "'20880' is no alphanumeric sender"),
        ("/telco/faults", '{"sms": 1}', "A fault is an object with known fields"),
    ],
)
async def test_a_request_that_makes_no_sense_is_answered_with_a_sentence(
    http: httpx.AsyncClient, path: str, body: str, sentence: str
) -> None:
    reply = await http.post(path, content=body)
    assert reply.status_code == 400
    assert reply.json()["error"].startswith(sentence)


async def test_health_says_who_answers_and_what_to_dial(http: httpx.AsyncClient) -> None:
    health = {"status": "ok", "service": "telco", "code": SHORT_CODE, "network": "Athena", "numbers": ["20880"]}
    assert (await http.get("/healthz")).json() == health
