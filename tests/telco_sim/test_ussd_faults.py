from __future__ import annotations

import asyncio

import pytest

from telco_sim.faults import Faults, UssdFault
from telco_sim.screen import NETWORK_ERROR
from telco_sim.testing import Handset, RunningTelco
from tests.telco_sim.conftest import AMINA, SHORT_CODE, Application


@pytest.mark.parametrize("at_once", [False, True])
async def test_every_request_can_be_delivered_three_times(
    amina: Handset, application: Application, telco: RunningTelco, *, at_once: bool
) -> None:
    telco.set_faults(Faults(ussd=[UssdFault(deliver=3, at_once=at_once)]))
    await amina.dial(SHORT_CODE)
    screen = await amina.press("1")
    assert screen.text == "Your number is A001"
    assert [request.form["text"] for request in application.got("/ussd")] == ["", "", "", "1", "1", "1"]
    assert (await application.wait_for("/end")).form["hopsCount"] == "2"


async def test_copies_delivered_at_once_overlap(amina: Handset, application: Application, telco: RunningTelco) -> None:
    telco.set_faults(Faults(ussd=[UssdFault(deliver=2, at_once=True)]))
    application.held = True
    dialling = asyncio.create_task(amina.dial(SHORT_CODE))
    await application.wait_for("/ussd", 2)
    application.release.set()
    assert (await dialling).open


async def test_a_lost_reply_fails_the_session_although_the_application_acted(
    amina: Handset, application: Application, telco: RunningTelco
) -> None:
    telco.set_faults(Faults(ussd=[UssdFault(hop=2, drop_reply=True)]))
    await amina.dial(SHORT_CODE)
    screen = await amina.press("1")
    assert (screen.text, screen.open) == (NETWORK_ERROR, False)
    assert application.got("/ussd")[-1].form["text"] == "1"
    assert (await application.wait_for("/end")).form["status"] == "Failed"


async def test_a_caller_can_be_gone_after_a_step(amina: Handset, application: Application, telco: RunningTelco) -> None:
    telco.set_faults(Faults(ussd=[UssdFault(hop=2, hang_up=True)]))
    assert (await amina.dial(SHORT_CODE)).open
    screen = await amina.press("5")
    assert (screen.text, screen.open) == ("You said 5", False)
    assert (await application.wait_for("/end")).form["status"] == "Incomplete"


async def test_the_first_text_can_be_prefilled(amina: Handset, application: Application, telco: RunningTelco) -> None:
    telco.set_faults(Faults(ussd=[UssdFault(prefilled="4071*1")]))
    await amina.dial(SHORT_CODE)
    await amina.press("2")
    assert [request.form["text"] for request in application.received] == ["4071*1", "4071*1*2"]


async def test_what_was_typed_can_be_lost(amina: Handset, application: Application, telco: RunningTelco) -> None:
    telco.set_faults(Faults(ussd=[UssdFault(hop=3, empty_input=True)]))
    await amina.dial(SHORT_CODE)
    await amina.press("2")
    await amina.press("9")
    assert application.received[-1].form["text"] == "2*"


async def test_an_asterisk_can_slip_in_after_what_was_typed(
    amina: Handset, application: Application, telco: RunningTelco
) -> None:
    telco.set_faults(Faults(ussd=[UssdFault(star=True, count=2)]))
    await amina.dial(SHORT_CODE)
    await amina.press("2")
    await amina.press("9")
    assert [request.form["text"] for request in application.received] == ["", "2*", "2**9"]


async def test_a_copy_can_be_overtaken_by_the_next_request(
    amina: Handset, application: Application, telco: RunningTelco
) -> None:
    telco.set_faults(Faults(ussd=[UssdFault(overtaken=True, count=2)]))
    await amina.dial(SHORT_CODE)
    await amina.press("2")
    assert (await amina.press("9")).text == "You said 2*9"
    assert [request.form["text"] for request in application.got("/ussd")] == ["", "2", "", "2*9", "2"]


async def test_a_second_session_of_the_phone_gets_every_key_too(
    amina: Handset, application: Application, telco: RunningTelco
) -> None:
    telco.set_faults(Faults(ussd=[UssdFault(twin=True, count=1)]))
    await amina.dial(SHORT_CODE)
    assert (await amina.press("1")).text == "Your number is A001"
    await telco.settle()
    sessions = {request.form["sessionId"] for request in application.got("/ussd")}
    assert sorted(request.form["text"] for request in application.got("/ussd")) == ["", "", "1", "1"]
    assert {request.form["sessionId"] for request in application.got("/end")} == sessions
    assert len(sessions) == 2
    assert telco.state.sessions == {}


async def test_the_phone_number_can_change_within_a_session(
    amina: Handset, application: Application, telco: RunningTelco
) -> None:
    telco.set_faults(Faults(ussd=[UssdFault(hop=2, phone_number="+254711000099")]))
    await amina.dial(SHORT_CODE)
    await amina.press("2")
    assert [request.form["phoneNumber"] for request in application.received] == [AMINA, "+254711000099"]


async def test_a_fault_for_one_phone_and_one_time_touches_nothing_else(amina: Handset, telco: RunningTelco) -> None:
    telco.set_faults(Faults(ussd=[UssdFault(phone=AMINA, count=1, drop_reply=True)]))
    assert (await telco.phone("+254711000002").dial(SHORT_CODE)).open
    assert not (await amina.dial(SHORT_CODE)).open
    assert (await amina.dial(SHORT_CODE)).open


async def test_a_delayed_request_still_arrives(amina: Handset, telco: RunningTelco) -> None:
    telco.faults.ussd.append(UssdFault(delay=0.01))
    assert (await amina.dial(SHORT_CODE)).open


def test_a_fault_that_would_do_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="deliver must be one of"):
        UssdFault(deliver=4)
