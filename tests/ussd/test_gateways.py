"""The wire formats, as real requests: what they mean, and that a second delivery means nothing more."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.world import World
from ussd.engine import Engine
from ussd.gateways import GATEWAYS, africastalking, neutral
from ussd.request import BadRequest, Page

GOLDEN = Path(__file__).parent.parent / "golden" / "africastalking_ussd"


def body(name: str) -> bytes:
    """The body of a golden request."""
    (path,) = GOLDEN.glob(f"{name}_*.http")
    return path.read_bytes().partition(b"\n\n")[2].strip()


def form(**fields: str) -> bytes:
    good = {"sessionId": "ATUid_1", "phoneNumber": "+254711000001", "serviceCode": "*384*40#", "text": ""}
    return urlencode(good | fields).encode()


def choice(**fields: object) -> bytes:
    good = {"session_id": "s1", "phone": "+254711000001", "selection": ""}
    return json.dumps(good | fields).encode()


# What follows what in one conversation, and the screen that each one ends at.
CONVERSATIONS = [
    [("G01", "home"), ("G02", "code"), ("G03", "places"), ("G04", "service"), ("G05", "service")],
    [("G01", "home"), ("G02", "code"), ("G07", "home")],
    [("G01", "home"), ("G02", "code"), ("G08", "badname")],
    [("G01", "home"), ("G02", "code"), ("G10", "code")],
    [("G01", "home"), ("G09", "noticket")],
    [("G12", "badcode")],
]


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("conversation", CONVERSATIONS)
async def test_golden_conversations_end_where_they_should_however_often_delivered(
    engine: Engine, world: World, conversation: list[tuple[str, str]], times: int
) -> None:
    for name, state in conversation:
        request = africastalking.parse(body(name))
        pages = {await engine.answer(request) for _ in range(times)}
        (page,) = pages
        assert page.state == state, (name, page)
    assert await world.pool.fetchval("select count(*) from tickets") == 0


def test_leading_zeros_and_signs_stay_as_typed() -> None:
    assert africastalking.parse(body("G09")).transcript == "2*0042"
    assert africastalking.parse(body("G08")).transcript == "1*Achieng Otieno & C+B 10%"


async def test_end_events_are_understood_and_keep_a_join_that_was_cut_off(engine: Engine) -> None:
    assert africastalking.parse_end(body("G16")).reached_end
    event = africastalking.parse_end(body("G17"))
    assert not event.reached_end
    for transcript in ("", "4071"):
        await engine.answer(africastalking.parse(form(sessionId=event.session_key, text=transcript)))
    await engine.ended(event)
    page = await engine.answer(africastalking.parse(form(sessionId="ATUid_2")))
    assert page.state == "resume"


def test_screens_are_answered_as_the_gateway_wants_them() -> None:
    request = africastalking.parse(form())
    reply = africastalking.render(Page("Zamu\n1 Join a line", ends=False, state="home"), request)
    assert (reply.status, reply.media_type, reply.body) == (200, "text/plain", "CON Zamu\n1 Join a line")
    assert reply.headers == {"at-ussd-hop-metadata": "home"}
    assert africastalking.render(Page("Bye", ends=True, state="left"), request).body == "END Bye"
    reply = neutral.render(Page("Bye", ends=True, state="left"), request)
    assert reply.media_type == "application/json"
    assert json.loads(reply.body) == {"text": "Bye", "end": True}


def test_both_encodings_of_an_asterisk_and_a_bare_plus_are_read() -> None:
    fields = "sessionId=a&phoneNumber=+254711000001&serviceCode=*384*40%23&text=1*2"
    request = africastalking.parse(fields.encode())
    assert (request.phone, request.transcript, request.service_code) == ("+254711000001", "1*2", "*384*40#")


def test_a_strange_service_code_is_not_put_on_a_screen() -> None:
    assert africastalking.parse(form(serviceCode="*384*40#" + "9" * 50)).service_code == ""


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"\xff\xfe",
        b"text=%ff&sessionId=a&phoneNumber=%2B254711000001",
        form() + b"&phoneNumber=%2B254711000002",
        form(phoneNumber=""),
        form(phoneNumber="Amina"),
        form(sessionId=""),
        form(sessionId="a" * 129),
        form(sessionId="a\nb"),
        b"&".join(b"f%d=1" % field for field in range(100)),
    ],
)
def test_what_is_no_request_is_told_to_the_caller_in_words(bad: bytes) -> None:
    with pytest.raises(BadRequest) as problem:
        africastalking.parse(bad)
    reply = africastalking.refuse(problem.value)
    assert reply.status == 200
    assert reply.body.startswith("END Sorry")
    assert len(reply.body) <= 160


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'"text"',
        b"[" * 100_000,
        choice(phone=None),
        choice(phone="12"),
        choice(session_id=""),
        choice(session_id="a b"),
        choice(selection={"a": 1}),
        choice(selection=True),
        choice(request_id="a b"),
    ],
)
def test_what_is_no_json_request_is_refused_with_a_sentence(bad: bytes) -> None:
    with pytest.raises(BadRequest) as problem:
        neutral.parse(bad)
    reply = neutral.refuse(problem.value)
    assert reply.status == 200
    assert json.loads(reply.body)["error"].endswith(".")


def test_the_neutral_contract_takes_numbers_strings_and_what_was_dialled() -> None:
    assert neutral.parse(choice(selection=1)).input == "1"
    assert neutral.parse(choice(selection="0042")).input == "0042"
    assert neutral.parse(choice(phone=254711000001)).phone == "+254711000001"
    assert neutral.parse(choice()).is_first
    assert neutral.parse(choice(selection=None)).is_first
    dialled = neutral.parse(choice(selection="*384*40*4071*1#"))
    assert dialled.is_first
    assert dialled.dialled_path == ("4071", "1")
    assert neutral.parse(choice(selection="*384*40#")).dialled_path == ()


@given(st.binary(max_size=400))
def test_any_bytes_are_a_request_or_a_clean_refusal(data: bytes) -> None:
    for gateway in GATEWAYS.values():
        with contextlib.suppress(BadRequest):
            assert gateway.parse(data).phone.startswith("+")


@given(st.text(max_size=200))
def test_any_text_reaches_the_screens_without_what_no_keypad_types(text: str) -> None:
    for typed in (
        africastalking.parse(form(text=text.encode(errors="replace").decode())).transcript or "",
        neutral.parse(choice(selection=text)).input or "",
    ):
        assert typed.isprintable()
        typed.encode()
