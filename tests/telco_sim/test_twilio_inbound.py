"""Texts from a phone to a Twilio number, checked with Twilio's own validator."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from starlette.responses import PlainTextResponse, Response

from telco_sim.config import TelcoConfig
from telco_sim.server import Server, bind, url_of
from telco_sim.testing import Handset, RunningTelco
from tests.telco_sim.conftest import AMINA, Application, Received
from tests.telco_sim.twilio_account import (
    ACCOUNT,
    NUMBER,
    PUBLIC,
    SDK_WARNINGS,
    TwilioRestException,
    sdk,
    twilio_config,
    twiml,
    valid,
)

pytestmark = SDK_WARNINGS
PATH = "/twilio/sms"
BLANK = {"ToState", "ToCity", "ToZip", "FromState", "FromCity", "FromZip"}


@pytest.fixture
def config(config: TelcoConfig, application: Application) -> TelcoConfig:
    application.answers[PATH] = lambda _form: twiml()
    return twilio_config(config, application)


def signed(request: Received) -> bool:
    url = f"{PUBLIC}{PATH}?key=a%20b"
    return valid(url, request.form, request.headers["x-twilio-signature"])


async def test_a_text_reaches_the_application_with_every_field_blank_ones_too_and_signed(
    amina: Handset, application: Application
) -> None:
    answers = await amina.text("JOIN 4071", to=NUMBER)
    posted = application.got(PATH)[0]
    sid = posted.form["MessageSid"]
    assert [(answer.status, answer.error) for answer in answers] == [(200, "")]
    assert posted.form == {
        **dict.fromkeys(BLANK, ""),
        "MessageSid": sid, "SmsSid": sid, "SmsMessageSid": sid, "AccountSid": ACCOUNT,
        "From": AMINA, "To": NUMBER, "Body": "JOIN 4071", "NumMedia": "0", "NumSegments": "1",
        "FromCountry": "KE", "ToCountry": "US", "SmsStatus": "received", "ApiVersion": "2010-04-01",
    }  # fmt: skip
    assert signed(posted)
    assert "i-twilio-idempotency-token" not in posted.headers


async def test_a_short_code_has_no_plus(amina: Handset, application: Application) -> None:
    await amina.text("Where", to="384387")
    assert application.got(PATH)[0].form["To"] == "384387"


async def test_each_message_of_the_twiml_is_delivered_to_the_phone(amina: Handset, application: Application) -> None:
    application.answers[PATH] = lambda _form: twiml("A001 &amp; 3 ahead", "<Body>Second</Body>")
    await amina.text("JOIN", to=NUMBER)
    assert [(text.sender, text.text) for text in amina.inbox] == [(NUMBER, "A001 & 3 ahead"), (NUMBER, "Second")]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Response("<Response/>", 503, media_type="text/xml"), "11200: the application answered HTTP 503."),
        (PlainTextResponse("hello"), "12300: the content type must be text/xml, not 'text/plain'."),
        (Response("<Response>", media_type="text/xml"), "12100: the answer is not XML:"),
        (Response("<Reply/>", media_type="application/xml"), "12100: the answer must be a <Response>, not a <Reply>."),
        (Response("<Response><Say/></Response>", media_type="text/xml"), "14101: this telco knows the verb <Message>"),
    ],
)
async def test_an_answer_that_is_not_twiml_reaches_nobody_and_is_not_asked_for_again(
    amina: Handset, application: Application, telco: RunningTelco, answer: Response, error: str
) -> None:
    application.answers[PATH] = lambda _form: answer
    told = await amina.text("JOIN", to=NUMBER)
    await telco.settle()
    assert told[0].error.startswith(error)
    assert telco.ledger.of("inbound.post")[0].data["answerError"] == told[0].error
    assert (amina.inbox, len(application.got(PATH))) == ([], 1)


async def test_after_a_refused_connection_there_is_one_retry_with_a_token(
    amina: Handset, application: Application, telco: RunningTelco
) -> None:
    listener = bind("127.0.0.1", 0)
    url, port = url_of(listener), listener.getsockname()[1]
    listener.close()
    telco.state.config = replace(
        telco.state.config, twilio_inbound_url=f"{url}{PATH}?key=a%20b", inbound_retries=(1.0,)
    )
    texting = asyncio.create_task(amina.text("JOIN", to=NUMBER))
    while not telco.ledger.of("inbound.post"):  # noqa: ASYNC110 - the ledger has no bell
        await asyncio.sleep(0.01)
    server = Server(application, lambda: None)
    serving = asyncio.create_task(server.serve(sockets=[bind("127.0.0.1", port)]))
    answers = await texting
    server.stop()
    await serving
    assert [row.data["answered"] for row in telco.ledger.of("inbound.post")] == [0, 200]
    assert answers[0].status == 200
    assert application.got(PATH)[0].headers["i-twilio-idempotency-token"]
    assert signed(application.got(PATH)[0])


async def test_an_application_that_stays_away_is_tried_twice(amina: Handset, telco: RunningTelco) -> None:
    telco.state.connect(twilio_inbound_url="http://127.0.0.1:1/")
    answers = await amina.text("JOIN", to=NUMBER)
    await telco.settle()
    assert answers[0].error == "The application is not running: the connection was refused."
    assert len(telco.ledger.of("inbound.post")) == 2


@pytest.mark.parametrize("at_once", [False, True])
async def test_a_text_can_be_delivered_twice_with_one_sid(
    telco: RunningTelco, application: Application, *, at_once: bool
) -> None:
    await telco.text(AMINA, "JOIN", to=NUMBER, times=2, at_once=at_once)
    sids = [request.form["MessageSid"] for request in application.got(PATH)]
    assert len(sids) == 2
    assert len(set(sids)) == 1


@pytest.mark.parametrize("word", ["STOP", " stop ", "Cancel", "END", "OptOut"])
async def test_a_stop_word_stops_the_pair_and_says_so(amina: Handset, application: Application, word: str) -> None:
    application.answers[PATH] = lambda _form: twiml("This must not arrive")
    await amina.text(word, to=NUMBER)
    posted = application.got(PATH)[0]
    assert (posted.form["OptOutType"], posted.form["Body"]) == ("STOP", word)
    assert signed(posted)
    assert [text.text[:20] for text in amina.inbox] == ["You are unsubscribed"]


async def test_after_stop_sends_are_refused_with_21610_until_start(
    amina: Handset, telco: RunningTelco, application: Application
) -> None:
    async with sdk(telco.url) as client:
        await amina.text("STOP", to=NUMBER)
        with pytest.raises(TwilioRestException) as refused:
            await client.messages.create_async(to=AMINA, from_=NUMBER, body="Hi")
        await client.messages.create_async(to=AMINA, from_="384387", body="another sender")
        await client.messages.create_async(to="+254711000002", from_=NUMBER, body="another phone")
        await amina.text("START", to=NUMBER)
        await client.messages.create_async(to=AMINA, from_=NUMBER, body="again")
    assert (refused.value.code, refused.value.status) == (21610, 400)
    assert [request.form["OptOutType"] for request in application.got(PATH)] == ["STOP", "START"]
    texts = [text.text for text in amina.inbox]
    assert (texts[1], texts[2][:24], texts[3]) == ("another sender", "You are subscribed again", "again")
    assert [row.data["optOutType"] for row in telco.ledger.of("optout")] == ["STOP", "START"]


async def test_stop_can_be_lost_on_its_way_to_the_application(
    amina: Handset, telco: RunningTelco, application: Application
) -> None:
    await telco.text(AMINA, "STOP", to=NUMBER, times=0)
    assert application.got(PATH) == []
    assert (NUMBER, AMINA) in telco.state.optouts
    assert len(amina.inbox) == 1


async def test_words_around_a_stop_word_make_it_an_ordinary_text(amina: Handset, application: Application) -> None:
    await amina.text("please stop", to=NUMBER)
    assert "OptOutType" not in application.got(PATH)[0].form
    assert amina.inbox == []


async def test_without_an_account_nobody_takes_texts_at_a_twilio_number(telco: RunningTelco, amina: Handset) -> None:
    telco.state.connect(twilio_account_sid="")
    with pytest.raises(ValueError, match="Nobody takes texts"):
        await amina.text("JOIN", to=NUMBER)
