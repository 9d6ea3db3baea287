"""Words: tolerant of slips of a finger, and never to somebody's loss."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.commands import Command, code_of, for_staff, is_ticket, read, wants_no_texts, without_pin
from sms.words import all_words, distance

CARRIERS = {
    "STOP",
    "STOPALL",
    "UNSUBSCRIBE",
    "CANCEL",
    "END",
    "QUIT",
    "REVOKE",
    "OPTOUT",
    "START",
    "UNSTOP",
    "YES",
    "HELP",
    "INFO",
    "REMOVE",
}
SAME_MEANING = {"stop", "start", "help"}


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("JOIN 4071", Command("join", ("4071",), ("4071",))),
        ("join 40 71 Amina", Command("join", ("40", "71", "AMINA"), ("40", "71", "Amina"))),
        ("J4071", Command("join", ("4071",), ("4071",))),
        ("4071", Command("join", ("4071",), ("4071",))),
        ("  Status!! ", Command("status")),
        ("s", Command("status")),
        ("HALI", Command("status")),
        ("A047", Command("status")),
        ("stat\u200bus", Command("status")),
        ("\uff33\uff34\uff21\uff34\uff35\uff33", Command("status")),
        ("?", Command("help")),
        ("LATE 10", Command("late", ("10",), ("10",))),
        ("5", Command("stars", ("5",))),
        ("5 thanks", Command("stars", ("5",))),
        ("5 or 4", None),
        ("L10", Command("late", ("10",), ("10",))),
        ("L047", Command("status")),
        ("PL047", Command("status")),
        ("late \u0661\u0660", Command("late", ("10",), ("10",))),
        ("\u0664\u0660\u0667\u0661", Command("join", ("4071",), ("4071",))),
        ("jion 4071", Command("join", ("4071",), ("4071",), guessed=True)),
        ("laet 10", Command("late", ("10",), ("10",), guessed=True, sure=False)),
        ("levae", Command("leave", guessed=True, sure=False)),
        ("toka", Command("leave_or_stop")),
        ("", None),
        ("habari za leo", None),
        ("🙏🙏", None),
    ],
)
def test_a_text_is_understood_as_it_was_meant(text: str, command: Command | None) -> None:
    assert read(text, "en") == command


def test_the_word_of_a_shared_short_code_is_dropped() -> None:
    assert read("Zamu join 4071", "en", keyword="ZAMU") == Command("join", ("4071",), ("4071",))
    assert read("join 4071", "en", keyword="ZAMU") == Command("join", ("4071",), ("4071",))


@pytest.mark.parametrize(
    "text",
    ["STOP", "stop.", "Please stop", "please STOP texting me", "Arrêt", "acha", "cancel", "opt out", "remove me"],
)
def test_who_says_stop_in_any_form_is_heard(text: str) -> None:
    assert wants_no_texts(text, "en")


@pytest.mark.parametrize("text", ["JOIN 4071", "LEAVE", "toka", "status", "the end", "bus stopped", "LEAVE A047"])
def test_who_says_something_else_is_not_stopped(text: str) -> None:
    assert not wants_no_texts(text, "en")


def test_no_word_of_a_language_means_two_things() -> None:
    for side in ("customer", "staff"):
        meanings: dict[str, set[str]] = {}
        for word, command in all_words(side):
            meanings.setdefault(word, set()).add(command)
        assert {word: commands for word, commands in meanings.items() if len(commands) > 1} == {}


def test_no_command_of_ours_is_a_carriers_word() -> None:
    ours = {word for side in ("customer", "staff") for word, command in all_words(side) if command not in SAME_MEANING}
    assert ours & CARRIERS == set()


def test_only_known_pairs_are_one_slip_apart() -> None:
    pairs = {
        frozenset((one, other))
        for (one, means), (other, also) in combinations(sorted(set(all_words("customer"))), 2)
        if means != also and min(len(one), len(other)) >= 4 and distance(one, other, most=1) is not None
    }
    assert {tuple(sorted(pair)) for pair in pairs} == {
        ("BERE", "HERE"),
        ("DURO", "KURO"),
        ("FORGET ME", "FORGETME"),  # the second asks first
        ("LANG", "RANG"),
        ("LATE", "RATE"),
    }


@pytest.mark.parametrize(
    ("rest", "code"),
    [
        (("4071",), "4071"),
        (("40", "71"), "4071"),
        (("4O7I",), "4071"),
        (("4", "0", "7", "1", "AMINA"), "4071"),
        (("407",), None),
        (("40711",), None),
        ((), None),
        (("SBLO",), "5810"),
    ],
)
def test_a_code_is_four_digits_however_they_are_typed(rest: tuple[str, ...], code: str | None) -> None:
    assert code_of(rest)[0] == code


@pytest.mark.parametrize("typed", [("A047",), ("A47",), ("A", "047"), ("AO47",), ("A4", "7")])
def test_a_ticket_is_named_however_it_is_typed(typed: tuple[str, ...]) -> None:
    assert is_ticket(typed, "A047")


@pytest.mark.parametrize("typed", [("PL047",), ("PL47",), ("PL", "O47"), ("PLO47",)])
def test_a_ticket_of_a_line_with_letters_like_digits_is_named_too(typed: tuple[str, ...]) -> None:
    assert is_ticket(typed, "PL047")


@pytest.mark.parametrize("typed", [(), ("A048",), ("B047",), ("047",), ("AMINA",), ("A",), ("AA047",)])
def test_another_ticket_is_not_this_one(typed: tuple[str, ...]) -> None:
    assert not is_ticket(typed, "A047")


def test_a_customers_word_is_never_a_mistyped_staff_command() -> None:
    for word, _ in all_words("customer"):
        command = for_staff(word)
        assert command is None or not command.guessed


@given(st.text(max_size=200))
def test_whatever_is_typed_it_is_a_command_or_none(text: str) -> None:
    for side in ("customer", "staff"):
        command = read(text, "sw", side=side, keyword="zamu")
        assert command is None or command.verb
    wants_no_texts(text, "yo", keyword="zamu", in_line=False)
    written, pin = without_pin(text, "zamu")
    assert pin is None or pin not in written
