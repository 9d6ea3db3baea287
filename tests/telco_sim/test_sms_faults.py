from __future__ import annotations

import asyncio

import httpx
import pytest

from telco_sim.faults import Faults, SmsFault
from telco_sim.testing import Handset, RunningTelco
from tests.telco_sim.conftest import AMINA, API_KEY, Application

BARAKA = "+254711000002"


async def send(telco: RunningTelco, *numbers: str) -> httpx.Response:
    form = {"username": "sandbox", "to": ",".join(numbers), "message": "Your turn", "from": "20880"}
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.post(f"{telco.url}/version1/messaging", data=form, headers={"apiKey": API_KEY})


@pytest.mark.parametrize("status", [401, 429, 500])
async def test_a_refused_request_sends_nothing(telco: RunningTelco, amina: Handset, status: int) -> None:
    telco.set_faults(Faults(sms=[SmsFault(status=status, count=1)]))
    reply = await send(telco, AMINA)
    assert (reply.status_code, reply.headers["content-type"]) == (status, "text/plain; charset=UTF-8")
    assert amina.inbox == []
    assert (await send(telco, AMINA)).status_code == 201
    assert [row.data["status"] for row in telco.ledger.of("sms.answer")] == [status, 201]


async def test_a_cut_connection_hides_that_the_text_was_accepted(telco: RunningTelco, amina: Handset) -> None:
    telco.set_faults(Faults(sms=[SmsFault(ending="cut", count=1)]))
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await send(telco, AMINA)
    assert [text.text for text in amina.inbox] == ["Your turn"]
    assert telco.ledger.of("sms.answer")[0].data["ending"] == "cut"
    assert (await send(telco, AMINA)).status_code == 201


async def test_a_hanging_gateway_has_accepted_the_text_and_never_answers(telco: RunningTelco, amina: Handset) -> None:
    telco.set_faults(Faults(sms=[SmsFault(ending="hang")]))
    sending = asyncio.create_task(send(telco, AMINA))
    await amina.wait_for_text("Your turn")
    done, _ = await asyncio.wait({sending}, timeout=0.2)
    assert not done
    sending.cancel()


async def test_a_telco_with_a_hanging_request_can_still_be_stopped(telco: RunningTelco, amina: Handset) -> None:
    telco.set_faults(Faults(sms=[SmsFault(ending="hang")]))
    sending = asyncio.create_task(send(telco, AMINA))
    await amina.wait_for_text("Your turn")
    telco.state.stop()
    assert (await sending).status_code == 201


async def test_a_slow_gateway_answers_after_it_accepted(telco: RunningTelco, amina: Handset) -> None:
    telco.set_faults(Faults(sms=[SmsFault(delay=0.3)]))
    sending = asyncio.create_task(send(telco, AMINA))
    await amina.wait_for_text("Your turn")
    assert not sending.done()
    assert (await sending).status_code == 201


async def test_a_scripted_code_fails_one_phone_and_no_other(telco: RunningTelco, amina: Handset) -> None:
    telco.set_faults(Faults(sms=[SmsFault(phone=AMINA, code=405)]))
    recipients = (await send(telco, AMINA, BARAKA)).json()["SMSMessageData"]["Recipients"]
    assert [(recipient["statusCode"], recipient["status"]) for recipient in recipients] == [
        (405, "InsufficientBalance"),
        (101, "Success"),
    ]
    assert amina.inbox == []


async def test_a_rule_counts_once_for_a_request_with_two_recipients(telco: RunningTelco) -> None:
    telco.set_faults(Faults(sms=[SmsFault(code=500, count=1)]))
    both = (await send(telco, AMINA, BARAKA)).json()["SMSMessageData"]["Recipients"]
    assert [recipient["statusCode"] for recipient in both] == [500, 500]
    after = (await send(telco, AMINA)).json()["SMSMessageData"]["Recipients"]
    assert [recipient["statusCode"] for recipient in after] == [101]


@pytest.mark.parametrize(
    ("reports", "statuses"),
    [
        ("none", []),
        ("duplicate", ["Sent", "Sent", "Submitted", "Submitted", "Success", "Success"]),
        ("reordered", ["Success", "Submitted", "Sent"]),
        ("failed", ["Sent", "Submitted", "Failed"]),
        ("rejected", ["Rejected"]),
    ],
)
async def test_reports_come_as_the_fault_says(
    telco: RunningTelco, application: Application, reports: str, statuses: list[str]
) -> None:
    telco.set_faults(Faults(sms=[SmsFault(reports=reports, reason="UserInBlackList")]))
    assert (await send(telco, AMINA)).status_code == 201
    await telco.settle()
    forms = [request.form for request in application.got("/delivery")]
    assert [form["status"] for form in forms] == statuses
    failing = [form["status"] for form in forms if form.get("failureReason") == "UserInBlackList"]
    assert failing == [status for status in statuses if status in {"Failed", "Rejected"}]


@pytest.mark.parametrize("reports", ["failed", "rejected"])
async def test_a_text_whose_report_is_a_failure_never_arrives(
    telco: RunningTelco, amina: Handset, reports: str
) -> None:
    telco.set_faults(Faults(sms=[SmsFault(reports=reports)]))
    await send(telco, AMINA)
    await telco.settle()
    assert amina.inbox == []


async def test_early_reports_reach_the_application_before_the_reply(
    telco: RunningTelco, application: Application
) -> None:
    telco.set_faults(Faults(sms=[SmsFault(reports="early")]))
    reply = await send(telco, AMINA)
    message_id = reply.json()["SMSMessageData"]["Recipients"][0]["messageId"]
    assert [request.form["id"] for request in application.got("/delivery")] == [message_id] * 3
    kinds = [row.kind for row in telco.ledger.rows]
    assert kinds.index("sms.answer") > max(at for at, kind in enumerate(kinds) if kind == "sms.report")


@pytest.mark.parametrize("rule", [{"status": 418}, {"ending": "explode"}, {"reports": "late"}])
def test_a_rule_that_would_do_nothing_is_refused(rule: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must be one of"):
        Faults.from_json({"sms": [rule]})


async def test_waiting_for_a_text_that_never_comes_says_what_came(telco: RunningTelco, amina: Handset) -> None:
    await send(telco, AMINA)
    with pytest.raises(AssertionError, match=r"No text with 'lunch'.*Your turn"):
        await amina.wait_for_text("lunch", within=0.05)


async def test_waiting_after_a_text_skips_it(telco: RunningTelco, amina: Handset) -> None:
    await send(telco, AMINA)
    first = await amina.wait_for_text("Your turn")
    waiting = asyncio.create_task(amina.wait_for_text("Your turn", after=first.number))
    await send(telco, AMINA)
    assert (await waiting).number > first.number
