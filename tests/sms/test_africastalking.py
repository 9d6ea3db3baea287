from __future__ import annotations

import socket
import subprocess
import sys
from datetime import timedelta
from urllib.parse import parse_qs

import pytest

from sms.gateways.africastalking import AfricasTalking
from sms.sending import SendFailed, Sent
from telco_sim.faults import Faults, SmsFault
from telco_sim.recipients import MAGIC_NUMBERS
from telco_sim.testing import RunningTelco
from tests.sms.conftest import AMINA, API_KEY
from tests.sms.provider import ACCEPTED, Provider, asking, http, told

REFUSED = {
    401: ("risk_hold", "retry"),
    402: ("invalid_sender_id", "retry"),
    403: ("invalid_phone", "final"),
    404: ("unsupported_number", "final"),
    405: ("insufficient_balance", "retry"),
    406: ("opted_out", "final"),
    407: ("could_not_route", "final"),
    409: ("do_not_disturb", "final"),
    500: ("provider_error", "retry"),
    501: ("provider_error", "retry"),
    502: ("rejected_by_gateway", "retry"),
}


async def send(gateway: AfricasTalking, phone: str = AMINA, body: str = "Come now") -> Sent | SendFailed:
    return await gateway.send(phone, body, reference="4f1c", expires_in=timedelta(minutes=3))


async def test_a_text_arrives_and_its_id_cost_and_parts_are_known(telco: RunningTelco, gateway: AfricasTalking) -> None:
    amina = telco.phone(AMINA)
    result = await send(gateway, body="Kilimani Clinic: come now & bring 50% + ID")
    text = await amina.wait_for_text("come now & bring 50% + ID")
    assert text.sender == "20880"
    row = telco.ledger.of("sms.message", AMINA)[0]
    assert result == Sent(row.data["messageId"], "KES 0.8000", 1)


async def test_the_request_is_the_one_that_the_sdk_makes() -> None:
    provider = Provider(http(201, told(ACCEPTED)))
    async with asking(provider) as gateway:
        await send(gateway)
    head, _, form = provider.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /version1/messaging HTTP/1.1")
    assert {b"apiKey: key-of-nobody", b"Accept: application/json"} <= set(head.split(b"\r\n"))
    fields = {"username": ["zamu"], "to": [AMINA], "message": ["Come now"], "bulkSMSMode": ["1"]}
    assert parse_qs(form.decode()) == fields


def test_every_refusal_that_the_telco_knows_is_judged() -> None:
    assert {int(number[-3:]) for number in MAGIC_NUMBERS} == REFUSED.keys()


@pytest.mark.parametrize("code", REFUSED)
async def test_each_refused_recipient_is_judged(code: int, telco: RunningTelco, gateway: AfricasTalking) -> None:
    result = await send(gateway, f"+254799000{code}")
    assert isinstance(result, SendFailed)
    assert (result.code, result.outcome) == REFUSED[code]
    assert result.opted_out == (code == 406)
    assert result.stops_gateway == (code in {401, 402, 405})
    assert bool(result.advice) == result.stops_gateway
    assert not telco.phone(f"+254799000{code}").inbox


@pytest.mark.parametrize("code", [100, 101, 102])
async def test_each_accepted_recipient_is_sent(code: int, telco: RunningTelco, gateway: AfricasTalking) -> None:
    telco.set_faults(Faults(sms=[SmsFault(code=code)]))
    assert isinstance(await send(gateway), Sent)


@pytest.mark.parametrize(
    ("status", "judgement"),
    [
        (401, ("authentication", "retry", True)),
        (429, ("throttled", "retry", False)),
        (500, ("http_500", "retry", False)),
    ],
)
async def test_a_refused_request_is_judged_by_its_http_status(
    status: int, judgement: tuple[str, str, bool], telco: RunningTelco, gateway: AfricasTalking
) -> None:
    telco.set_faults(Faults(sms=[SmsFault(status=status)]))
    result = await send(gateway)
    assert isinstance(result, SendFailed)
    assert (result.code, result.outcome, result.stops_gateway) == judgement


async def test_a_sender_id_that_is_not_ours_stops_the_gateway(telco: RunningTelco) -> None:
    gateway = AfricasTalking("sandbox", API_KEY, sender="CLINIC", base_url=telco.url, threads=1)
    result = await send(gateway)
    await gateway.close()
    assert isinstance(result, SendFailed)
    assert result.stops_gateway
    assert "ZAMU_AT_SENDER" in result.advice


@pytest.mark.parametrize(
    ("reply", "code", "outcome"),
    [
        (http(400, "no"), "http_400", "final"),
        (http(403, "no"), "authentication", "retry"),
        (http(404, "no"), "wrong_address", "retry"),
        (http(302, "", "text/html", "Location: /"), "wrong_address", "retry"),
        (http(503, "no"), "http_503", "retry"),
        (http(201, "<html>"), "unreadable_answer", "unknown"),
        (http(201, '{"SMSMessageData": {"Recip'), "unreadable_answer", "unknown"),
        (http(201, "[]"), "unreadable_answer", "unknown"),
        (http(201, told({"statusCode": "odd", "status": "?"})), "unreadable_answer", "unknown"),
        (http(201, told(message="InvalidSenderId")), "invalid_sender_id", "retry"),
        (http(201, told(message="Sent to 0/1 Total Cost: 0")), "no_recipient", "retry"),
        (http(201, told({"status": "Could Not Send", "messageId": "None"})), "could_not_send", "retry"),
        (None, "answer_lost", "unknown"),
        (http(201, "x" * 50)[:-10], "answer_lost", "unknown"),
    ],
)
async def test_an_odd_answer_is_never_taken_for_a_sent_text(reply: bytes | None, code: str, outcome: str) -> None:
    async with asking(Provider(reply)) as gateway:
        result = await send(gateway)
    assert isinstance(result, SendFailed)
    assert (result.code, result.outcome) == (code, outcome)


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "text/plain"])
async def test_an_answer_is_read_whatever_its_content_type(kind: str) -> None:
    async with asking(Provider(http(201, told(ACCEPTED), kind))) as gateway:
        assert await send(gateway) == Sent("ATXid_1", "KES 0.8000", 1)


async def test_an_accepted_text_without_an_id_is_sent_all_the_same() -> None:
    nameless = {"status": "Success", "statusCode": 102, "messageId": "None", "cost": "0"}
    async with asking(Provider(http(201, told(nameless, message="")))) as gateway:
        assert await send(gateway) == Sent(None, "0", None)


@pytest.mark.parametrize("ending", ["cut", "hang"])
async def test_an_accepted_text_whose_answer_is_lost_is_unknown(
    ending: str, telco: RunningTelco, gateway: AfricasTalking
) -> None:
    telco.set_faults(Faults(sms=[SmsFault(ending=ending)]))
    assert await send(gateway) == SendFailed("answer_lost", "unknown")
    assert len(telco.ledger.of("sms.message", AMINA)) == 1


async def test_a_refused_connection_may_be_tried_again() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        gateway = AfricasTalking("zamu", API_KEY, base_url=url, threads=1)
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
        gateway = AfricasTalking("zamu", API_KEY, base_url=url, threads=1, timeout=(0.3, 0.3))
        assert await send(gateway) == SendFailed("connection_failed", "retry")
        await gateway.close()


@pytest.mark.parametrize("bad", [{"base_url": "nonsense"}, {"api_key": "key\nwith a line"}])
async def test_settings_that_cannot_be_sent_stop_the_gateway(bad: dict[str, str]) -> None:
    settings = {"base_url": "http://127.0.0.1:9", "api_key": API_KEY} | bad
    gateway = AfricasTalking("zamu", settings["api_key"], base_url=settings["base_url"], threads=1)
    result = await send(gateway)
    await gateway.close()
    assert isinstance(result, SendFailed)
    assert (result.code, result.stops_gateway) == ("misconfigured", True)


@pytest.mark.parametrize("phone", ["0711000001", "+254711000001\n", "+2547110000010000000000", "+0711000001", "MTN"])
async def test_a_phone_that_is_none_never_leaves_the_house(
    phone: str, telco: RunningTelco, gateway: AfricasTalking
) -> None:
    assert await send(gateway, phone) == SendFailed("invalid_phone", "final")
    assert telco.ledger.rows == []


async def test_a_connection_is_used_again_but_not_after_a_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = Provider(http(201, told(ACCEPTED)))
    async with asking(provider) as gateway:
        for _ in range(3):
            assert isinstance(await send(gateway), Sent)
        assert len(provider.connections) == 1
        monkeypatch.setattr("sms.gateways.africastalking.REST_SECONDS", 0)
        assert isinstance(await send(gateway), Sent)
        assert len(provider.connections) == 2


async def test_two_accounts_live_beside_each_other(telco: RunningTelco, gateway: AfricasTalking) -> None:
    other = AfricasTalking("sandbox", "another key", base_url=telco.url, threads=1)
    refused, accepted = await send(other), await send(gateway)
    await other.close()
    assert isinstance(refused, SendFailed)
    assert isinstance(accepted, Sent)


@pytest.mark.parametrize(
    ("username", "host"),
    [("sandbox", "https://api.sandbox.africastalking.com"), ("zamu", "https://api.africastalking.com")],
)
async def test_without_an_address_the_sdk_knows_the_way(
    username: str, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def refuse(_self: object, method: str, url: str, **_options: object) -> None:
        asked.append((method, url))
        raise ConnectionError

    monkeypatch.setattr("requests.Session.request", refuse)
    gateway = AfricasTalking(username, API_KEY, threads=1)
    with pytest.raises(ConnectionError):
        await send(gateway)
    await gateway.close()
    assert asked == [("POST", f"{host}/version1/messaging")]


def test_the_sdk_is_loaded_only_by_who_sends() -> None:
    code = "import sys, sms.gateways, sms.outbox; print({'africastalking', 'requests'} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "set()"
