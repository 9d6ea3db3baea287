from __future__ import annotations

import pytest

from telco_sim.units import Size, measure, sms_parts


@pytest.mark.parametrize(
    ("text", "units", "alphabet"),
    [
        ("", 0, "GSM-7"),
        ("Asante, à bientôt".replace("ô", "o"), 17, "GSM-7"),
        ("1 €", 4, "GSM-7"),
        ("[a]", 5, "GSM-7"),
        ("être", 4, "UCS-2"),
        ("smile 😀", 8, "UCS-2"),
    ],
)
def test_a_text_is_counted_in_the_alphabet_that_it_needs(text: str, units: int, alphabet: str) -> None:
    assert measure(text) == Size(units, alphabet)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1),
        ("x" * 160, 1),
        ("x" * 161, 2),
        ("x" * 306, 2),
        ("x" * 307, 3),
        (
            "x" * 152 + "€" + "x" * 152,
            3,
        ),  # the sign does not fit the first part's last place, 306 units in all
        ("ê" * 70, 1),
        ("ê" * 71, 2),
        ("ê" * 134, 2),
        ("ê" * 135, 3),
        ("ê" * 66 + "😀" + "ê" * 66, 3),  # 134 units, but the pair would be divided
    ],
)
def test_a_long_text_is_cut_into_parts_that_divide_no_character(text: str, parts: int) -> None:
    assert sms_parts(text) == parts
