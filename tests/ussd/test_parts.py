"""Screens on a network that shows less than most: in parts, with nothing lost and every key at work."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queue_core.text import is_gsm, units
from tests.ussd.gateways.dialects import Nalo, Phone, Sent
from tests.ussd.test_screens import LANGUAGES, TEXTS, longest
from tests.world import World
from ussd.catalogue import catalogues
from ussd.engine import Engine
from ussd.gateways import GATEWAYS
from ussd.paging import fit, parts
from ussd.request import Page

MORE = "98 More"
NARROW = 120


async def answer(engine: Engine, phone: Phone, sent: Sent) -> Page:
    return await engine.answer(GATEWAYS[phone.code].parse(sent.data, sent.path.removeprefix("/")))


def words(text: str) -> list[str]:
    return re.findall(r"\S+", text)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("text", TEXTS)
def test_every_screen_is_told_whole_on_a_narrow_network(text: str, language: str) -> None:
    template = catalogues()[language].texts[text]
    more = template.phrases.more
    for fields in longest(language):
        body = template.body.format_map(fields)
        shown = parts(body, tuple(template.moves.values()), "", more, NARROW)
        assert all(units(part) <= NARROW for part in shown)
        assert len(shown) <= 2
        told = "\n".join(part.removesuffix(more) for part in shown)
        assert words(told)[: len(words(body))] == words(body)


def test_a_screen_that_fits_stays_in_one_part() -> None:
    assert parts("x" * 120, ("0 Back",), "", MORE, 120) == ("x" * 120,)
    assert parts("x" * 90, ("0 Back",), "Not a choice. Try again.", MORE, 120) == (
        f"Not a choice. Try again.\n{'x' * 90}",
    )
    assert parts("x" * 104, ("0 Back",), "Not a choice. Try again.", MORE, 120) == (f"Not a choice.\n{'x' * 104}",)


def test_a_screen_is_cut_between_lines_and_its_moves_come_last() -> None:
    assert parts("first one\nsecond\n3rd", ("0 Back",), "", MORE, 18) == ("first one\n98 More", "second\n3rd\n0 Back")
    assert parts("a long line of words", (), "", MORE, 18) == ("a long\n98 More", "line of\nwords")


@given(
    body=st.text(alphabet="ab \n[{é€ẹ你😀", max_size=500),
    above=st.sampled_from(["", "Not a choice. Try again."]),
    size=st.integers(40, 182),
)
def test_whatever_is_written_every_part_fits_and_no_letter_is_lost(body: str, above: str, size: int) -> None:
    shown = parts(body, ("0 Back",), above, MORE, size)
    for part in shown:
        assert units(part) <= (size if is_gsm(part) else size * 7 // 16)
    told = "".join(part.removesuffix(MORE) for part in shown)
    letters = "".join(words(told)).removesuffix("0Back")
    assert letters.endswith("".join(words(body)).removesuffix("0Back"))


def test_a_text_in_another_alphabet_has_less_room() -> None:
    assert units(fit("ẹ" * 100)) == 70
    assert units(fit("e" * 200)) == 160


def test_a_notice_that_is_too_long_ends_with_a_sentence() -> None:
    assert fit("It is busy. Keep calm.\nDial again in two minutes or so.", size=40) == "It is busy. Keep calm."


async def test_the_rest_of_a_screen_comes_with_98_and_its_keys_work_at_once(engine: Engine, world: World) -> None:
    phone = Nalo()
    await answer(engine, phone, phone.dial("4071*1"))
    await answer(engine, phone, phone.press("1"))
    await answer(engine, phone, phone.dial())
    await world.pool.execute("update branches set name = 'Mombasa Road Health Ctr'")
    await world.pool.execute("update queues set name = 'Account opening'")
    place = await answer(engine, phone, phone.press("1"))
    assert place.text.endswith(MORE)
    assert not place.ends
    rest = await answer(engine, phone, phone.press("98"))
    assert rest.state == place.state
    assert rest.text != place.text
    again = await answer(engine, phone, phone.press("98"))
    assert again.text == place.text
    leave = await answer(engine, phone, phone.press("3"))
    assert leave.state == "leave"


async def test_an_ending_stays_open_until_its_last_part_was_seen(engine: Engine, world: World) -> None:
    await world.pool.execute("update branches set name = 'Mombasa Road Health Ctr'")
    await world.pool.execute("update queues set name = 'Account opening'")
    phone = Nalo()
    await answer(engine, phone, phone.dial("4071*1"))
    first = await answer(engine, phone, phone.press("1"))
    assert (first.state, first.ends) == ("joined", False)
    assert "A001" in first.text
    assert first.text.endswith(MORE)
    last = await answer(engine, phone, phone.press("join"))  # there is no other way on
    assert (last.state, last.ends) == ("joined", True)
    assert await world.pool.fetchval("select count(*) from tickets") == 1
