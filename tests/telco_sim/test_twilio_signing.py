"""Our own signature against the vendor's example, the golden requests, and the vendor's validator."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telco_sim.config import TelcoConfig
from telco_sim.twilio.signing import reachable, signature, signed_headers
from tests.telco_sim.twilio_account import PUBLIC, TOKEN, valid

IDS = (
    "SmsSid=SM{n:032}&SmsStatus=delivered&MessageStatus=delivered&To=%2B254711000001&MessageSid=SM{n:032}"
    "&AccountSid=AC00000000000000000000000000000001&From=%2B15005550006&ApiVersion=2010-04-01"
)
GOLDEN = {
    "G30": (
        "/twilio/sms",
        (
            "ToCountry=KE&ToState=&SmsMessageSid=SM00000000000000000000000000000001&NumMedia=0&ToCity=&FromZip="
            "&SmsSid=SM00000000000000000000000000000001&FromState=&SmsStatus=received&FromCity=&Body=JOIN+CLINIC7"
            "&FromCountry=KE&To=%2B254700000100&ToZip=&NumSegments=1&MessageSid=SM00000000000000000000000000000001"
            "&AccountSid=AC00000000000000000000000000000001&From=%2B254711000001&ApiVersion=2010-04-01"
        ),
        "EC1MbwjU2A53wVFcHURXZni1otI=",
    ),
    "G31": (
        "/twilio/sms",
        (
            "ToCountry=US&ToState=&SmsMessageSid=SM00000000000000000000000000000002&NumMedia=0&ToCity=&FromZip=27609"
            "&SmsSid=SM00000000000000000000000000000002&FromState=NC&SmsStatus=received&FromCity=RALEIGH&Body=Where"
            "&FromCountry=US&To=384387&ToZip=&NumSegments=1&MessageSid=SM00000000000000000000000000000002"
            "&MessagingServiceSid=MG00000000000000000000000000000001&AccountSid=AC00000000000000000000000000000001"
            "&From=%2B14155550101&ApiVersion=2010-04-01"
        ),
        "5/cZ3q6B8JRSN9Ts8uhNbKTQaAY=",
    ),
    "G32": (
        "/twilio/sms",
        (
            "ToCountry=US&NumMedia=0&SmsStatus=received&Body=STOP&FromCountry=US&To=%2B15005550006&NumSegments=1"
            "&MessagingServiceSid=MG00000000000000000000000000000001&MessageSid=SM00000000000000000000000000000003"
            "&SmsSid=SM00000000000000000000000000000003&SmsMessageSid=SM00000000000000000000000000000003"
            "&AccountSid=AC00000000000000000000000000000001&From=%2B14155550101&OptOutType=STOP&ApiVersion=2010-04-01"
        ),
        "uqow2vnb7NAUktd6HELTd5Z59NY=",
    ),
    "G35": (
        "/twilio/status?m=42",
        IDS.format(n=6) + "&RawDlrDoneDate=2609281204",
        "Eje9d8Qo8mtu+skPCUuCHhQI7CQ=",
    ),
    "G36": (
        "/twilio/status?m=42",
        "ErrorCode=30003&" + IDS.format(n=6).replace("delivered", "undelivered"),
        "g24IaSTcUe5jl6mcRAp67TP8798=",
    ),
    "G38": (
        "/twilio/status?m=43",
        "ErrorCode=21610&MessageSid=SM00000000000000000000000000000007&MessageStatus=failed&To=%2B14155550101",
        "8C+4YUii9Z9fOvyup3hMQnx6k2o=",
    ),
}


def test_the_vendors_example_has_the_vendors_signature() -> None:
    fields = {
        "To": "+18005551212",
        "From": "+14158675309",
        "Digits": "1234",
        "Caller": "+14158675309",
        "CallSid": "CA1234567890ABCDE",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert signature("12345", url, fields) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


@pytest.mark.parametrize("name", GOLDEN)
def test_a_golden_request_has_its_golden_signature(name: str) -> None:
    path, body, expected = GOLDEN[name]
    assert signature(TOKEN, PUBLIC + path, dict(parse_qsl(body, keep_blank_values=True))) == expected


def test_a_dropped_blank_breaks_the_signature() -> None:
    path, body, expected = GOLDEN["G30"]
    assert signature(TOKEN, PUBLIC + path, dict(parse_qsl(body))) != expected


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_whatever_is_posted_the_vendors_validator_takes_it(fields: dict[str, str]) -> None:
    url = f"{PUBLIC}/twilio/sms?key=a%20b"
    assert valid(url, fields, signature(TOKEN, url, fields))


def test_without_a_public_address_the_real_one_is_signed() -> None:
    config = TelcoConfig(api_key="k", twilio_auth_token=TOKEN)
    url = "http://127.0.0.1:8000/twilio/sms"
    assert signed_headers(config, url, {"a": "1"}) == {"X-Twilio-Signature": signature(TOKEN, url, {"a": "1"})}


def test_only_what_is_at_the_public_address_is_posted_elsewhere() -> None:
    config = TelcoConfig(api_key="k", public_url=f"{PUBLIC}/", twilio_inbound_url="http://127.0.0.1:8000/sms")
    assert reachable(config, f"{PUBLIC}/status?m=1") == "http://127.0.0.1:8000/status?m=1"
    assert reachable(config, f"{PUBLIC}.evil.example/status") == f"{PUBLIC}.evil.example/status"
