# ruff: noqa: RUF001 - letters that look like others are the subject here
from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queue_core.text import GSM_BASIC, GSM_EXTENSION, NAME_LENGTH, is_gsm, normalise, plain_name, units

GSM = st.text(st.sampled_from(sorted(GSM_BASIC | GSM_EXTENSION)))


@given(GSM)
def test_an_extension_character_weighs_two_septets_and_any_other_one(text: str) -> None:
    assert is_gsm(text)
    assert units(text) == sum(2 if character in GSM_EXTENSION else 1 for character in text)


@pytest.mark.parametrize(("text", "weight"), [("ሰላም", 3), ("Jambo 😀", 8), ("`", 1), ("", 0), ("€", 2)])
def test_a_text_outside_the_gsm_alphabet_weighs_its_units_of_utf_16(text: str, weight: int) -> None:
    assert units(text) == weight


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("It’s “your” turn", 'It\'s "your" turn'),
        ("Rooms 1–4 — now…", "Rooms 1-4 - now..."),
        ("Room\u00a04\u20093", "Room 4 3"),
        ("[A] {B} ~ C|D \\ `E`", "(A) (B) - C/D / 'E'"),
        ("François Ọládélé Łukasz ɗan Ƙano", "Francois Oladélé Lukasz dan Kano"),
        ("né à Zürich", "né à Zürich"),
        ("A\u202eB\u200bC\x00D\x1bE\ufeff", "ABCDE"),
        ("one\ttwo\r\nthree", "one two\nthree"),
        ("e\u0323\u0301 5€", "e 5EUR"),
        ("ሰላም", "ሰላም"),
    ],
)
def test_what_has_a_plain_form_gets_it(text: str, plain: str) -> None:
    assert normalise(text) == plain


@given(st.text())
def test_normalising_twice_is_normalising_once(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.text())
def test_nothing_invisible_survives(text: str) -> None:
    assert not {unicodedata.category(c) for c in normalise(text) if c != "\n"} & {
        "Cc",
        "Cf",
        "Cs",
        "Co",
        "Cn",
    }


@given(st.text() | st.text(st.characters(max_codepoint=0x24F)))
def test_a_letter_leaves_the_gsm_alphabet_only_where_it_has_no_plain_form(text: str) -> None:
    for character in normalise(text):
        assert character in GSM_BASIC or unicodedata.normalize("NFKD", character)[0] not in GSM_BASIC


@given(GSM)
def test_a_text_of_the_basic_alphabet_stays_as_it_is(text: str) -> None:
    basic = "".join(character for character in text if character in GSM_BASIC and character != "\r")
    assert normalise(basic) == basic


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("  Amina  ", "Amina"),
        ("Oluwaseunayomide Adeyemi", "Oluwaseunayomide"),
        ("Mary Jane Watson-Parker", "Mary Jane Watson"),
        ("Zoë 😀", "Zoe"),
        ("\u202eanimA", "animA"),
        ("Ali\nOmar", "Ali Omar"),
        ("Ｆｕｌｌ", "Full"),
        ('\'=HYPERLINK("x")', '\'=HYPERLINK("x")'),
        ("ليلى", None),
        ("😀", None),
        ("...", None),
        ("", None),
        ("\x00\u200b", None),
    ],
)
def test_a_name_becomes_plain_or_nothing(typed: str, name: str | None) -> None:
    assert plain_name(typed) == name


@given(st.text())
def test_a_name_fits_every_screen_and_text(typed: str) -> None:
    name = plain_name(typed)
    if name is not None:
        assert 1 <= len(name) <= NAME_LENGTH
        assert set(name) <= GSM_BASIC - {"\n", "\r"}
        assert plain_name(name) == name
