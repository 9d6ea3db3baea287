"""The recorded requests of every gateway, one after the other: each delivered once, twice and three times."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.world import World
from ussd.engine import Engine
from ussd.gateways import GATEWAYS
from ussd.request import BadRequest, Page, Reply, Request

GOLDEN = Path(__file__).parents[2] / "golden"
FOLDERS = sorted(GATEWAYS.keys() & {folder.name for folder in GOLDEN.iterdir()})

# Which screens follow each other where every request comes once, twice and thrice. Where a key that comes again cannot
# be told from a second press, it is one; a first request is always known again, and nobody gets a ticket.
Steps = list[tuple[str, tuple[str, str, str]]]


def same(state: str) -> tuple[str, str, str]:
    return state, state, state


CONVERSATIONS: list[tuple[str, Steps]] = [
    ("hubtel", [("G39", same("home")), ("G41", same("noticket")), ("X03", same("aborted")), ("X04", same("aborted"))]),
    ("hubtel", [("X01", same("home"))]),
    ("hubtel", [("X02", same("service"))]),
    ("nalo", [("G44", same("home")), ("G45", ("code", "places", "service"))]),
    ("nalo", [("G44", same("home")), ("X01", ("noticket", "help", "cost"))]),
    ("nalo", [("X02", same("home")), ("X03", ("code", "places", "service"))]),
    ("arkesel", [("G47", same("home")), ("G48", ("code", "places", "service"))]),
    ("arkesel", [("X01", same("home"))]),
    ("beem", [("X01", same("home")), ("G50", same("noticket")), ("X02", same("aborted"))]),
    ("beem", [("G50", same("home"))]),  # a session that was lost begins again
    ("infobip", [("G54", same("home")), ("X01", ("code", "places", "service")), ("X02", same("aborted"))]),
    ("mtn", [("X01", same("home")), ("X02", ("code", "places", "service")), ("X03", same("aborted"))]),
    ("airtel", [("G57", same("home")), ("X01", ("code", "places", "service")), ("X02", same("aborted"))]),
    ("safaricom", [("X01", same("home")), ("X02", same("code")), ("X03", same("places"))]),
    ("safaricom", [("G59", same("places"))]),
]


def golden(gateway: str, name: str) -> Request:
    (path,) = (GOLDEN / gateway).glob(f"{name}_*.http")
    head, _, body = path.read_bytes().partition(b"\n\n")
    method, target, _ = head.split(b"\n")[0].decode().split(" ")
    assert method in GATEWAYS[gateway].METHODS
    url, _, query = target.partition("?")
    _, _, rest = url.partition("SECRET")
    return GATEWAYS[gateway].parse(query.encode() if method == "GET" else body.strip(), rest.removeprefix("/"))


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize(("gateway", "steps"), CONVERSATIONS)
async def test_each_request_however_often_it_comes_leads_where_it_should(
    engine: Engine, world: World, gateway: str, steps: Steps, times: int
) -> None:
    for name, states in steps:
        request = golden(gateway, name)
        pages = [await engine.answer(request) for _ in range(times)]
        assert [page.state for page in pages] == list(states[:times]), name
        assert all(page.text for page in pages) or request.is_abort
    assert await world.pool.fetchval("select count(*) from tickets") == 0


def test_every_recorded_request_is_delivered() -> None:
    delivered = {(gateway, name) for gateway, steps in CONVERSATIONS for name, _ in steps} | {("mtn", "G56")}
    assert delivered == {(folder, path.name[:3]) for folder in FOLDERS for path in (GOLDEN / folder).glob("*.http")}


def test_a_number_that_no_phone_has_is_refused_in_words() -> None:
    """The vendor's own example: seven digits after the country's code, where there are ten."""
    with pytest.raises(BadRequest) as problem:
        golden("mtn", "G56")
    answer = json.loads(GATEWAYS["mtn"].refuse(problem.value).body)
    assert answer["data"]["inboundResponse"].startswith("Sorry")
    assert (answer["transactionId"], answer["data"]["messageType"]) == ("01235", 2)


def reply(gateway: str, name: str, *, ends: bool) -> Reply:
    return GATEWAYS[gateway].render(Page("Zamu\n1 Join a line", ends, "home"), golden(gateway, name))


MTN = {
    "inboundResponse": "Zamu\n1 Join a line",
    "outboundResponse": "Zamu\n1 Join a line",
    "serviceCode": "321123",
    "msisdn": "2250102030405",
}
ARKESEL = {"sessionID": "2005506191900168", "userID": "USSD_DOCUMENTATION", "msisdn": "233271231234"}
BEEM = {"msisdn": "255762000000", "operator": "vodacom", "session_id": "4574"}
TEXT = "Zamu\n1 Join a line"


@pytest.mark.parametrize(
    ("gateway", "name", "ends", "answer"),
    [
        ("hubtel", "G39", False, {"Type": "Response", "Message": TEXT}),
        ("hubtel", "G41", True, {"Type": "Release", "Message": TEXT}),
        ("nalo", "G44", False, {"USERID": "NALOTest", "MSISDN": "233241234567", "MSG": TEXT, "MSGTYPE": True}),
        ("nalo", "G45", True, {"USERID": "NALOTest", "MSISDN": "233241234567", "MSG": TEXT, "MSGTYPE": False}),
        ("arkesel", "G47", False, {**ARKESEL, "message": TEXT, "continueSession": True}),
        ("arkesel", "G48", True, {**ARKESEL, "message": TEXT, "continueSession": False}),
        ("beem", "X01", False, {**BEEM, "command": "continue", "payload": {"request_id": 1, "request": TEXT}}),
        ("beem", "G50", True, {**BEEM, "command": "terminate", "payload": {"request_id": 2, "request": TEXT}}),
        *(
            ("infobip", name, ends, {"ussdMenu": TEXT, "shouldClose": closes, "responseExitCode": 200})
            for name, ends, closes in [("G54", False, False), ("G54", True, False), ("X01", True, True)]
        ),
        ("infobip", "X02", True, {"responseExitCode": 200}),
    ],
)
def test_an_answer_is_exactly_what_the_gateway_reads(
    gateway: str, name: str, answer: dict[str, Any], *, ends: bool
) -> None:
    sent = reply(gateway, name, ends=ends)
    assert (sent.status, sent.media_type) == (200, "application/json")
    if gateway == "infobip":
        answer["responseMessage"] = ""
    assert json.loads(sent.body) == answer


@pytest.mark.parametrize(("ends", "kind"), [(False, 1), (True, 2)])
def test_mtn_is_answered_in_its_envelope(kind: int, *, ends: bool) -> None:
    assert json.loads(reply("mtn", "X01", ends=ends).body) == {
        "statusCode": "0000",
        "statusMessage": "",
        "transactionId": "01235",
        "data": {**MTN, "userInputRequired": not ends, "messageType": kind},
        "_link": {"self": {"href": ""}},
    }


@pytest.mark.parametrize(("ends", "prefix", "flow"), [(False, "CON", "FC"), (True, "END", "FB")])
def test_answers_in_text_say_by_a_word_or_a_header_whether_it_goes_on(prefix: str, flow: str, *, ends: bool) -> None:
    safaricom, airtel = reply("safaricom", "X01", ends=ends), reply("airtel", "G57", ends=ends)
    assert safaricom.body == f"{prefix} {TEXT}"
    assert airtel.body == TEXT
    assert airtel.headers == {"Cache-Control": "no-store", "Freeflow": flow, "charge": "N", "amount": "0"}
    assert safaricom.headers == {"Cache-Control": "no-store"}
