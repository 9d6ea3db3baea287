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
    "brand": "Huduma Kenya",
    "stars": 5,
    "lang": "Kiswahili",
    "languages": "LANG EN English, LANG SW Kiswahili, LANG FR Francais, LANG HA Hausa, LANG YO Yoruba",
    "guess": "STATUS",
    "svc2": "Account closing",
    "org": "Kenya Health Trust",
    "otp": "482913",
    "q": "Account opening",
    "who": "AC999 Bartholomew Njoro ...3456",
    "wait": 299,
    "served": 299,
    "told": 299,
    "busy": 12,
    "avg": 99,
    "pos": 299,
    "chal": "73",
    "tries": 4,
    "more": 4,
    "list": "1 AC998 Bartholomew Njor, 2 AC999 Bartholomew Njor, 3 AD999 Bartholomew Njor",
    "lines": "AC Account opening, AD Account closing, AE Account change, AF Account letter",
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
FOR_STAFF = sorted(catalogues()["en"].staff)
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
        for can_reply in (True, False):
            body = render(template, language, LONGEST | variant, shortcode="*384*12345#", can_reply=can_reply)
            assert is_gsm(body)
            assert segments(body) == 1, f"{units(body)}: {body}"


@pytest.mark.parametrize("template", FOR_STAFF)
def test_every_text_to_staff_is_one_message_at_its_longest(template: str) -> None:
    for rolling in ({}, {"rolling": "4821"}):
        body = render(template, "sw", {**LONGEST, "ahead": None, **rolling}, shortcode="*384*12345#")
        assert segments(body) == 1, f"{units(body)}: {body}"
        assert ("4821" in body) == (bool(rolling) and "{code_now}" in catalogues()["en"].staff[template])


@pytest.mark.parametrize("language", catalogues())
def test_every_language_has_the_same_texts_with_the_same_placeholders(language: str) -> None:
    english, other = catalogues()["en"], catalogues()[language]
    for table, same in ((english.texts, other.texts), (english.wait, other.wait)):
        assert table.keys() == same.keys()
        assert {key: placeholders(table[key]) for key in table} == {key: placeholders(same[key]) for key in same}
    assert english.phrases.items() >= {key: english.phrases[key] for key in other.phrases}.items()
    assert {set(states) == {"known", "unknown"} for states in other.phrases.values()} == {True}
    assert len(other.days) == 7


# What only answers a text of the person's own: whoever gets it can reply.
ANSWERS = {
    "status_waiting",
    "status_none",
    "leave_ask",
    "late_no",
    "rated",
    "lang",
    "lang_list",
    "help",
    "help_ticket",
    "stop",
}
ANSWERS |= {"stop_no_ticket", "start", "unknown", "did_you_mean", "bad_code", "already", "which_line", "leave_or_stop"}
ANSWERS |= {"rate_none", "forget_ask"}


@pytest.mark.parametrize("language", catalogues())
def test_whom_nobody_can_answer_is_told_to_dial(language: str) -> None:
    for template in set(TEMPLATES) - ANSWERS:
        body = render(template, language, USUAL, shortcode="*384*40#", can_reply=False)
        assert not {"reply", "jibu"} & set(body.lower().split()), body


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
