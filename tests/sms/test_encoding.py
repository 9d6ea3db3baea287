from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queue_core.text import GSM_BASIC, GSM_EXTENSION, units
from sms.encoding import segments

GSM = st.text(st.sampled_from(sorted(GSM_BASIC | GSM_EXTENSION)), max_size=700)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("a" * 159 + "[", 2),
        ("[" * 80, 1),
        ("a" * 152 + "[" + "a" * 152, 3),  # 306 septets, but the pair moves whole to the second part
        ("ሰ" * 70, 1),
        ("ሰ" * 71, 2),
        ("ሰ" * 134, 2),
        ("ሰ" * 66 + "😀" + "ሰ" * 66, 3),  # 134 units, but the pair moves whole to the second part
        ("a" * 71 + "\u2019", 2),
    ],
)
def test_parts_are_counted_as_they_are_billed(text: str, parts: int) -> None:
    assert segments(text) == parts


@given(GSM | st.text(max_size=400))
def test_a_longer_text_never_costs_less(text: str) -> None:
    assert segments(text[:-1]) <= segments(text)


@given(GSM)
def test_a_gsm_text_takes_as_few_parts_as_its_septets_allow_but_for_pairs_kept_whole(text: str) -> None:
    least = 1 if units(text) <= 160 else -(-units(text) // 153)
    most = 1 if units(text) <= 160 else -(-units(text) // 152)
    assert least <= segments(text) <= most
