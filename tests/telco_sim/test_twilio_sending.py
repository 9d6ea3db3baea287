"""Twilio's own SDK against the telco."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from telco_sim.config import TelcoConfig
from telco_sim.faults import Faults, TwilioFault
from telco_sim.testing import Handset, RunningTelco
from telco_sim.twilio.errors import MAGIC_RECIPIENTS, MAGIC_SENDERS
from tests.telco_sim.conftest import AMINA, API_KEY, Application
from tests.telco_sim.twilio_account import (
    ACCOUNT,
    NUMBER,
    PUBLIC,
    SDK_WARNINGS,
    TOKEN,
    TwilioException,
    TwilioRestException,
    sdk,
    twilio_config,
    twiml,
    valid,
)

pytestmark = SDK_WARNINGS
Client = Any  # the SDK ships no types
URI = f"/2010-04-01/Accounts/{ACCOUNT}/Messages"
STATUS_URL = f"{PUBLIC}/twilio/status?m=42"


@pytest.fixture
def config(config: TelcoConfig, application: Application) -> TelcoConfig:
    return twilio_config(config, application)


@pytest.fixture
async def client(telco: RunningTelco) -> AsyncIterator[Client]:
    async with sdk(telco.url) as client:
        yield client


async def post(telco: RunningTelco, **form: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, auth=(ACCOUNT, TOKEN)) as http:
        return await http.post(f"{telco.url}{URI}.json", data=form)


async def refused(client: Client, **fields: Any) -> TwilioRestException:
    with pytest.raises(TwilioRestException) as error:
        await client.messages.create_async(**{"to": AMINA, "from_": NUMBER, "body": "Hi"} | fields)
    return error.value


async def test_a_text_is_answered_with_every_key_and_arrives(telco: RunningTelco, amina: Handset) -> None:
    reply = await post(telco, To=AMINA, From=NUMBER, Body="You are next", ValidityPeriod="600")
    made = reply.json()
    assert (reply.status_code, reply.headers["content-type"]) == (201, "application/json")
    assert made == {
        "account_sid": ACCOUNT, "api_version": "2010-04-01", "body": "You are next",
        "date_created": made["date_created"], "date_sent": None, "date_updated": made["date_created"],
        "direction": "outbound-api", "error_code": None, "error_message": None, "from": NUMBER,
        "messaging_service_sid": None, "num_media": "0", "num_segments": "1", "price": None, "price_unit": "USD",
        "sid": made["sid"], "status": "queued", "subresource_uris": {"media": f"{URI}/{made['sid']}/Media.json"},
        "to": AMINA, "uri": f"{URI}/{made['sid']}.json",
    }  # fmt: skip
    text = await amina.wait_for_text("You are next")
    assert (text.sender, text.id, text.parts) == (NUMBER, made["sid"], 1)
    await telco.settle()
    assert [row.kind for row in telco.ledger.rows] == [
        "twilio.request", "twilio.message", "twilio.answer", *["twilio.report"] * 3,
    ]  # fmt: skip
    assert telco.ledger.of("twilio.message")[0].data["validityPeriod"] == "600"


async def test_the_sdk_reads_the_answer(client: Client) -> None:
    made = await client.messages.create_async(to=AMINA, from_="CLINIC", body="€" * 81, validity_period=600)
    assert (made.status, made.num_segments, made.from_, made.error_code) == ("queued", "2", "CLINIC", None)
    assert made.date_created is not None
    assert made.date_created <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"to": ""}, 21604),
        ({"from_": ""}, 21603),
        ({"body": ""}, 21602),
        ({"body": "x" * 1601}, 21617),
        ({"to": "0711000001"}, 21211),
        ({"from_": "+0"}, 21212),
        ({"from_": "+15005550010"}, 21606),
        ({"messaging_service_sid": "MG00000000000000000000000000000001"}, 21701),
        ({"status_callback": "ftp://queue.example.org/"}, 21609),
        ({"status_callback": "https://my_host.example.org/"}, 21609),
        ({"status_callback": "https://[::1/"}, 21609),
        ({"validity_period": 0}, 20001),
        ({"validity_period": 36001}, 20001),
        *[({"to": number}, code) for number, code in MAGIC_RECIPIENTS.items()],
        *[({"from_": number}, code) for number, code in MAGIC_SENDERS.items()],
    ],
)
async def test_what_twilio_would_not_take_is_refused_with_its_code(
    client: Client, telco: RunningTelco, fields: dict[str, Any], code: int
) -> None:
    error = await refused(client, **fields)
    assert (error.code, error.status) == (code, 400)
    assert telco.ledger.of("twilio.message") == []
    assert telco.ledger.of("twilio.answer")[0].data["code"] == code


async def test_the_longest_text_is_taken(client: Client, amina: Handset) -> None:
    await client.messages.create_async(to=AMINA, from_=NUMBER, body="x" * 1600)
    assert len(amina.inbox[0].text) == 1600


@pytest.mark.parametrize(("account", "token"), [(ACCOUNT, "guess"), ("AC" + "9" * 32, TOKEN)])
async def test_wrong_credentials_are_told_with_401_and_20003(telco: RunningTelco, account: str, token: str) -> None:
    async with sdk(telco.url, account, token) as client:
        error = await refused(client)
        with pytest.raises(TwilioException, match="Unable to fetch page"):
            await client.messages.list_async(to=AMINA)
    assert (error.code, error.status) == (20003, 401)


@pytest.mark.parametrize("header", [{}, {"Authorization": "Basic =?="}, {"Authorization": "Bearer x"}])
async def test_without_credentials_the_error_is_json(telco: RunningTelco, header: dict[str, str]) -> None:
    async with httpx.AsyncClient(trust_env=False, headers=header) as http:
        reply = await http.post(f"{telco.url}{URI}.json", data={"To": AMINA, "From": NUMBER, "Body": "Hi"})
    assert reply.status_code == 401
    assert reply.json() == {
        "code": 20003,
        "message": "Authenticate",
        "more_info": "https://www.twilio.com/docs/errors/20003",
        "status": 401,
    }


@pytest.mark.parametrize(("status", "code"), [(401, 20003), (429, 20429), (500, 20500), (503, 20503)])
async def test_a_refused_request_sends_nothing(
    client: Client, telco: RunningTelco, amina: Handset, status: int, code: int
) -> None:
    telco.set_faults(Faults(twilio=[TwilioFault(status=status, count=1)]))
    error = await refused(client)
    assert (error.status, error.code, amina.inbox) == (status, code, [])
    await client.messages.create_async(to=AMINA, from_=NUMBER, body="Hi")
    assert len(amina.inbox) == 1


async def test_a_fault_of_this_dialect_touches_no_text_of_the_other(
    client: Client, telco: RunningTelco, amina: Handset
) -> None:
    async with httpx.AsyncClient(base_url=telco.url, trust_env=False) as http:
        await http.post("/telco/faults", json={"twilio": [{"phone": AMINA, "code": 30002}]})
        form = {"username": "sandbox", "to": AMINA, "message": "Hi"}
        sent = await http.post("/version1/messaging", data=form, headers={"apiKey": API_KEY})
    assert sent.status_code == 201
    assert (await refused(client)).code == 30002
    assert [text.sender for text in amina.inbox] == ["AFRICASTKNG"]


async def test_one_phone_can_be_refused_with_any_code(client: Client, telco: RunningTelco) -> None:
    telco.set_faults(Faults(twilio=[TwilioFault(phone=AMINA, code=21614)]))
    assert (await refused(client)).code == 21614
    await client.messages.create_async(to="+254711000002", from_=NUMBER, body="Hi")


async def test_a_cut_connection_hides_that_the_text_was_accepted_and_the_list_tells_it(
    client: Client, telco: RunningTelco, amina: Handset
) -> None:
    telco.set_faults(Faults(twilio=[TwilioFault(ending="cut", count=1)]))
    before = datetime.now(UTC)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await post(telco, To=AMINA, From=NUMBER, Body="Your turn")
    found = await client.messages.list_async(to=AMINA, date_sent_after=before)
    assert [(message.body, message.sid) for message in found] == [("Your turn", amina.inbox[0].id)]


async def test_a_hanging_gateway_has_accepted_the_text_and_never_answers(telco: RunningTelco, amina: Handset) -> None:
    telco.set_faults(Faults(twilio=[TwilioFault(ending="hang")]))
    sending = asyncio.create_task(post(telco, To=AMINA, From=NUMBER, Body="Your turn"))
    await amina.wait_for_text("Your turn")
    assert not sending.done()
    telco.state.stop()
    assert (await sending).status_code == 201


@pytest.mark.parametrize(
    ("reports", "statuses", "final"),
    [
        ("normal", ["queued", "sent", "delivered"], "delivered"),
        ("none", [], "delivered"),
        ("duplicate", ["queued", "queued", "sent", "sent", "delivered", "delivered"], "delivered"),
        ("reordered", ["delivered", "sent", "queued"], "delivered"),
        ("failed", ["queued", "failed"], "failed"),
        ("undelivered", ["queued", "sent", "undelivered"], "undelivered"),
    ],
)
async def test_status_callbacks_are_signed_and_come_as_the_fault_says(
    client: Client, telco: RunningTelco, application: Application, reports: str, statuses: list[str], final: str
) -> None:
    telco.set_faults(Faults(twilio=[TwilioFault(reports=reports, error_code=30006)]))
    made = await client.messages.create_async(to=AMINA, from_=NUMBER, body="Hi", status_callback=STATUS_URL)
    await telco.settle()
    posted = application.got("/twilio/status")
    assert [request.form["MessageStatus"] for request in posted] == statuses
    for request in posted:
        assert valid(STATUS_URL, request.form, request.headers["x-twilio-signature"])
        assert {request.form["MessageSid"], request.form["SmsSid"]} == {made.sid}
        assert request.form["SmsStatus"] == request.form["MessageStatus"]
        assert (request.form["To"], request.form["From"], request.form["AccountSid"]) == (AMINA, NUMBER, ACCOUNT)
        is_last = request.form["MessageStatus"] in {"failed", "undelivered"}
        assert request.form.get("ErrorCode") == ("30006" if is_last else None)
    dated = [request.form["MessageStatus"] for request in posted if "RawDlrDoneDate" in request.form]
    assert dated == [status for status in statuses if status.endswith("delivered")]
    listed = (await client.messages.list_async())[0]
    assert (listed.status, listed.error_code) == (final, None if final == "delivered" else 30006)
    assert len(telco.phone(AMINA).inbox) == (1 if final == "delivered" else 0)


async def test_early_callbacks_reach_the_application_before_the_reply(
    client: Client, telco: RunningTelco, application: Application
) -> None:
    telco.set_faults(Faults(twilio=[TwilioFault(reports="early")]))
    made = await client.messages.create_async(to=AMINA, from_=NUMBER, body="Hi", status_callback=STATUS_URL)
    assert [request.form["MessageSid"] for request in application.got("/twilio/status")] == [made.sid] * 3
    assert telco.ledger.rows[-1].kind == "twilio.answer"


async def test_the_list_is_newest_first_filtered_and_holds_both_directions(
    client: Client, telco: RunningTelco, application: Application, amina: Handset
) -> None:
    application.answers["/twilio/sms"] = lambda _form: twiml("reply")
    await client.messages.create_async(to=AMINA, from_=NUMBER, body="one")
    await client.messages.create_async(to="+254711000002", from_=NUMBER, body="other")
    await amina.text("JOIN", to=NUMBER)
    await telco.settle()

    async def bodies(**filters: Any) -> list[str | None]:
        return [message.body for message in await client.messages.list_async(**filters)]

    now = datetime.now(UTC)
    assert await bodies() == ["reply", "JOIN", "other", "one"]
    assert await bodies(to=AMINA) == ["reply", "one"]
    assert await bodies(from_=AMINA) == ["JOIN"]
    assert await bodies(to=AMINA, date_sent_after=now - timedelta(minutes=1)) == ["reply", "one"]
    assert await bodies(date_sent_after=now + timedelta(minutes=1)) == []
    assert await bodies(date_sent_before=now - timedelta(minutes=1)) == []
    assert await bodies(date_sent_before=now + timedelta(minutes=1), to=AMINA) == ["reply", "one"]
    assert await bodies(date_sent=(now - timedelta(days=2)).strftime("%Y-%m-%d")) == []
    inbound = (await client.messages.list_async(from_=AMINA))[0]
    assert (inbound.direction, inbound.status) == ("inbound", "received")


async def test_the_list_comes_in_pages_that_do_not_move(client: Client) -> None:
    for number in range(5):
        await client.messages.create_async(to=AMINA, from_=NUMBER, body=str(number))
    first = await client.messages.page_async(page_size=2, to=AMINA)
    await client.messages.create_async(to=AMINA, from_=NUMBER, body="later")
    second = await first.next_page_async()
    assert second is not None
    assert [message.body for message in second] == ["2", "1"]
    assert len(await client.messages.list_async(page_size=2)) == 6


@pytest.mark.parametrize("query", [{"DateSent>": "soon"}, {"DateSent": "9999-12-31"}, {"PageSize": "all"}])
async def test_a_list_that_makes_no_sense_is_refused(telco: RunningTelco, query: dict[str, str]) -> None:
    async with httpx.AsyncClient(trust_env=False, auth=(ACCOUNT, TOKEN)) as http:
        reply = await http.get(f"{telco.url}{URI}.json", params=query)
    assert (reply.status_code, reply.json()["code"]) == (400, 20001)
