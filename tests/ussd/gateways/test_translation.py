"""What each gateway's fields mean, in forms that people send; and that anything else is refused in words."""

from __future__ import annotations

import contextlib
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ussd.gateways.dialects import DIALECTS, Phone, Sent
from ussd.gateways import GATEWAYS
from ussd.request import BadRequest, Request

CODES = sorted(GATEWAYS)
BY_CODE = {dialect.code: dialect for dialect in DIALECTS}


def parse(code: str, sent: Sent) -> Request:
    return GATEWAYS[code].parse(sent.data, sent.path.removeprefix("/"))


def changed(code: str, sent: Sent, **fields: Any) -> Request:
    """The request with some of its fields replaced; None takes one away."""
    if sent.method == "GET":
        given_fields = dict(pair.split(b"=") for pair in sent.data.split(b"&"))
        kept = {name.decode(): value.decode() for name, value in given_fields.items()} | fields
        data = urlencode({name: value for name, value in kept.items() if value is not None}).encode()
    else:
        kept = json.loads(sent.data) | fields
        data = json.dumps({name: value for name, value in kept.items() if value is not None}).encode()
    return parse(code, Sent(data, sent.method, sent.path))


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.code)
def test_a_call_and_a_key_are_read(dialect: type[Phone]) -> None:
    phone = dialect()
    first = parse(phone.code, phone.dial())
    assert (first.phone, first.gateway) == (phone.number, phone.code)
    assert first.session_key == (phone.number if phone.code == "nalo" else phone.session)
    assert first.is_first is (None if phone.code == "airtel" else True)
    assert first.screen == phone.screen
    key = parse(phone.code, phone.press("1"))
    assert not key.is_first
    assert not key.is_abort
    assert (key.input, key.transcript) in {("1", None), (None, "1")}
    assert (key.session_key, key.phone) == (first.session_key, first.phone)


@pytest.mark.parametrize("dialect", [one for one in DIALECTS if one.passes_path], ids=lambda dialect: dialect.code)
def test_what_is_dialled_after_the_code_is_read(dialect: type[Phone]) -> None:
    request = parse(dialect.code, dialect().dial("4071*2"))
    assert (request.dialled_path, request.transcript) in {(("4071", "2"), None), ((), "4071*2")}


@pytest.mark.parametrize("dialect", [one for one in DIALECTS if one().gone()], ids=lambda dialect: dialect.code)
def test_a_caller_who_is_gone_may_have_no_number(dialect: type[Phone]) -> None:
    phone = dialect()
    first, gone = parse(phone.code, phone.dial()), phone.gone()
    assert gone
    numberless = changed(phone.code, gone, Mobile=None, msisdn=None)
    for request in (parse(phone.code, gone), numberless):
        assert (request.is_abort, request.session_key) == (True, first.session_key)


@pytest.mark.parametrize(
    ("code", "field", "written", "number"),
    [
        ("hubtel", "Mobile", "0201234567", "+233201234567"),
        ("hubtel", "Mobile", "+233201234567", "+233201234567"),
        ("hubtel", "Mobile", 233201234567, "+233201234567"),
        ("nalo", "MSISDN", "0241234567", "+233241234567"),
        ("arkesel", "msisdn", "233271231234", "+233271231234"),
        ("beem", "msisdn", "0762089337", "+255762089337"),
        ("mtn", "msisdn", "+256772123456", "+256772123456"),
        ("mtn", "msisdn", "233241234567", "+233241234567"),
        ("infobip", "msisdn", "00385950000000", "+385950000000"),
        ("airtel", "MSISDN", "260971234567", "+260971234567"),
        ("airtel", "MSISDN", "+254733000001", "+254733000001"),
        ("safaricom", "ORIG", "0711000002", "+254711000002"),
        ("safaricom", "ORIG", "711000002", "+254711000002"),
        ("safaricom", "ORIG", "256772123456", "+256772123456"),
    ],
)
def test_a_number_is_read_as_its_gateway_writes_it(code: str, field: str, written: object, number: str) -> None:
    assert changed(code, BY_CODE[code]().dial(), **{field: written}).phone == number


@pytest.mark.parametrize(("code", "field"), [("mtn", "msisdn"), ("infobip", "msisdn"), ("airtel", "MSISDN")])
def test_a_number_without_its_country_is_nobodys_where_the_country_is_not_known(code: str, field: str) -> None:
    for written in ("0711000002", "12", "", "Amina"):
        with pytest.raises(BadRequest):
            changed(code, BY_CODE[code]().dial(), **{field: written})


@pytest.mark.parametrize("kind", ["initiation", "INITIATION", "Initiation"])
def test_hubtel_writes_its_types_in_any_case(kind: str) -> None:
    assert changed("hubtel", BY_CODE["hubtel"]().dial(), Type=kind).is_first


@pytest.mark.parametrize(
    ("message", "service_code", "path"),
    [
        ("*711*2*3*100*1#", "711*2", ("3", "100", "1")),
        ("*713**4071#", "713", ("4071",)),
        ("*713*#", "713", ()),
        ("*714*4071#", "713", ()),
        ("", "0123456789abcdef0123456789abcdef", ()),
        (None, None, ()),
    ],
)
def test_hubtel_says_how_long_its_code_is(message: str | None, service_code: str | None, path: tuple[str]) -> None:
    request = changed("hubtel", BY_CODE["hubtel"]().dial(), Message=message, ServiceCode=service_code)
    assert request.dialled_path == path


def test_a_code_that_is_too_long_for_a_screen_is_not_shown() -> None:
    phone = BY_CODE["hubtel"]()
    assert changed("hubtel", phone.dial()).service_code == "*713#"
    assert changed("hubtel", phone.dial(), ServiceCode="0" * 32).service_code == ""


def test_nalo_begins_only_with_what_was_dialled() -> None:
    phone = BY_CODE["nalo"]()
    assert changed("nalo", phone.dial(), USERDATA="*920*12").is_first
    assert changed("nalo", phone.dial(), MSGTYPE="true").is_first
    assert not changed("nalo", phone.dial(), USERDATA="1").is_first
    assert not changed("nalo", phone.dial(), MSGTYPE=False).is_first


def test_beems_own_numbers_name_nothing_until_it_brings_back_ours() -> None:
    phone = BY_CODE["beem"]()
    for payload in (None, {}, {"request_id": 0}, {"request_id": "x"}, {"request_id": "9" * 99}):
        assert changed("beem", phone.dial(), payload=payload).request_id is None
    assert parse("beem", phone.press("1")).request_id == "1"


@pytest.mark.parametrize(
    "path", ["", "session/1", "session//start", "session/1/status", "session/1/2/start", "session/a b/start"]
)
def test_infobip_has_three_steps(path: str) -> None:
    with pytest.raises(BadRequest, match="path"):
        GATEWAYS["infobip"].parse(b'{"msisdn": "385950000000", "text": ""}', path)


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff"])
def test_the_end_of_a_session_at_infobip_needs_no_body(body: bytes) -> None:
    assert GATEWAYS["infobip"].parse(body, "session/1/end").is_abort


@pytest.mark.parametrize("code", ["nalo", "arkesel", "beem", "mtn"])
def test_what_a_gateway_wants_back_comes_back_even_with_a_refusal(code: str) -> None:
    phone = BY_CODE[code]()
    with pytest.raises(BadRequest) as problem:
        changed(code, phone.dial(), msisdn="12", MSISDN="12")
    assert '"12"' in GATEWAYS[code].refuse(problem.value).body


@pytest.mark.parametrize(
    ("code", "fields"),
    [
        ("hubtel", {"Type": "Query"}),
        ("hubtel", {"Type": True}),
        ("hubtel", {"SessionId": "a b"}),
        ("hubtel", {"Message": ["1"]}),
        ("nalo", {"USERDATA": {}}),
        ("nalo", {"MSISDN": None}),
        ("arkesel", {"sessionID": ""}),
        ("arkesel", {"userID": 1.5}),
        ("beem", {"command": "ask"}),
        ("beem", {"payload": {"response": []}, "command": "continue"}),
        ("mtn", {"messageType": "3"}),
        ("mtn", {"sessionId": "a\nb"}),
        ("safaricom", {"SESSION_ID": None}),
        ("airtel", {"SessionID": None}),
        ("airtel", {"MSISDN": None}),
    ],
)
def test_what_is_no_request_is_refused_in_words(code: str, fields: dict[str, Any]) -> None:
    with pytest.raises(BadRequest) as problem:
        changed(code, BY_CODE[code]().dial(), **fields)
    says(code, problem.value)


def says(code: str, problem: BadRequest) -> None:
    reply = GATEWAYS[code].refuse(problem)
    assert reply.status == 200
    assert "Sorry, the system is busy. Nothing was changed" in reply.body
    assert str(problem).endswith(".")


def reads_or_says(code: str, data: bytes, path: str = "") -> None:
    try:
        request = GATEWAYS[code].parse(data, path)
    except BadRequest as problem:
        says(code, problem)
        return
    assert request.is_abort or request.phone.startswith("+")
    for typed in (request.input, request.transcript, *request.dialled_path, *request.echo.values()):
        assert (typed or "").isprintable()
        (typed or "").encode()


@pytest.mark.parametrize("code", CODES)
@given(data=st.binary(max_size=400), path=st.sampled_from(["", "session/1/start", "session/1/response"]))
def test_any_bytes_are_a_request_or_refused_in_words(code: str, data: bytes, path: str) -> None:
    reads_or_says(code, data, path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize(
    "dialect", [one for one in DIALECTS if one().dial().method == "POST"], ids=lambda one: one.code
)
@given(st.data())
def test_any_field_may_be_anything(dialect: type[Phone], data: st.DataObject) -> None:
    phone = dialect()
    for sent in (phone.dial(), phone.press("1")):
        try:
            fields = json.loads(sent.data)
        except ValueError:
            continue
        name = data.draw(st.sampled_from(sorted(fields)))
        fields[name] = data.draw(JSON)
        reads_or_says(phone.code, json.dumps(fields).encode(), sent.path.removeprefix("/"))


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.code)
@given(st.text(max_size=200))
def test_any_text_may_be_typed(dialect: type[Phone], text: str) -> None:
    phone = dialect()
    phone.dial()
    with contextlib.suppress(UnicodeEncodeError):  # half of a pair is in no form
        sent = phone.press(text)
        reads_or_says(phone.code, sent.data, sent.path.removeprefix("/"))
