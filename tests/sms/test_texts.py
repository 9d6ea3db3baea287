from __future__ import annotations

import string
from typing import Any

import pytest

from queue_core.text import is_gsm, units
from sms.encoding import segments
from sms.texts import CannotRender, catalogues, render

LONGEST: dict[str, Any] = {
    "branch": "Mombasa Road Health Ctr",
    "code": "4071",
    "svc": "Account opening",
    "tk": "AC999",
    "ahead": 299,
    "min": 99,
    "ctr": "Consult Rm 12",
    "phone": "+254700123456",
    "until": "08:30",
    "day": 2,
    "time": "08:30",
    "n": 60,
    "min5": 60,
}
USUAL: dict[str, Any] = LONGEST | {
    "branch": "Kilimani Clinic",
    "svc": "Doctor",
    "tk": "A047",
    "ahead": 14,
    "min": 50,
    "ctr": "Room 4",
    "phone": "0700123456",
    "n": 10,
    "min5": 5,
}
VARIANTS: list[dict[str, Any]] = [
    {},
    {"min": 480},
    {"min": None},
    {"ahead": 0},
    {"until": None},
    {"day": None, "time": None},
    *({"day": day} for day in range(7)),
]
TEMPLATES = sorted(catalogues()["en"].texts)
# Made by the verbs of the queue, which know nothing of words.
TOLD = {
    *{
        "joined",
        "joined_no_wait",
        "near",
        "turn",
        "last_call",
        "missed",
        "skipped",
        "left",
        "late_ok",
        "paused",
    },
    *{"resumed", "closed_early", "slower", "moved", "data_gone", "recovered", "end_of_day"},
}


def text(template: str, language: str = "en", **parameters: object) -> str:
    return render(template, language, USUAL | parameters, shortcode="*384*40#")


def placeholders(catalogue_text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(catalogue_text) if name}


@pytest.mark.parametrize("language", catalogues())
@pytest.mark.parametrize("template", TEMPLATES)
def test_every_text_is_one_message_at_its_longest(template: str, language: str) -> None:
    for variant in VARIANTS:
        if template in {"status_waiting", "end_of_day"} and variant.get("time", "") is None:
            continue
        body = render(template, language, LONGEST | variant, shortcode="*384*12345#")
        assert is_gsm(body)
        assert segments(body) == 1, f"{units(body)}: {body}"


@pytest.mark.parametrize("language", catalogues())
def test_every_language_has_the_same_texts_with_the_same_placeholders(language: str) -> None:
    english, other = catalogues()["en"], catalogues()[language]
    for table, same in ((english.texts, other.texts), (english.wait, other.wait)):
        assert table.keys() == same.keys()
        assert {key: placeholders(table[key]) for key in table} == {key: placeholders(same[key]) for key in same}
    assert {key: set(states) for key, states in english.phrases.items()} == {
        key: set(states) for key, states in other.phrases.items()
    }
    assert len(other.days) == 7


def test_whatever_the_queue_tells_has_a_text() -> None:
    assert set(TEMPLATES) >= TOLD


def test_the_turn_comes_first_after_the_place() -> None:
    assert text("turn") == "Kilimani Clinic: A047 IT IS YOUR TURN. Go to Room 4 now. Need more time? Reply LATE 5."


@pytest.mark.parametrize(
    ("facts", "wait"),
    [
        ({}, "14 ahead, about 50 min."),
        ({"min": 99}, "14 ahead, about 99 min."),
        ({"min": 100}, "14 ahead, about 2 h."),
        ({"min": 125}, "14 ahead, about 3 h."),
        ({"min": None}, "14 ahead, wait not known yet."),
        ({"ahead": 0, "min": 0}, "0 ahead, you are next."),
    ],
)
def test_the_wait_is_told_as_far_as_it_is_known(facts: dict[str, Any], wait: str) -> None:
    assert wait in text("joined", **facts)


def test_the_weekday_is_told_in_the_language_of_the_text() -> None:
    assert "JOIN 4071 on Monday or call 0700123456" in text("closed_early", day=0)
    assert "JIUNGE 4071 siku ya Jumatatu" in text("closed_early", "sw", day=0)
    assert "JOIN 4071 another day" in text("closed_early", day=None)


def test_a_break_without_an_end_names_none() -> None:
    assert "on a break until about 08:30." in text("paused")
    assert "Doctor is on a break. You keep A047." in text("paused", until=None)


def test_a_missing_translation_is_english_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    assert text("closed_early", "yo") == text("closed_early", "en")
    monkeypatch.delitem(catalogues()["sw"].texts, "near")
    assert text("near", "sw") == text("near", "en")


def test_names_with_odd_characters_cost_no_second_message() -> None:
    body = text("turn", branch="Moi\u2019s “Best” Clinic…", ctr="Room\u00a0[4]\u202e")
    assert body.startswith('Moi\'s "Best" Clinic...: A047 IT IS YOUR TURN. Go to Room (4) now.')
    assert is_gsm(body)


@pytest.mark.parametrize("parameters", [{"tk": None}, {"ahead": "many", "min": "some"}, {"day": 9}])
def test_a_text_that_lacks_a_fact_is_refused_and_never_half_written(parameters: dict[str, Any]) -> None:
    with pytest.raises(CannotRender, match="cannot be written"):
        text("joined" if "ahead" in parameters else "closed_early", **parameters)


def test_a_template_that_nobody_wrote_is_refused() -> None:
    with pytest.raises(CannotRender, match="no_such_text"):
        text("no_such_text")
