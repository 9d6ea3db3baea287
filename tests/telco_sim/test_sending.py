"""The africastalking SDK itself against the telco."""

from __future__ import annotations

import asyncio
import re
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import africastalking
import httpx
import phonenumbers
import pytest

from telco_sim.recipients import MAGIC_NUMBERS, STATUSES
from telco_sim.testing import Handset, RunningTelco
from tests.telco_sim.conftest import AMINA, API_KEY, Application

BARAKA = "+254711000002"
Sender = Callable[..., Awaitable[Any]]


def sdk_sender(url: str, api_key: str) -> Sender:
    """Return the SDK's `send`, pointed at the telco and run in a thread because it blocks."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # its WhatsApp service has no sandbox
        africastalking.initialize("sandbox", api_key)
    africastalking.SMS._baseUrl = africastalking.SMS._contentUrl = f"{url}/version1"  # noqa: SLF001 - no other way
    sms = africastalking.SMS

    async def send(*args: object, **options: object) -> object:
        return await asyncio.to_thread(sms.send, *args, **options)

    return send


@pytest.fixture
def send(telco: RunningTelco) -> Sender:
    return sdk_sender(telco.url, API_KEY)


async def test_a_text_is_answered_as_the_gateway_answers_and_arrives(send: Sender, amina: Handset) -> None:
    answer = (await send("You are next", [AMINA], sender_id="20880"))["SMSMessageData"]
    message_id = answer["Recipients"][0]["messageId"]
    assert re.fullmatch(r"ATXid_[0-9a-f]{32}", message_id)
    assert answer == {
        "Message": "Sent to 1/1 Total Cost: KES 0.8000 Message parts: 1",
        "Recipients": [
            {
                "cost": "KES 0.8000",
                "messageId": message_id,
                "number": AMINA,
                "status": "Success",
                "statusCode": 101,
            }
        ],
    }
    text = await amina.wait_for_text("You are next")
    assert (text.sender, text.id, text.parts) == ("20880", message_id, 1)


async def test_an_enqueued_text_is_only_queued(send: Sender) -> None:
    answer = await send("Hi", [AMINA], enqueue=True)
    assert answer["SMSMessageData"]["Recipients"][0]["statusCode"] == 102


async def test_the_content_type_is_json_and_nothing_more(telco: RunningTelco) -> None:
    form = {"username": "sandbox", "to": AMINA, "message": "Hi"}
    async with httpx.AsyncClient() as client:
        reply = await client.post(f"{telco.url}/version1/messaging", data=form, headers={"apiKey": API_KEY})
    assert (reply.status_code, reply.headers["content-type"]) == (201, "application/json")


async def test_a_wrong_key_is_refused_in_plain_text(telco: RunningTelco, amina: Handset) -> None:
    with pytest.raises(Exception, match="The supplied authentication is invalid"):
        await sdk_sender(telco.url, "wrong")("Hi", [AMINA])
    form = {"username": "somebody", "to": AMINA, "message": "Hi"}
    async with httpx.AsyncClient() as client:
        reply = await client.post(f"{telco.url}/version1/messaging", data=form, headers={"apiKey": API_KEY})
    assert (reply.status_code, reply.headers["content-type"]) == (401, "text/plain; charset=UTF-8")
    assert reply.headers["www-authenticate"] == 'Basic realm="api"'
    assert amina.inbox == []


async def test_a_form_without_a_field_is_refused_by_its_name(telco: RunningTelco) -> None:
    form = {"username": "sandbox", "message": "Hi"}
    async with httpx.AsyncClient() as client:
        reply = await client.post(f"{telco.url}/version1/messaging", data=form, headers={"apiKey": API_KEY})
    assert (reply.status_code, reply.text) == (400, "Request is missing required form field 'to'")


async def test_an_unknown_sender_is_told_with_201_and_no_recipients(send: Sender, amina: Handset) -> None:
    answer = await send("Hi", [AMINA], sender_id="NOBODY")
    assert answer == {"SMSMessageData": {"Message": "InvalidSenderId", "Recipients": []}}
    assert amina.inbox == []


@pytest.mark.parametrize(("number", "code"), MAGIC_NUMBERS.items())
async def test_a_magic_number_fails_with_its_code(send: Sender, telco: RunningTelco, number: str, code: int) -> None:
    answer = (await send("Hi", [number]))["SMSMessageData"]
    assert answer["Message"] == "Sent to 0/1 Total Cost: 0"
    assert answer["Recipients"] == [
        {"cost": "0", "messageId": "None", "number": number, "status": STATUSES[code], "statusCode": code}
    ]
    await telco.settle()
    assert telco.phone(number).inbox == []
    assert telco.ledger.of("sms.report") == []


def test_every_magic_number_is_one_that_an_application_would_accept() -> None:
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(number)) for number in MAGIC_NUMBERS)


async def test_a_number_of_the_wrong_shape_is_invalid(send: Sender) -> None:
    answer = await send("Hi", ["+254711"])
    assert answer["SMSMessageData"]["Recipients"][0]["statusCode"] == 403


async def test_each_recipient_has_a_fate_of_its_own(send: Sender, telco: RunningTelco) -> None:
    answer = (await send("€" * 81, [AMINA, "+254799000406", BARAKA]))["SMSMessageData"]
    assert [recipient["statusCode"] for recipient in answer["Recipients"]] == [101, 406, 101]
    assert answer["Message"] == "Sent to 2/3 Total Cost: KES 3.2000 Message parts: 2"
    assert [len(telco.phone(number).inbox) for number in (AMINA, BARAKA)] == [1, 1]


async def test_reports_follow_from_sent_to_success(send: Sender, telco: RunningTelco, application: Application) -> None:
    answer = (await send("Hi", [AMINA]))["SMSMessageData"]
    await telco.settle()
    reports = [request.form for request in application.got("/delivery")]
    message_id = answer["Recipients"][0]["messageId"]
    assert reports == [
        {"id": message_id, "status": status, "phoneNumber": AMINA, "networkCode": "99999"}
        for status in ("Sent", "Submitted", "Success")
    ]


async def test_the_ledger_numbers_everything_in_order(send: Sender, telco: RunningTelco) -> None:
    await send("Hi", [AMINA])
    await telco.settle()
    rows = telco.ledger.rows
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    assert [row.time for row in rows] == sorted(row.time for row in rows)
    assert [row.kind for row in rows] == ["sms.request", "sms.message", "sms.answer", *["sms.report"] * 3]
    assert telco.ledger.after(3) == rows[3:]
    assert {row.data["answered"] for row in telco.ledger.of("sms.report", AMINA)} == {200}
