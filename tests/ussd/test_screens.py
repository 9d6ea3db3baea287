"""All screens together: what they measure, what they promise, and that nothing leads nowhere."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, ClassVar

import pytest
from transitions import MachineError

from queue_core.text import units
from ussd.catalogue import CHOICE, Phrases, catalogues, spoken, words
from ussd.paging import fit, pack, room_for_choices
from ussd.screen import EVERYWHERE, Screen, leads_of, registry, version_of
from ussd.screens import MACHINE, SCREENS
from ussd.session import Session
from ussd.visit import House

LANGUAGES = list(catalogues())
TEXTS = list(catalogues()["en"].texts)
NOTICES = {"busy", "unknown", "limit"}

# The longest allowed values of every field.
LONGEST: dict[str, Any] = {
    "brand": "Twelve Signs",
    "branch": "Mombasa Road Health Ctr",
    "svc": "Account opening",
    "tk": "AC999",
    "ahead": 299,
    "waiting": 299,
    "ctr": "Consult Rm 12",
    "ussd": "*384*12345#",
    "human": "+254700123456",
    "time": "08:30",
    "place": "Mombasa Road Health Ctr",
    "title": "Account opening Consult Rm 12",
    "who": "AC999 Oluwaseunayomide",
    "people": "\n".join(["AC999 Oluwaseunayomide"] * 5),
    "left": 4,
    "minutes": 60,
}


LINE = f"{LONGEST['svc']} (299)"


def phrases(language: str) -> Phrases:
    return catalogues()[language].texts["home"].phrases


def longest(language: str) -> list[dict[str, Any]]:
    """Every field at its longest in this language; what depends on each other in every combination."""
    said = phrases(language)
    days = [said.day(date(2026, 11, 23 + day), date(2026, 1, 1)) for day in range(7)]
    day = max([*days, said.days["today"]], key=len)
    languages = " / ".join(catalogues()[code].language for code, _ in spoken())
    of_desk = {
        "last": max("...3456", said.desk["no_phone"], key=len),
        "said": max((words.format(tk="AC999", told=299) for words in said.desk.values()), key=len),
    }
    waits = [(0, 0), (299, None), (299, 95), (299, 480)]
    return [
        {**LONGEST, **of_desk, "day": day, "day_open": day, "languages": languages, "choices": "1 x"}
        | {"ahead": ahead, "waiting": ahead, "about": said.about(ahead, minutes)}
        for ahead, minutes in waits
    ]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("text", TEXTS)
def test_every_screen_fits_with_the_longest_values_and_an_error_line(text: str, language: str) -> None:
    template = catalogues()[language].texts[text]
    moves = tuple(template.moves.values())
    for fields in longest(language):
        body = template.body.format_map(fields if text != "near" else fields | {"ahead": 9})
        assert units(body) <= 160, f"{units(body)}: {body}"
        assert fit(body, moves).isascii()
        if takes_keys(text):
            screen = fit(body, moves, template.phrases.not_a_choice)
            assert units(screen) <= 160
            assert body in screen, screen


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_way_back_is_shown_unless_something_went_wrong(language: str) -> None:
    for text, template in catalogues()[language].texts.items():
        for fields in longest(language):
            if "0" in template.moves:
                assert template.moves["0"] in fit(template.body.format_map(fields), tuple(template.moves.values())), (
                    text
                )


def takes_keys(text: str) -> bool:
    return any(text in screen.texts and not screen.ends for screen in SCREENS.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_lists_of_the_longest_names_show_at_least_two_entries_a_page(language: str) -> None:
    for text, entry in [("places", LONGEST["branch"]), ("service", LINE), ("staff_lines", LINE)]:
        template = catalogues()[language].texts[text]
        body = template.body.format_map({**longest(language)[0], "choices": "{choices}"})
        room = room_for_choices(body, list(template.moves.values()), template.phrases.not_a_choice)
        pages = pack([entry] * 15, room)
        assert pages[0].stop >= 2
        assert sum(page.stop - page.start for page in pages) == 15
        for page in pages:
            lines = [f"{key} {entry}" for key in range(1, page.stop - page.start + 1)]
            shown = fit(body.replace("{choices}", "\n".join(lines)), tuple(template.moves.values()), "x" * 24)
            assert shown.endswith(template.moves["0"])


def test_a_list_has_at_most_five_choices_a_page() -> None:
    assert [page.stop - page.start for page in pack(["x"] * 12, 160)] == [5, 5, 2]
    assert pack([], 160) == [slice(0, 0)]
    assert pack(["x" * 200], 10) == [slice(0, 1)]


def test_names_longer_than_any_name_may_be_are_cut() -> None:
    assert units(fit("[" * 500, ("0 Back",))) == 160


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_key_on_a_screen_works_and_every_key_that_works_is_shown(language: str) -> None:
    for screen in SCREENS.values():
        for text in screen.texts:
            template = catalogues()[language].texts[text]
            shown = {match[1] for line in template.body.splitlines() if (match := CHOICE.fullmatch(line))}
            assert shown == {key for key in screen.keys if key != "0"} or text == "noplaces", (screen.name, text)
            if "0" in template.moves:
                assert "0" in screen.keys or "back" in leads_of(screen), (screen.name, text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_screen_is_written_as_it_reads_best(language: str) -> None:
    """Digit first, then a space, then a word; 98, 0 and 00 last and in this order; at most five choices."""
    for text, template in catalogues()[language].texts.items():
        lines = [*template.body.splitlines(), *template.moves.values()]
        keys = [match[1] for line in lines if (match := CHOICE.fullmatch(line))]
        choices = [key for key in keys if key not in ("98", "0", "00")]
        assert choices == [str(number) for number in range(1, len(choices) + 1)], text
        assert len(choices) <= 5
        assert keys[len(choices) :] == [key for key in ("98", "0", "00") if key in template.moves], text
        assert not any(re.match(r"\d[.):]", line) for line in lines), text


def test_every_language_on_offer_has_every_screen_with_the_same_blanks() -> None:
    english = catalogues()["en"]
    for code, _ in spoken():
        other = catalogues()[code]
        assert other.texts.keys() == english.texts.keys()
        for text, template in other.texts.items():
            assert blanks(template.body) <= blanks(english.texts[text].body), (code, text)


def blanks(body: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", body))


def test_every_text_belongs_to_a_screen_or_is_a_notice() -> None:
    used = {text for screen in SCREENS.values() for text in screen.texts}
    assert set(TEXTS) == used | NOTICES


def test_no_word_means_two_things_and_all_lead_somewhere() -> None:
    several = [word for one in catalogues().values() for word in one.words]
    assert len(several) == len(set(several))
    assert set(words().values()) <= EVERYWHERE.keys()


def test_a_missing_translation_is_english_as_a_whole() -> None:
    english, kiswahili = catalogues()["en"].texts["home"], catalogues()["sw"].texts["home"]
    assert english.phrases.not_a_choice == "Not a choice. Try again."
    assert kiswahili.phrases.not_a_choice == "Si chaguo. Jaribu tena."
    assert [code for code, _ in spoken()] == ["en", "sw"]


def test_every_screen_can_be_reached_and_none_is_a_dead_end() -> None:
    reached, new = set(), {"dialled"}
    while new:
        reached |= new
        new = {lead for name in new for lead in leads_of(SCREENS[name]).values()} - reached
    assert reached == set(SCREENS)


def test_the_machine_knows_every_lead_and_nothing_else() -> None:
    session = Session("at", "s", "+254711000001", "menu", state="confirm")
    MACHINE.events["joined"].trigger(session)
    assert session.state == "joined"
    with pytest.raises(MachineError):
        MACHINE.events["joined"].trigger(session)
    assert MACHINE.models == []


class Alone(Screen):
    name = "home"
    code = "U00"
    texts = ("home",)
    keys: ClassVar = {"1": "nowhere"}
    leads: ClassVar = {"out": "outside"}


def test_a_typing_error_in_a_screen_is_found_before_anybody_calls() -> None:
    with pytest.raises(ValueError, match="no such screen") as problem:
        registry(Alone)
    assert "key 1 means 'nowhere'" in str(problem.value)
    with pytest.raises(ValueError, match="same name"):
        registry(Alone, Alone)


def test_a_changed_menu_has_another_name() -> None:
    assert version_of(SCREENS) == version_of(dict(SCREENS))
    assert version_of(SCREENS) != version_of({**SCREENS, "home": Alone()})


@pytest.mark.parametrize(
    ("ahead", "minutes", "said"),
    [
        (0, 0, "you are next"),
        (0, None, "you are next"),
        (14, 50, "about 50 min"),
        (14, None, "wait not known yet"),
        (40, 95, "about 95 min"),
        (40, 100, "about 2 h"),
        (40, 120, "about 2 h"),
        (40, 125, "about 3 h"),
    ],
)
def test_a_wait_is_said_in_words_that_promise_nothing(ahead: int, minutes: int | None, said: str) -> None:
    assert phrases("en").about(ahead, minutes) == said


def test_a_day_is_called_by_its_name_or_today() -> None:
    assert phrases("en").day(date(2026, 11, 23), date(2026, 11, 21)) == "Monday"
    assert phrases("sw").day(date(2026, 11, 23), date(2026, 11, 23)) == "leo"


def test_a_house_with_names_too_long_for_a_screen_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 12 characters"):
        House(help_phone="0711222333", brand="Thirteen lett")
