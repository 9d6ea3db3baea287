"""Passwords are long and not what anybody tries first; what they are made of is free."""

from __future__ import annotations

import pytest

from queue_core.passwords import plain, weakness

THEIRS = ["clinic1", "Amina Njeri", "Afya Bora"]


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("", "short"),
        ("fourteen chars", "short"),
        ("x" * 100 + "abcdefghij" * 11, "long"),
        ("clinic1clinic1clinic1", "yours"),
        ("Amina.Njeri.2024", "yours"),
        ("AFYA BORA afya bora", "yours"),
        ("clinic1 afyabora 2024", "yours"),
        ("password1234567", "common"),
        ("PASSWORD-PASSWORD-1", "common"),
        ("Welcome! Welcome! 1", "common"),
        ("qwertyuiopasdfghjkl", "common"),
        ("111111111111111", "common"),
        ("abababababababab", "common"),
        ("xk2!xk2!xk2!xk2!", "common"),
        ("bcdefghijklmnop", "common"),
        ("987654321098765", "common"),
    ],
)
def test_what_somebody_would_try_first_is_refused(password: str, why: str) -> None:
    assert weakness(password, THEIRS, second_factor=False) == {"why": why, "least": 15}


@pytest.mark.parametrize(
    "password",
    [
        "fifteen letters",
        "aaaaaaaaaaaaaa b c",
        "amina rides a bicycle",
        "password of my grandmother",
        "monkey flower internet purple",
        "wewe ni nani? 💚💚",
        "ስምህን ንገረኝ እባክህ ጓደኛዬ",
        "jbbt-zc2f-xhq5-k8vp",
    ],
)
def test_nothing_is_asked_but_length(password: str) -> None:
    assert weakness(password, THEIRS, second_factor=False) is None


def test_with_a_second_factor_eight_characters_are_enough() -> None:
    assert weakness("kx2 mvq8", THEIRS, second_factor=True) is None
    assert weakness("kx2 mvq8", THEIRS, second_factor=False) == {"why": "short", "least": 15}
    assert weakness("kx2 mvq", THEIRS, second_factor=True) == {"why": "short", "least": 8}
    assert weakness("passw0rd", THEIRS, second_factor=True) == {"why": "common", "least": 8}
    assert weakness("amina123", THEIRS, second_factor=True) == {"why": "yours", "least": 8}


def test_one_password_is_the_same_from_two_keyboards() -> None:
    assert plain("caf\u00e9") == plain("cafe\u0301")
    assert plain("\udcff")
