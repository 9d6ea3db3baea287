from __future__ import annotations

import json
import logging
import re
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest

from sms.gateways.twilio import REFUSED, Twilio
from sms.sending import Report, SendFailed, Sent
from tests.sms.conftest import AMINA
from tests.sms.provider import (
    ACCOUNT,
    REPORTS,
    TOKEN,
    TWILIO_NUMBER,
    Provider,
    TwilioAccount,
    asking_twilio,
    http,
    message,
    refusal,
)

REFERENCE = "0b5a7b4c-4f1c-4b6e-9d6f-3c1d2e3f4a5b"
FINAL = {
    21211: "invalid_phone",
    21408: "region_not_allowed",
    21602: "empty_text",
    21604: "invalid_phone",
    21606: "unfit_sender",
    21608: "trial_account",
    21610: "opted_out",
    21612: "could_not_route",
    21614: "unsupported_number",
    21617: "text_too_long",
    21635: "unsupported_number",
    30004: "blocked",
    30005: "unknown_phone",
    30006: "cannot_reach",
    30007: "filtered",
    30009: "segment_missing",
    30010: "too_expensive",
    30018: "unregistered_sender",
    30024: "unregistered_sender",
    30032: "unregistered_sender",
    30034: "unregistered_sender",
    30036: "expired",
}
RETRY = {
    20429: "throttled",
    21611: "sender_queue_full",
    30001: "queue_overflow",
    30003: "phone_off",
    30008: "provider_error",
    30017: "congestion",
    30022: "throttled",
    30023: "throttled",
    30027: "throttled",
    30410: "provider_timeout",
    63018: "throttled",
}
STOPS = {
    20003: ("authentication", "ZAMU_TWILIO_AUTH_TOKEN"),
    20404: ("wrong_address", "ZAMU_TWILIO_ACCOUNT_SID"),
    21212: ("invalid_sender", "ZAMU_TWILIO_FROM"),
    21603: ("invalid_sender", "ZAMU_TWILIO_FROM"),
    21609: ("invalid_callback", "ZAMU_PUBLIC_URL"),
    21701: ("invalid_service", "ZAMU_TWILIO_FROM"),
    21702: ("invalid_service", "ZAMU_TWILIO_FROM"),
    21703: ("invalid_service", "ZAMU_TWILIO_FROM"),
    21704: ("invalid_service", "ZAMU_TWILIO_FROM"),
    21705: ("invalid_service", "ZAMU_TWILIO_FROM"),
    30002: ("account_suspended", "write to Twilio"),
}


async def send(
    gateway: Twilio, phone: str = AMINA, body: str = "Come now", minutes: float = 10, reference: str = REFERENCE
) -> Sent | SendFailed:
    return await gateway.send(phone, body, reference=reference, expires_in=timedelta(minutes=minutes))


def fields(provider: Provider) -> dict[str, list[str]]:
    return parse_qs(provider.requests[-1].partition(b"\r\n\r\n")[2].decode())


async def test_the_request_is_the_one_that_the_sdk_makes() -> None:
    provider = TwilioAccount()
    async with asking_twilio(provider) as gateway:
        assert await send(gateway, body="Come now & bring 50% + ID") == Sent(f"SM{0:032}", None, 1)
    head = provider.requests[0].partition(b"\r\n\r\n")[0]
    assert head.startswith(f"POST /2010-04-01/Accounts/{ACCOUNT}/Messages.json HTTP/1.1".encode())
    assert b"Authorization: Basic " in head
    assert fields(provider) == {
        "To": [AMINA],
        "Body": ["Come now & bring 50% + ID"],
        "From": [TWILIO_NUMBER],
        "StatusCallback": [f"{REPORTS}?m={REFERENCE}"],
        "ValidityPeriod": ["600"],
    }


async def test_a_messaging_service_sends_under_its_own_name() -> None:
    provider = TwilioAccount()
    async with asking_twilio(provider, sender="MG" + "0" * 32) as gateway:
        await send(gateway)
    assert fields(provider)["MessagingServiceSid"] == ["MG" + "0" * 32]
    assert "From" not in fields(provider)


@pytest.mark.parametrize(("minutes", "validity"), [(3, "180"), (0.001, "1"), (-5, "1"), (720, "36000")])
async def test_twilio_drops_a_text_that_is_not_true_any_more(minutes: float, validity: str) -> None:
    provider = TwilioAccount()
    async with asking_twilio(provider) as gateway:
        await send(gateway, minutes=minutes)
    assert provider.ledger[0]["validity"] == validity


def test_every_code_is_judged_here() -> None:
    assert {code for code in REFUSED if code > 600} == FINAL.keys() | RETRY.keys() | STOPS.keys()


@pytest.mark.parametrize("code", FINAL)
async def test_what_is_wrong_with_one_text_is_final_and_stops_no_other(code: int) -> None:
    async with asking_twilio(Provider(refusal(code))) as gateway:
        result = await send(gateway)
    assert isinstance(result, SendFailed)
    assert (result.code, result.outcome, result.stops_gateway) == (FINAL[code], "final", False)
    assert result.opted_out == (code == 21610)


@pytest.mark.parametrize("code", RETRY)
async def test_what_passes_is_tried_again(code: int) -> None:
    async with asking_twilio(Provider(refusal(code, 429))) as gateway:
        assert await send(gateway) == SendFailed(RETRY[code], "retry")


@pytest.mark.parametrize("code", STOPS)
async def test_what_is_wrong_with_the_account_stops_the_gateway_and_says_what_to_do(code: int) -> None:
    async with asking_twilio(Provider(refusal(code, 401))) as gateway:
        result = await send(gateway)
    assert isinstance(result, SendFailed)
    assert (result.code, result.outcome, result.stops_gateway) == (STOPS[code][0], "retry", True)
    assert STOPS[code][1] in result.advice


PROBLEM = {"type": "about:blank", "title": "Unsubscribed", "status": 400, "code": 21610}


@pytest.mark.parametrize(
    ("reply", "code", "outcome"),
    [
        (refusal(21999), "twilio_21999", "final"),
        (refusal(20500, 500), "twilio_20500", "retry"),
        (http(400, "no"), "http_400", "final"),
        (http(401, "no"), "authentication", "retry"),
        (http(403, "no"), "authentication", "retry"),
        (http(404, "no"), "wrong_address", "retry"),
        (http(302, "", "text/html", "Location: /"), "wrong_address", "retry"),
        (http(429, "no"), "throttled", "retry"),
        (http(500, "no"), "http_500", "retry"),
        (http(503, "no"), "http_503", "retry"),
        (http(502, "no"), "http_502", "unknown"),
        (http(504, "no"), "http_504", "unknown"),
        (http(400, json.dumps(PROBLEM)), "opted_out", "final"),
        (http(201, "<html>"), "unreadable_answer", "unknown"),
        (http(201, "[]"), "unreadable_answer", "unknown"),
        (http(201, "{}"), "unreadable_answer", "unknown"),
        (http(201, ""), "unreadable_answer", "unknown"),
        (http(201, json.dumps(message("SM1", AMINA, "x", num_segments="odd"))), "unreadable_answer", "unknown"),
        (None, "answer_lost", "unknown"),
        (b"", "answer_lost", "unknown"),
        (b"SMTP\r\n\r\n", "answer_lost", "unknown"),
        (http(201, "x" * 50)[:-10], "answer_lost", "unknown"),
    ],
)
async def test_an_odd_answer_is_never_taken_for_a_sent_text(reply: bytes | None, code: str, outcome: str) -> None:
    provider = Provider(reply)
    async with asking_twilio(provider) as gateway:
        result = await send(gateway)
    assert isinstance(result, SendFailed)
    assert (result.code, result.outcome) == (code, outcome)
    assert len(provider.requests) == 1


@pytest.mark.parametrize("ending", ["cut", "hang"])
async def test_an_accepted_text_whose_answer_is_lost_is_unknown_and_never_posted_again(ending: str) -> None:
    provider = TwilioAccount(ending)
    async with asking_twilio(provider) as gateway:
        assert await send(gateway) == SendFailed("answer_lost", "unknown")
    assert len(provider.ledger) == 1


async def test_a_service_that_counts_no_segments_yet_leaves_the_counting_to_us() -> None:
    async with asking_twilio(Provider(http(201, json.dumps(message("SM1", AMINA, "x", num_segments="0"))))) as gateway:
        assert await send(gateway) == Sent("SM1", None, None)


async def test_a_refused_connection_may_be_tried_again() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        gateway = Twilio(ACCOUNT, TOKEN, sender=TWILIO_NUMBER, base_url=f"http://127.0.0.1:{nobody.getsockname()[1]}")
        assert await send(gateway) == SendFailed("connection_failed", "retry")
        await gateway.close()


async def test_a_connection_that_is_never_accepted_may_be_tried_again() -> None:
    with socket.socket() as deaf, socket.socket() as first, socket.socket() as second:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for caller in (first, second):  # they fill the line of those who wait to be accepted
            caller.setblocking(False)  # noqa: FBT003
            caller.connect_ex(deaf.getsockname())
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        gateway = Twilio(ACCOUNT, TOKEN, sender=TWILIO_NUMBER, base_url=url, timeout=(0.3, 0.3))
        assert await send(gateway) == SendFailed("connection_failed", "retry")
        await gateway.close()


async def test_an_address_that_is_none_stops_the_gateway() -> None:
    gateway = Twilio(ACCOUNT, TOKEN, sender=TWILIO_NUMBER, base_url="nonsense")
    result = await send(gateway)
    await gateway.close()
    assert isinstance(result, SendFailed)
    assert (result.code, result.stops_gateway) == ("misconfigured", True)


@pytest.mark.parametrize("phone", ["0711000001", "+254711000001\n", "+2547110000010000000000", "+0711000001", "MTN"])
async def test_a_phone_that_is_none_never_leaves_the_house(phone: str) -> None:
    provider = TwilioAccount()
    async with asking_twilio(provider) as gateway:
        assert await send(gateway, phone) == SendFailed("invalid_phone", "final")
    assert provider.requests == []


async def test_a_connection_is_used_again() -> None:
    provider = TwilioAccount()
    async with asking_twilio(provider) as gateway:
        for _ in range(3):
            assert isinstance(await send(gateway), Sent)
    assert len(provider.connections) == 1


async def test_the_environment_does_not_change_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_EDGE", "dublin")
    monkeypatch.setenv("TWILIO_REGION", "ie1")
    async with asking_twilio(TwilioAccount()) as gateway:
        assert isinstance(await send(gateway), Sent)


async def test_no_phone_and_no_account_is_told_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    provider = TwilioAccount("answer", "cut")
    async with asking_twilio(provider) as gateway:
        for _ in range(2):
            await send(gateway)
        await gateway.look_up(AMINA, "Come now", datetime.now(UTC))
    assert not re.search(f"{AMINA[1:]}|{ACCOUNT}|{TOKEN}", caplog.text)


async def test_a_look_up_finds_the_texts_with_these_words_since_then_the_oldest_first() -> None:
    provider = TwilioAccount("cut", "cut")
    async with asking_twilio(provider) as gateway:
        for body in ("Come now", "Another", "Come now"):
            await send(gateway, body=body)
        await send(gateway, "+254711000002")
        provider.ledger[2] |= {"status": "undelivered", "error_code": "30003"}
        provider.ledger.append(message("SM9", AMINA, "Come now", date_created="Mon, 02 Nov 2020 10:00:00 +0000"))
        found = await gateway.look_up(AMINA, "Come now", datetime.now(UTC))
    assert [(one.provider_id, one.status, one.reason) for one in found] == [
        (f"SM{0:032}", "sent", None),
        (f"SM{2:032}", "failed", "phone_off"),
    ]
    assert {one.phone for one in found} == {AMINA}


@pytest.mark.parametrize(
    "reply", [None, b"", refusal(20003, 401), http(500, "no"), http(200, "<html>"), http(200, "[]")]
)
async def test_a_look_up_that_fails_finds_nothing(reply: bytes | None) -> None:
    async with asking_twilio(Provider(reply)) as gateway:
        found: list[Report] = await gateway.look_up(AMINA, "Come now", datetime.now(UTC))
    assert found == []


def test_the_sdk_is_loaded_only_by_who_sends() -> None:
    code = "import sys, sms.gateways.twilio; print({'twilio', 'aiohttp'} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "set()"
