from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from queue_core.errors import Refused
from queue_core.phones import mask, normalise


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("+254712345678", "+254712345678"),
        ("0712345678", "+254712345678"),
        ("254712345678", "+254712345678"),
        ("712345678", "+254712345678"),
        ("+254 (0)712 345-678", "+254712345678"),
        ("00254712345678", "+254712345678"),
        ("٠٧١٢٣٤٥٦٧٨", "+254712345678"),
        ("+254712345678\n", "+254712345678"),
        (" 254711000001", "+254711000001"),  # a bare plus in a form arrives as a space
        ("020 2345678", "+254202345678"),
        ("+234 0803 123 4567", "+2348031234567"),
        ("+44 7911 123456", "+447911123456"),
    ],
)
def test_one_number_has_one_form_however_it_is_written(written: str, number: str) -> None:
    assert normalise(written) == number


@pytest.mark.parametrize(
    "written",
    [
        "",
        "712",
        "0722",
        "Amina",
        "0712345678;ext=5",
        "+254712345678 x12",
        "+254712\n345678",
        "+254712345678\x00",
        "0-00000000",
        "0900223344",  # premium rate
        "+448431234567",  # shared cost
        "+2547123456789012",
        "+" + "2" * 100,
        "7" * 10_000,
    ],
)
def test_what_is_no_number_to_send_to_is_refused(written: str) -> None:
    with pytest.raises(Refused) as refusal:
        normalise(written)
    assert refusal.value.code == "bad_phone"


def test_a_number_without_a_country_is_read_as_dialled_there() -> None:
    assert normalise("08031234567", "NG") == "+2348031234567"


@given(st.text(alphabet="+0123456789 ()-٣", max_size=18))
@example("0-00000000")
@example("+44(0)-7911 123456")
@example("+39 02 12345678")
def test_a_normal_number_stays_as_it_is(written: str) -> None:
    try:
        number = normalise(written)
    except Refused:
        return
    assert normalise(number) == number


@given(st.text(max_size=60))
def test_any_other_text_is_a_number_or_refused(written: str) -> None:
    try:
        number = normalise(written)
    except Refused:
        return
    assert number.startswith("+")
    assert number[1:].isascii()
    assert number[1:].isdecimal()


def test_logs_show_neither_the_middle_of_a_number_nor_its_length() -> None:
    assert mask("+254712345456") == "+2547*****456"
    assert mask("+447911123456") == "+4479*****456"
