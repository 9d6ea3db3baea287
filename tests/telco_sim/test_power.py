from __future__ import annotations

import httpx

from telco_sim.testing import Handset, RunningTelco
from tests.telco_sim.conftest import AMINA, API_KEY, SHORT_CODE, Application


async def send(telco: RunningTelco, words: str) -> None:
    form = {"username": "sandbox", "to": AMINA, "message": words, "from": "20880"}
    async with httpx.AsyncClient(base_url=telco.url, trust_env=False) as http:
        sent = await http.post("/version1/messaging", data=form, headers={"apiKey": API_KEY})
    assert sent.status_code == 201


def reports(application: Application) -> list[str]:
    return [request.form["status"] for request in application.got("/delivery")]


async def test_texts_wait_for_a_phone_that_is_off_and_arrive_in_order(amina: Handset, telco: RunningTelco) -> None:
    amina.switch(on=False)
    await send(telco, "You are near.")
    await send(telco, "It is your turn.")
    assert amina.inbox == []
    assert [row.data["delivered"] for row in telco.ledger.of("sms.message")] == [False, False]
    amina.switch(on=True)
    assert [text.text for text in amina.inbox] == ["You are near.", "It is your turn."]
    assert [row.data["delivered"] for row in telco.ledger.of("arrival")] == [True, True]


async def test_a_delivery_is_reported_once_the_phone_is_on(
    amina: Handset, telco: RunningTelco, application: Application
) -> None:
    amina.switch(on=False)
    await send(telco, "It is your turn.")
    await telco.settle()
    assert reports(application) == ["Sent", "Submitted"]
    amina.switch(on=True)
    await telco.settle()
    assert reports(application) == ["Sent", "Submitted", "Success"]


async def test_a_phone_that_is_off_neither_dials_nor_texts(telco: RunningTelco) -> None:
    async with httpx.AsyncClient(base_url=telco.url, trust_env=False) as http:
        await http.post("/telco/power", json={"phone": AMINA, "on": False})
        dialled = (await http.post("/telco/dial", json={"phone": AMINA, "code": SHORT_CODE})).json()
        texted = await http.post("/telco/text", json={"phone": AMINA, "to": "20880", "text": "HERE"})
        assert (await http.get("/telco/setup")).json()["off"] == [AMINA]
        unclear = await http.post("/telco/power", json={"phone": AMINA, "on": "yes"})
    assert (dialled["open"], dialled["error"]) == (False, "The phone is switched off.")
    assert (texted.status_code, texted.json()["error"]) == (400, f"{AMINA} is switched off, so it sends nothing.")
    assert unclear.status_code == 400
    assert telco.ledger.of("ussd.request") == []


async def test_switching_off_ends_the_call(amina: Handset, telco: RunningTelco, application: Application) -> None:
    await amina.dial(SHORT_CODE)
    amina.switch(on=False)
    await telco.settle()
    assert (await application.wait_for("/end")).form["status"] == "Incomplete"


async def test_switching_twice_is_switching_once(amina: Handset, telco: RunningTelco) -> None:
    amina.switch(on=True)
    amina.switch(on=False)
    await send(telco, "It is your turn.")
    amina.switch(on=False)
    amina.switch(on=True)
    assert len(amina.inbox) == 1
    assert [row.data["on"] for row in telco.ledger.of("power")] == [False, True]
