"""Texts from a phone in the Africa's Talking dialect; the SDK itself fetches them."""

from __future__ import annotations

import asyncio
import re
import warnings
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import africastalking
import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from telco_sim.config import INBOUND_RETRIES, SAFARICOM, TelcoConfig
from telco_sim.faults import Faults, InboundFault
from telco_sim.testing import Handset, RunningTelco, running, serving
from tests.telco_sim.conftest import AMINA, API_KEY, Application

Fetch = Callable[[int | None], Awaitable[list[dict[str, Any]]]]


@pytest.fixture
def config(application: Application, config: TelcoConfig) -> TelcoConfig:
    return replace(
        config,
        inbound_url=f"{application.url}/sms",
        optout_url=f"{application.url}/optout",
        senders=frozenset({"20880", "CLINIC"}),
        inbound_retries=(0.01, 0.01, 0.01),
    )


@pytest.fixture
def fetch(telco: RunningTelco) -> Fetch:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # its WhatsApp service has no sandbox
        africastalking.initialize("sandbox", API_KEY)
    africastalking.SMS._baseUrl = f"{telco.url}/version1"  # noqa: SLF001 - no other way
    sms = africastalking.SMS

    async def fetch(last: int | None = None) -> list[dict[str, Any]]:
        answer = await asyncio.to_thread(sms.fetch_messages, last)
        messages: list[dict[str, Any]] = answer["SMSMessageData"]["Messages"]
        return messages

    return fetch


def texts(application: Application) -> list[str]:
    return [request.form["text"] for request in application.got("/sms")]


async def test_a_text_reaches_the_application_with_the_eight_fields(
    telco: RunningTelco, application: Application
) -> None:
    answers = await telco.phone(AMINA, SAFARICOM).text("JOIN 4071 & ête", to="20880")
    posted = application.got("/sms")[0]
    assert [(answer.status, answer.error) for answer in answers] == [(200, "")]
    assert list(posted.form) == ["date", "from", "id", "linkId", "text", "to", "cost", "networkCode"]
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", posted.form["id"])
    assert re.fullmatch(r"\d{20}", posted.form["linkId"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", posted.form["date"])
    assert posted.raw.endswith("&text=JOIN+4071+%26+%C3%AAte&to=20880&cost=KES+1.00&networkCode=63902")
    assert posted.headers["content-type"] == "application/x-www-form-urlencoded"


async def test_the_ledger_has_the_text_and_each_delivery(telco: RunningTelco, amina: Handset) -> None:
    await amina.text("JOIN 4071", to="20880")
    row, post = telco.ledger.rows
    assert (row.kind, row.phone, row.data["gateway"], row.data["text"]) == (
        "inbound", AMINA, "africastalking", "JOIN 4071",
    )  # fmt: skip
    assert (post.kind, post.data["id"], post.data["answered"]) == ("inbound.post", row.data["id"], 200)


class Failing:
    """Answers these statuses in turn, then 200."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = [*statuses]
        self.ids: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            body = (await Request(scope, receive).body()).decode()
            self.ids.append(body.split("&id=")[1].split("&")[0])
            await PlainTextResponse("", self.statuses.pop(0) if self.statuses else 200)(scope, receive, send)


async def test_a_text_is_posted_again_until_the_answer_is_200(telco: RunningTelco, amina: Handset) -> None:
    failing = Failing(503, 201)
    async with serving(failing) as url:
        telco.connect(inbound_url=url)
        answers = await amina.text("JOIN", to="20880")
        await telco.settle()
    assert [(answer.status, answer.error) for answer in answers] == [
        (503, "The application answered HTTP 503; the gateway takes only 200.")
    ]
    assert len(failing.ids) == 3
    assert len(set(failing.ids)) == 1
    assert [row.data["answered"] for row in telco.ledger.of("inbound.post")] == [503, 201, 200]


async def test_a_text_that_nobody_ever_takes_is_given_up_after_the_last_pause_and_can_be_fetched(
    telco: RunningTelco, amina: Handset, fetch: Fetch
) -> None:
    telco.connect(inbound_url="http://127.0.0.1:1/")
    answers = await amina.text("JOIN", to="20880")
    await telco.settle()
    assert answers[0].error == "The application is not running: the connection was refused."
    assert len(telco.ledger.of("inbound.post")) == 4
    assert [message["text"] for message in await fetch(None)] == ["JOIN"]


def test_without_a_choice_a_text_is_tried_for_twelve_hours_at_ever_longer_pauses() -> None:
    assert list(INBOUND_RETRIES) == sorted(INBOUND_RETRIES)
    assert 12 * 3600 < sum(INBOUND_RETRIES) < 13 * 3600


async def test_a_telco_that_has_a_text_to_retry_can_be_stopped(config: TelcoConfig) -> None:
    async with running(replace(config, inbound_url="http://127.0.0.1:1/", inbound_retries=(3600.0,))) as telco:
        await telco.text(AMINA, "JOIN", to="20880")
    assert len(telco.ledger.of("inbound.post")) == 1


@pytest.mark.parametrize("at_once", [False, True])
async def test_a_text_can_be_delivered_twice_with_one_id(
    telco: RunningTelco, application: Application, *, at_once: bool
) -> None:
    answers = await telco.text(AMINA, "JOIN", to="20880", times=2, at_once=at_once)
    assert [answer.status for answer in answers] == [200, 200]
    assert texts(application) == ["JOIN", "JOIN"]
    assert len({request.form["id"] for request in application.got("/sms")}) == 1
    assert len(telco.ledger.of("inbound")) == 1


async def test_copies_of_a_text_delivered_at_once_overlap(telco: RunningTelco, application: Application) -> None:
    application.held = True
    texting = asyncio.create_task(telco.text(AMINA, "JOIN", to="20880", times=3, at_once=True))
    await application.wait_for("/sms", 3)
    application.release.set()
    assert len(await texting) == 3


async def test_a_text_can_be_overtaken_by_the_next_one_of_its_phone(
    telco: RunningTelco, application: Application
) -> None:
    assert await telco.text(AMINA, "JOIN", to="20880", overtaken=True) == []
    await telco.text("+254711000002", "other", to="20880")
    await telco.text(AMINA, "LEAVE", to="20880")
    assert texts(application) == ["other", "LEAVE", "JOIN"]


async def test_a_delayed_text_still_arrives_after_those_that_were_texted_later(
    telco: RunningTelco, application: Application
) -> None:
    late = asyncio.create_task(telco.text(AMINA, "JOIN", to="20880", delay=1.0))
    await asyncio.sleep(0)
    await telco.text(AMINA, "LEAVE", to="20880")
    await late
    assert texts(application) == ["LEAVE", "JOIN"]
    assert [row.data["text"] for row in telco.ledger.of("inbound")] == ["JOIN", "LEAVE"]


@pytest.mark.parametrize("date", ["2017-05-03T06:04:45Z", "yesterday", ""])
async def test_a_text_can_carry_any_date(telco: RunningTelco, application: Application, date: str) -> None:
    await telco.text(AMINA, "NEXT", to="20880", date=date)
    assert application.got("/sms")[0].form["date"] == date


async def test_a_callback_can_be_lost_and_the_text_is_still_fetched(
    telco: RunningTelco, application: Application, amina: Handset, fetch: Fetch
) -> None:
    telco.set_faults(Faults(inbound=[InboundFault(phone=AMINA, deliver=0, count=1)]))
    assert await amina.text("one", to="20880") == []
    await amina.text("two", to="20880")
    assert texts(application) == ["two"]
    assert [message["text"] for message in await fetch(0)] == ["one", "two"]


async def test_fetching_returns_what_came_after_an_id_oldest_first(
    telco: RunningTelco, amina: Handset, fetch: Fetch
) -> None:
    for words in ("one", "two", "three"):
        await amina.text(words, to="20880")
    first, *others = await fetch(None)
    link = telco.ledger.of("inbound")[0].data["linkId"]
    assert first == {
        "linkId": link, "text": "one", "to": "20880", "id": first["id"], "date": first["date"], "from": AMINA,
    }  # fmt: skip
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first["date"])
    assert [message["text"] for message in others] == ["two", "three"]
    assert await fetch(first["id"]) == others
    assert await fetch(others[-1]["id"]) == []


async def test_fetching_stops_at_a_hundred_and_goes_on_from_there(telco: RunningTelco, fetch: Fetch) -> None:
    for number in range(101):
        await telco.text(AMINA, str(number), to="20880", times=0)
    batch = await fetch(0)
    assert [message["text"] for message in batch] == [str(number) for number in range(100)]
    assert [message["text"] for message in await fetch(batch[-1]["id"])] == ["100"]


async def test_fetching_with_a_wrong_key_or_id_is_refused(telco: RunningTelco) -> None:
    async with httpx.AsyncClient(base_url=telco.url, trust_env=False) as http:
        wrong = await http.get("/version1/messaging?username=sandbox", headers={"apiKey": "guess"})
        odd = await http.get("/version1/messaging?username=sandbox&lastReceivedId=x", headers={"apiKey": API_KEY})
    assert (wrong.status_code, wrong.text) == (401, "The supplied authentication is invalid")
    assert odd.status_code == 400


async def test_a_phone_that_opts_out_is_told_to_the_application_and_gets_406_from_then_on(
    telco: RunningTelco, application: Application, amina: Handset
) -> None:
    answer = await amina.opt_out("CLINIC")
    assert answer.status == 200
    assert application.got("/optout")[0].raw == "senderId=CLINIC&phoneNumber=%2B254711000001"
    form = {"username": "sandbox", "to": f"{AMINA},+254711000002", "message": "Hi"}
    async with httpx.AsyncClient(base_url=telco.url, trust_env=False, headers={"apiKey": API_KEY}) as http:
        stopped = await http.post("/version1/messaging", data={**form, "from": "CLINIC"})
        other = await http.post("/version1/messaging", data={**form, "from": "20880"})
    codes = [
        [recipient["statusCode"] for recipient in reply.json()["SMSMessageData"]["Recipients"]]
        for reply in (stopped, other)
    ]
    assert codes == [[406, 101], [101, 101]]
    assert [text.sender for text in amina.inbox] == ["20880"]
    assert [row.kind for row in telco.ledger.rows][:2] == ["optout", "optout.post"]


@pytest.mark.parametrize("to", ["20881", "CLINIC", "+15005550006", ""])
async def test_a_text_to_a_number_that_nobody_serves_is_refused(
    telco: RunningTelco, application: Application, to: str
) -> None:
    with pytest.raises(ValueError, match=f"Nobody takes texts at {re.escape(repr(to))}; this telco serves 20880."):
        await telco.text(AMINA, "JOIN", to=to)
    assert (application.received, telco.ledger.rows) == ([], [])


async def test_texting_and_its_faults_over_the_control_api(telco: RunningTelco, application: Application) -> None:
    async with httpx.AsyncClient(base_url=telco.url, trust_env=False) as http:
        await http.post("/telco/faults", json={"inbound": [{"deliver": 2, "date": "old", "count": 1}]})
        body = {"phone": AMINA, "to": "20880", "text": "JOIN"}
        told = [(await http.post("/telco/text", json=body)).json() for _ in range(2)]
        stopped = await http.post("/telco/optout", json={"phone": AMINA, "sender": "CLINIC"})
    taken = {"status": 200, "error": ""}
    assert told == [{"answers": [taken, taken]}, {"answers": [taken]}]
    assert [request.form["date"] for request in application.got("/sms")][:2] == ["old", "old"]
    assert stopped.json() == taken
