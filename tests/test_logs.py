"""The log: one JSON object a line whatever happens, and no phone number in it."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import textwrap
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logs import JsonFormatter, mask
from queue_core.trace import request_id

PHONE = "+254711000001"
MASKED = "+2547*****001"


class Broken:
    def __str__(self) -> str:
        raise RuntimeError(PHONE)

    __repr__ = __str__


def line(message: object = "a message", *args: object, error: BaseException | None = None, **extra: object) -> str:
    """What one record becomes."""
    exc_info = (type(error), error, error.__traceback__) if error else None
    record = logging.getLogger("zamu.test").makeRecord(
        "zamu.test", logging.INFO, __file__, 1, message, args, exc_info, extra=extra
    )
    return JsonFormatter().format(record)


def said(*args: Any, **extra: Any) -> dict[str, Any]:
    written = line(*args, **extra)
    assert "\n" not in written
    answer: dict[str, Any] = json.loads(written)
    return answer


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "to {}.",
        "({})",
        "'{}'",
        "b'{}'",
        "<{}>",
        "tel:{}",
        "sms_{}",
        "phone={};",
        "first\n{}",
        "DETAIL:  Key (phone)=({}) already exists.",
        '{{"phone": "{}"}}',
    ],
)
@pytest.mark.parametrize(
    ("number", "masked"),
    [
        (PHONE, MASKED),
        ("254711000001", "2547*****001"),
        ("0711000001", "0711*****001"),
        ("711000001", "7110*****001"),
        ("%2B254711000001", "%2B2547*****001"),
        ("%2b254711000001", "%2b2547*****001"),
        ("\\n254711000001", "\\n2547*****001"),
        ("\\x00254711000001", "\\x002547*****001"),
        ("+441632960961", "+4416*****961"),
    ],
)
def test_a_phone_number_is_masked_wherever_it_stands(text: str, number: str, masked: str) -> None:
    assert mask(text.format(number)) == text.format(masked)


@pytest.mark.parametrize(
    "text",
    [
        "ATUid_00000000000000000000000000254711",
        "ATXid_7114a3b2c1d0e9f8",
        "550e8400-e29b-41d4-a716-446655440000",
        "550e8400e29b41d4a716254711000001",
        "1763728000.123456",
        "0.254711000001",
        "2026-11-21T12:19:10.161529+00:00",
        "12345678",
        "4071/A047",
    ],
)
def test_an_id_a_time_and_a_number_of_ours_stay_readable(text: str) -> None:
    assert mask(text) == text
    assert mask(f"session {text}.") == f"session {text}."


@given(st.text(), st.text(), st.sampled_from([PHONE, "254711000001", "0711000001"]))
def test_no_number_between_words_survives_whole(before: str, after: str, number: str) -> None:
    assert number not in line(f"{before} {number} {after}")


def test_a_random_id_is_never_taken_for_a_number() -> None:
    ids = [str(uuid4()) for _ in range(2000)] + [f"00000000-0000-4000-8000-{n:012}" for n in range(100)]
    assert [mask(one) for one in ids] == ids


def test_every_field_of_a_record_is_masked() -> None:
    token = request_id.set(f"session-{PHONE}")
    answer = said("to %s", PHONE, caller=PHONE, whole=254711000001, inside={"phones": [PHONE]}, raw=PHONE.encode())
    request_id.reset(token)
    assert answer["request"] == f"session-{MASKED}"
    assert answer["message"] == f"to {MASKED}"
    assert answer["caller"] == MASKED
    assert answer["whole"] == "2547*****001"
    assert answer["inside"] == f"{{'phones': ['{MASKED}']}}"
    assert answer["raw"] == f"b'{MASKED}'"


def test_an_exception_is_masked_with_its_causes() -> None:
    try:
        try:
            raise ValueError(f"{PHONE}\n0711000001")
        except ValueError as cause:
            raise KeyError(PHONE) from cause
    except KeyError as error:
        answer = said("it failed", error=error)
    assert "KeyError" in answer["error"]
    assert "ValueError" in answer["error"]
    assert "0711*****001" in answer["error"]
    assert "000001" not in answer["error"]


def test_plain_values_stay_what_they_are() -> None:
    answer = said("x", status=200, ms=1.5, ok=True, nothing=None)
    assert (answer["status"], answer["ms"], answer["ok"], answer["nothing"]) == (200, 1.5, True, None)


@given(st.text(), st.text())
def test_whatever_is_logged_is_one_line_that_says_it_exactly(message: str, extra: str) -> None:
    assert said("%s", message, extra=extra)["message"] == mask(message)


def test_a_second_line_cannot_be_forged() -> None:
    forged = 'x\n{"level": "INFO", "message": "staff logged in"}\r\n\u2028\u0085\x00'
    assert said(forged)["message"] == forged
    assert said("%s", forged, caller=forged)["caller"] == forged
    assert line(forged).isascii()


def test_what_cannot_be_written_is_a_line_all_the_same() -> None:
    circle: list[object] = []
    circle.append(circle)
    assert said("%d people", "many")["message"] == "%d people (could not be put together)"
    assert said("%s")["message"] == "%s"
    assert said("%s", Broken())["message"] == "%s (could not be put together)"
    assert said(Broken())["message"] == "<Broken> (could not be put together)"
    assert said("x", about=Broken())["about"] == "<Broken>"
    assert said("x", about=circle)["about"] == "[[...]]"
    assert said("x", about="\udcff")["about"] == "\udcff"


def test_all_that_a_process_logs_leaves_by_one_handler_in_lines() -> None:
    program = f"""
        import logging, logs
        logs.configure()
        logging.getLogger("of.a.library").warning("two\\nlines, {PHONE}")
        logging.getLogger("zamu").info("%d", "no number")
        try:
            1 / 0
        except ZeroDivisionError:
            logging.getLogger("zamu").exception("it failed")
        logging.getLogger("httpx").info("a library that talks too much")
    """
    ran = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True)
    answers = [json.loads(line) for line in ran.stderr.splitlines()]
    assert [answer["message"] for answer in answers] == [
        f"two\nlines, {MASKED}",
        "%d (could not be put together)",
        "it failed",
    ]
    assert answers[2]["error"].endswith("ZeroDivisionError: division by zero")
    assert ran.stdout == ""
