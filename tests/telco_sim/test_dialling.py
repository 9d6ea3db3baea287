from __future__ import annotations

import re
from dataclasses import replace

import pytest
from starlette.responses import PlainTextResponse

from telco_sim.config import SAFARICOM, TelcoConfig
from telco_sim.screen import INVALID_CODE
from telco_sim.testing import Handset, RunningTelco, running
from tests.telco_sim.conftest import AMINA, SHORT_CODE, Application


async def test_the_first_request_has_the_five_fields_and_an_empty_text(
    amina: Handset, application: Application
) -> None:
    screen = await amina.dial(SHORT_CODE)
    first = application.received[0]
    assert (screen.text, screen.open) == ("Welcome\n1 Join", True)
    assert re.fullmatch(r"ATUid_[0-9a-f]{32}", first.form["sessionId"])
    assert first.raw == (
        f"sessionId={screen.session}&phoneNumber=%2B254711000001&networkCode=99999&serviceCode=%2A384%2A40%23&text="
    )
    assert first.headers["content-type"] == "application/x-www-form-urlencoded"


async def test_an_end_closes_the_session(amina: Handset) -> None:
    await amina.dial(SHORT_CODE)
    screen = await amina.press("1")
    assert (screen.text, screen.open) == ("Your number is A001", False)
    with pytest.raises(RuntimeError, match="took no answer"):
        await amina.press("1")


async def test_inputs_are_joined_as_typed_never_trimmed_and_never_collapsed(
    amina: Handset, application: Application
) -> None:
    await amina.dial(SHORT_CODE)
    for keys in ("2", "2", " a b ", "", "0042", "C+B & 10% #*é"):
        await amina.press(keys)
    assert application.received[-1].form["text"] == "2*2* a b **0042*C+B & 10% #*é"
    assert application.received[-1].raw.endswith("text=2%2A2%2A+a+b+%2A%2A0042%2AC%2BB+%26+10%25+%23%2A%C3%A9")


async def test_digits_dialled_after_the_code_are_the_first_text(amina: Handset, application: Application) -> None:
    await amina.dial("*384*40*4071*1#")
    await amina.press("2")
    assert [request.form["text"] for request in application.received] == ["4071*1", "4071*1*2"]
    assert {request.form["serviceCode"] for request in application.received} == {SHORT_CODE}


async def test_an_operator_that_drops_the_digits_after_the_code_starts_empty(
    config: TelcoConfig, application: Application
) -> None:
    async with running(replace(config, prefill=False)) as telco:
        await telco.phone(AMINA).dial("*384*40*4071#")
    assert application.received[0].form["text"] == ""


async def test_a_star_can_be_sent_bare(config: TelcoConfig, application: Application) -> None:
    async with running(replace(config, bare_star=True)) as telco:
        await telco.phone(AMINA).dial("*384*40*7*8#")
    assert application.received[0].raw.endswith("serviceCode=*384*40%23&text=7*8")


@pytest.mark.parametrize("code", ["*384*41#", "*384*4#", "*384*40", "384*40#", "*384*401#", ""])
async def test_another_code_never_reaches_the_application(amina: Handset, application: Application, code: str) -> None:
    screen = await amina.dial(code)
    assert (screen.text, screen.open) == (INVALID_CODE, False)
    assert application.received == []


async def test_the_network_code_follows_the_sim(telco: RunningTelco, application: Application) -> None:
    await telco.phone(AMINA, SAFARICOM).dial(SHORT_CODE)
    assert application.received[0].form["networkCode"] == "63902"


async def test_dialling_again_hangs_up_the_open_session(amina: Handset, telco: RunningTelco) -> None:
    first = await amina.dial(SHORT_CODE)
    second = await amina.dial(SHORT_CODE)
    await telco.settle()
    assert first.session != second.session
    assert [row.data["sessionId"] for row in telco.ledger.of("ussd.end")] == [first.session]


async def test_two_handsets_of_one_number_hold_two_sessions(telco: RunningTelco) -> None:
    one, other = telco.phone(AMINA), telco.phone(AMINA)
    await one.dial(SHORT_CODE)
    await other.dial(SHORT_CODE)
    assert (await one.press("7")).text == (await other.press("7")).text == "You said 7"


async def test_a_label_comes_back_on_the_next_request_and_all_of_them_at_the_end(
    amina: Handset, application: Application
) -> None:
    labels = iter(["start", "not|taken", "done"])

    def labelled(form: dict[str, str]) -> PlainTextResponse:
        body = "END Bye" if form["text"].count("*") else "CON More"
        return PlainTextResponse(body, headers={"AT-USSD-Hop-Metadata": next(labels)})

    application.answer = labelled
    await amina.dial(SHORT_CODE)
    await amina.press("1")
    await amina.press("2")
    sent = [request.headers.get("at-ussd-hop-metadata") for request in application.got("/ussd")]
    assert sent == [None, "start", None]
    assert (await application.wait_for("/end")).form["hopsMetadata"] == "start|done"


async def test_a_screen_too_long_for_a_phone_is_shown_whole_with_a_warning(
    amina: Handset, application: Application
) -> None:
    application.answer = lambda _form: PlainTextResponse("CON " + "x" * 161)
    screen = await amina.dial(SHORT_CODE)
    assert screen.text == "x" * 161
    assert (screen.units, screen.alphabet) == (161, "GSM-7")
    assert screen.warning == "This screen has 161 GSM-7 units; a phone may cut it after 160."
    application.answer = lambda _form: PlainTextResponse("CON " + "x" * 160)
    assert (await amina.press("1")).warning == ""
