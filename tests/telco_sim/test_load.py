from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from telco_sim.audit import Audit, percentiles
from telco_sim.clerk import Duty
from telco_sim.control import TelcoGoneError
from telco_sim.crowd import Crowd, Plan
from telco_sim.testing import RunningTelco
from tests.telco_sim.conftest import AMINA, SHORT_CODE, Application

BARAKA = "+254711000002"
BEGIN = datetime(2026, 11, 21, 9, tzinfo=UTC)


def counting() -> Any:
    """An application that gives each phone a number of its own, the same again when it asks again."""
    numbers: dict[str, int] = {}
    fresh = count(1)

    def answer(form: dict[str, str]) -> Response:
        if not form["text"]:
            return PlainTextResponse("CON Welcome\n1 Join")
        number = numbers.setdefault(form["phoneNumber"], next(fresh))
        return PlainTextResponse(f"END Your number is A{number:03}")

    return answer


def plan(telco: RunningTelco, **changed: Any) -> Plan:
    few = {"phones": 40, "rate": 200.0, "seconds": 0.2, "keys": ("1",), "drop": 0.0, "texts": 0.0, "pace": 0.0}
    return Plan(telco=telco.url, code=SHORT_CODE, given=r"Your number is (A\d+)", **{**few, **changed})


async def test_a_crowd_is_served_and_counted(telco: RunningTelco, application: Application) -> None:
    application.answer = counting()
    lines: list[str] = []
    report = await Crowd(plan(telco)).run(lines.append)
    assert (report["calls"], report["outcomes"], report["success"]) == (40, {"number": 40}, 1.0)
    assert report["hop_ms"]["count"] == 80
    assert set(report["broken"].values()) == {0}
    assert "40 calls, 100.0% well" in lines[-1]


async def test_who_hangs_up_is_no_failure_of_the_application(telco: RunningTelco, application: Application) -> None:
    application.answer = lambda _form: PlainTextResponse("CON Go on")
    report = await Crowd(plan(telco, keys=("1", "1"), drop=1.0)).run(lambda _line: None)
    assert (report["outcomes"], report["success"]) == ({"dropped": 40}, 1.0)


async def test_one_number_for_two_phones_is_found(telco: RunningTelco) -> None:
    report = await Crowd(plan(telco)).run(lambda _line: None)
    assert report["outcomes"] == {"number": 40}
    assert report["broken"]["shared_number"] == 39


async def test_failures_are_counted(telco: RunningTelco, application: Application) -> None:
    application.answer = lambda _form: PlainTextResponse("Oops", status_code=500)
    report = await Crowd(plan(telco)).run(lambda _line: None)
    assert (report["outcomes"], report["success"]) == ({"failed": 40}, 0.0)


async def test_who_heard_no_number_dials_again(telco: RunningTelco, application: Application) -> None:
    answers, busy = counting(), count(1)

    def sometimes(form: dict[str, str]) -> Response:
        return PlainTextResponse("END We are busy") if form["text"] and next(busy) % 2 else answers(form)

    application.answer = sometimes
    report = await Crowd(plan(telco, phones=1, seconds=0.001, redials=1)).run(lambda _line: None)
    assert (report["outcomes"], report["redialled"], report["calls"]) == ({"number": 1}, 1, 1)
    application.answer = lambda _form: PlainTextResponse("Oops", status_code=500)
    report = await Crowd(plan(telco, redials=1)).run(lambda _line: None)
    assert (report["outcomes"], report["redialled"]) == ({"failed": 40}, 40)


async def test_a_telco_that_is_not_there_is_said(telco: RunningTelco) -> None:
    there = plan(telco)
    nowhere = Plan(**{name: getattr(there, name) for name in there.__slots__} | {"telco": "http://127.0.0.1:1"})
    with pytest.raises(TelcoGoneError):
        await Crowd(nowhere).run(lambda _line: None)


class Book:
    """Rows of a ledger that a test writes."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def write(self, kind: str, phone: str, at: float = 0.0, **data: Any) -> None:
        time = (BEGIN + timedelta(seconds=at)).isoformat()
        self.rows.append({"number": len(self.rows) + 1, "kind": kind, "phone": phone, "time": time, "data": data})

    def call(self, phone: str, body: str, *, session: str, took: float = 0.1, error: str = "") -> None:
        self.write("ussd.request", phone, sessionId=session, hop=1)
        self.write("ussd.reply", phone, took, sessionId=session, hop=1, body=body, error=error)

    def text(self, phone: str, text: str, at: float = 1.0) -> None:
        self.write("sms.message", phone, at, text=text, delivered=True)

    def broken(self) -> dict[str, int]:
        audit = Audit(re.compile(r"number is (A\d+)"))
        audit.take(self.rows)
        return {name: number for name, number in audit.promises().items() if number}


def test_promises_that_are_kept_break_nothing() -> None:
    book = Book()
    book.call(AMINA, "END Your number is A001", session="1")
    book.text(AMINA, "You are next")
    book.write("inbound", AMINA)
    book.text(AMINA, "You are next")
    book.call(AMINA, "END Your number is A001", session="2")
    book.text(AMINA, "You are next")
    assert book.broken() == {}


def test_every_broken_promise_is_found() -> None:
    book = Book()
    book.call(AMINA, "END Your number is A001", session="1")
    book.call(AMINA, "END Your number is A002", session="2")
    book.call(BARAKA, "END Your number is A001", session="3", took=10.5)
    book.call(BARAKA, "", session="4", error="The application did not answer within 10 s.")
    book.call(BARAKA, "END Your number is A002", session="5")
    book.call(BARAKA, f"CON {'x' * 160}", session="6")
    book.write("ussd.end", BARAKA, errorMessage="The reply must begin with exactly 'CON ' or 'END ': it is empty.")
    book.text(AMINA, "Your turn")
    book.text(AMINA, "Your turn")
    assert book.broken() == {
        "two_numbers": 1,
        "shared_number": 1,
        "late": 2,
        "mistake": 1,
        "long": 1,
        "text_twice": 1,
    }


def test_time_from_number_to_text_is_that_of_the_first_text() -> None:
    book = Book()
    book.call(AMINA, "END Your number is A001", session="1", took=0.5)
    book.text(AMINA, "A001 it is", 2.0)
    book.text(AMINA, "Soon", 9.0)
    audit = Audit(re.compile(r"number is (A\d+)"))
    audit.take(book.rows)
    assert percentiles(audit.to_text) == {"count": 1, "p50": 1500.0, "p95": 1500.0, "p99": 1500.0, "max": 1500.0}
    assert percentiles([]) == {"count": 0}


def test_a_number_that_was_texted_before_it_was_heard_is_not_timed() -> None:
    book = Book()
    book.text(AMINA, "A001 it is", 0.0)
    book.call(AMINA, "END Your number is A001", session="1", took=2.0)
    book.text(AMINA, "You are near", 600.0)
    audit = Audit(re.compile(r"number is (A\d+)"))
    audit.take(book.rows)
    assert audit.to_text == []


def test_time_from_a_call_to_its_text_and_calls_that_broke_a_promise() -> None:
    book = Book()
    book.text(AMINA, "Clinic: A001 IT IS YOUR TURN. Go to Room 1 now.", 0.25)
    book.text(BARAKA, "Clinic: A003 IT IS YOUR TURN. Go to Room 1 now.", 1.5)
    audit = Audit()
    audit.take(book.rows)
    for number in ("A001", "A003", "P001", "A002", "A003"):
        audit.called(number, BEGIN)
    assert audit.untold
    audit.close()
    assert percentiles(audit.call_to_text)["count"] == 2
    assert audit.call_to_text == [0.25, 1.5]
    broken = {name: number for name, number in audit.promises().items() if number}
    assert broken == {"called_twice": 1, "overtaken": 1, "silent_call": 2}


DESK = """<a href="/desk">Doctor at Room 1</a><form method="post" action="/login"><button>Log in</button></form>
<form method="post" action="/call"><button>Call next</button></form>"""


def panel(application: Application) -> None:
    numbers = count(1)
    for path in ("/staff/login", "/staff/desk", "/desk", "/login"):
        application.answers[path] = lambda _form: HTMLResponse(DESK)
    application.answers["/call"] = lambda _form: PlainTextResponse(f"A{next(numbers):03} was called to Room 1.")


async def test_a_clerk_calls_while_the_crowd_dials(telco: RunningTelco, application: Application) -> None:
    panel(application)
    application.answer = counting()
    duty = Duty(panel=application.url, login="clinic1", password="p", desk="Doctor at Room 1", calls=50.0)
    crowd = Crowd(plan(telco, duty=duty))
    for number in range(1, 100):
        telco.ledger.write("sms.message", AMINA, text=f"A{number:03} IT IS YOUR TURN", delivered=True)
    crowd.audit.take([row.as_json() for row in telco.ledger.rows])
    report = await crowd.run(lambda _line: None)
    assert report["call_to_text_ms"]["count"] >= 1
    assert set(report["broken"].values()) == {0}
    assert application.got("/login")[0].form == {"login": "clinic1", "password": "p"}


async def test_a_clerk_whose_presses_are_lost_goes_on_and_starts_whom_they_called(
    telco: RunningTelco, application: Application
) -> None:
    panel(application)
    application.answer = counting()
    desk = DESK + '<form method="post" action="/start"><button>Start</button></form>'
    application.answers["/desk"] = lambda _form: HTMLResponse(desk)
    application.answers["/start"] = lambda _form: PlainTextResponse("Started.")
    application.answers["/call"] = lambda _form: PlainTextResponse("Bad Gateway", status_code=502)
    duty = Duty(panel=application.url, login="clinic1", password="p", desk="Doctor at Room 1", calls=50.0)
    report = await Crowd(plan(telco, duty=duty, rate=40.0, seconds=1.0)).run(lambda _line: None)
    assert set(report["broken"].values()) == {0}
    assert len(application.got("/start")) == len(application.got("/call")) > 1


async def test_a_clerk_who_is_not_let_in_ends_the_load(telco: RunningTelco, application: Application) -> None:
    panel(application)
    duty = Duty(panel=application.url, login="clinic1", password="p", desk="Doctor at Room 9", calls=1.0)
    with pytest.raises(ExceptionGroup) as ended:
        await Crowd(plan(telco, duty=duty)).run(lambda _line: None)
    assert "cannot work at 'Doctor at Room 9'" in str(ended.value.exceptions[0])
