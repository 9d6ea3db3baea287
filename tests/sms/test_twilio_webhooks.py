from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID

import pytest
from twilio.request_validator import RequestValidator

from sms.gateways.twilio import REPORT_STATUSES, parse_report
from sms.gateways.twilio_inbound import signed_by
from sms.sending import Report
from tests.sms.conftest import AMINA
from tests.sms.provider import TOKEN

GOLDEN = Path(__file__).parent.parent / "golden" / "twilio_webhooks"
PUBLIC = "https://queue.example.org"
REFERENCE = UUID("0b5a7b4c-4f1c-4b6e-9d6f-3c1d2e3f4a5b")
FORM = {"MessageSid": "SM6", "MessageStatus": "delivered", "To": AMINA, "From": "+15005550006"}


@dataclass(frozen=True)
class Golden:
    url: str
    headers: dict[str, str]
    body: bytes


def golden(name: str) -> Golden:
    head, _, body = next(GOLDEN.glob(f"{name}_*.http")).read_text().partition("\n\n")
    first, *lines = head.split("\n")
    headers = {key.lower(): value for key, _, value in (line.partition(": ") for line in lines)}
    return Golden(PUBLIC + first.split(" ")[1], headers, body.strip().encode())


NAMES = sorted(path.name.split("_")[0] for path in GOLDEN.iterdir())


def accepted(name: str, **given: object) -> bool:
    request = golden(name)
    arguments: dict[str, object] = {"secrets": [TOKEN], "url": request.url, "body": request.body}
    return signed_by(**(arguments | {"headers": request.headers} | given))  # type: ignore[arg-type]


def test_all_golden_requests_are_there() -> None:
    assert NAMES == ["G30", "G31", "G32", "G35", "G36", "G38"]


@pytest.mark.parametrize("name", NAMES)
def test_golden_requests_are_twilios(name: str) -> None:
    assert accepted(name)


@pytest.mark.parametrize("name", NAMES)
def test_whatever_is_changed_breaks_the_signature(name: str) -> None:
    request = golden(name)
    pairs = parse_qsl(request.body.decode(), keep_blank_values=True)
    changed: dict[str, list[object]] = {
        "body": [request.body + b"&Body=more", request.body.replace(b"SM", b"SN", 1), b"", b"\xff", b"a&" * 500],
        "url": [request.url + "&x=1", request.url.replace("https", "http"), request.url.replace("queue", "evil")],
        "secrets": [[], [""], ["another token"]],
        "headers": [{}, {"x-twilio-signature": ""}, {"x-twilio-signature": "ü"}],
    }
    for part, values in changed.items():
        for value in values:
            assert not accepted(name, **{part: value}), (part, value)
    for at in range(len(pairs)):
        assert not accepted(name, body=urlencode(pairs[:at] + pairs[at + 1 :]).encode()), pairs[at]


def test_the_example_of_the_vendor() -> None:
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    headers = {"x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert signed_by(["12345"], url, urlencode(form).encode(), headers)


@pytest.mark.parametrize("secrets", [["old", TOKEN], [TOKEN, "new"], ["", TOKEN]])
def test_while_a_token_is_replaced_both_are_good(secrets: list[str]) -> None:
    assert accepted("G35", secrets=secrets)


def test_a_name_that_comes_twice_is_signed_with_both_values() -> None:
    signature = RequestValidator(TOKEN).compute_signature(f"{PUBLIC}/t", {"A": "12"})
    body, headers = b"A=2&A=1", {"x-twilio-signature": signature}
    assert not signed_by([TOKEN], f"{PUBLIC}/t", body, headers)
    values = RequestValidator(TOKEN).compute_signature(f"{PUBLIC}/tA1A2", {})
    assert signed_by([TOKEN], f"{PUBLIC}/t", body, {"x-twilio-signature": values})


@pytest.mark.parametrize(
    ("settings", "good"),
    [
        ("key=webhooks_sharedkey_01,algorithm=HMAC_SHA256", True),
        ("key=webhooks_sharedkey_01,algorithm=HMAC_SHA1", False),
        ("key=webhooks_sharedkey_01,algorithm=NONE", False),
        ("", False),
    ],
)
def test_a_shared_key_signs_with_the_algorithm_that_the_header_names(settings: str, good: bool) -> None:  # noqa: FBT001
    signature = RequestValidator("shared").compute_signature(f"{PUBLIC}/t", FORM, "HMAC_SHA256")
    headers = {"x-twilio-signature": signature, "x-twilio-webhooks-signature-settings": settings}
    assert signed_by([TOKEN, "shared"], f"{PUBLIC}/t", urlencode(FORM).encode(), headers) is good


def report(**fields: str) -> Report:
    parsed = parse_report(FORM | fields)
    assert parsed is not None
    return parsed


def golden_report(name: str) -> Report | None:
    request = golden(name)
    form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    return parse_report(form, dict(parse_qsl(urlsplit(request.url).query)).get("m"))


@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [("G35", "delivered", None), ("G36", "failed", "phone_off"), ("G38", "failed", "opted_out")],
)
def test_golden_reports_are_read(name: str, status: str, reason: str | None) -> None:
    parsed = golden_report(name)
    assert parsed is not None
    assert (parsed.status, parsed.reason, parsed.reference) == (status, reason, None)
    assert parsed.phone
    assert "To" not in parsed.raw


def test_a_report_names_our_own_text() -> None:
    parsed = parse_report(FORM, str(REFERENCE))
    raw = {key: value for key, value in FORM.items() if key != "To"}
    assert parsed == Report("SM6", "delivered", AMINA, None, raw, REFERENCE)


@pytest.mark.parametrize("reference", ["42", "", "\0", "x" * 5000, None])
def test_a_reference_that_is_none_of_ours_is_none(reference: str | None) -> None:
    parsed = parse_report(FORM, reference)
    assert parsed is not None
    assert parsed.reference is None


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        *dict.fromkeys(("accepted", "scheduled", "queued", "sending", "sent", "SENT")).items(),
        *dict.fromkeys(("delivered", "read", "partially_delivered"), "delivered").items(),
        *dict.fromkeys(("undelivered", "failed", "canceled"), "failed").items(),
        ("teleported", "teleported"),
    ],
)
def test_each_status_has_a_meaning_or_is_kept(status: str, meaning: str | None) -> None:
    assert report(MessageStatus=status).status == (meaning or "sent")


def test_every_status_of_the_sdk_has_a_meaning() -> None:
    from twilio.rest.api.v2010.account.message import MessageInstance

    known = {value for name, value in vars(MessageInstance.Status).items() if name.isupper()}
    assert known - REPORT_STATUSES.keys() == {"receiving", "received"}


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        ("30036", "expired", "expired"),
        ("21610", "failed", "opted_out"),
        ("30007", "failed", "filtered"),
        ("39999", "failed", "39999"),
        ("٣", "failed", "٣"),
        ("", "failed", None),
    ],
)
def test_a_failed_text_says_why(code: str, status: str, reason: str | None) -> None:
    parsed = report(MessageStatus="failed", ErrorCode=code)
    assert (parsed.status, parsed.reason) == (status, reason)


@pytest.mark.parametrize("missing", ["MessageSid", "MessageStatus"])
def test_a_report_that_names_nothing_is_none(missing: str) -> None:
    assert parse_report({key: value for key, value in FORM.items() if key != missing}) is None
    assert parse_report(FORM | {missing: ""}) is None


def test_the_older_names_of_the_fields_do_as_well() -> None:
    parsed = parse_report({"SmsSid": "SM6", "SmsStatus": "sent"})
    assert parsed is not None
    assert (parsed.provider_id, parsed.status) == ("SM6", "sent")


def test_a_hostile_report_is_cut_to_what_a_database_takes() -> None:
    parsed = report(ErrorCode="\0" + "9" * 5000, **{"y\0" * 5000: "z"})
    assert parsed.reason == "9" * 200
    assert "\0" not in "".join((*parsed.raw, *parsed.raw.values()))
    assert max(len(key) + len(value) for key, value in parsed.raw.items()) <= 400
