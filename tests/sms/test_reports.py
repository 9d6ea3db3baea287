from __future__ import annotations

import pytest

from sms.gateways.africastalking import parse_report
from sms.sending import Report
from tests.sms.conftest import AMINA

FORM = {"id": "ATXid_1", "status": "Success", "phoneNumber": AMINA, "networkCode": "63902"}


def report(**fields: str) -> Report:
    parsed = parse_report(FORM | fields)
    assert parsed is not None
    return parsed


def test_a_report_is_read() -> None:
    raw = {"id": "ATXid_1", "status": "Success", "networkCode": "63902"}
    assert report() == Report("ATXid_1", "delivered", AMINA, None, raw)


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        ("Sent", "sent"),
        ("Submitted", "sent"),
        ("Buffered", "sent"),
        ("Success", "delivered"),
        ("Rejected", "failed"),
        ("Failed", "failed"),
        ("AbsentSubscriber", "failed"),
        ("Expired", "failed"),
        ("SUCCESS", "delivered"),
        ("Teleported", "Teleported"),
    ],
)
def test_each_status_has_a_meaning_or_is_kept(status: str, meaning: str) -> None:
    assert report(status=status).status == meaning


@pytest.mark.parametrize("spelling", ["UserInBlackList", "UserInBlacklist"])
def test_a_blacklisted_person_wants_no_texts_in_either_spelling(spelling: str) -> None:
    parsed = report(status="Failed", failureReason=spelling)
    assert (parsed.status, parsed.reason) == ("failed", "opted_out")
    assert parsed.raw["failureReason"] == spelling


@pytest.mark.parametrize("missing", ["id", "status"])
def test_a_report_that_names_nothing_is_none(missing: str) -> None:
    assert parse_report({key: value for key, value in FORM.items() if key != missing}) is None
    assert parse_report(FORM | {missing: ""}) is None


def test_a_hostile_report_is_cut_to_what_a_database_takes() -> None:
    parsed = report(failureReason="\0" + "x" * 5000, **{"y\0" * 5000: "z"})
    assert parsed.reason == "x" * 200
    assert "\0" not in "".join((*parsed.raw, *parsed.raw.values()))
    assert max(len(key) + len(value) for key, value in parsed.raw.items()) <= 400
