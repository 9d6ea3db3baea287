"""A short code that is shared with others: its keyword comes first, and everything behind it is as ever."""

from __future__ import annotations

import pytest

from sms.commands import wants_no_texts, without_pin
from tests.texting.conftest import PIN, Texter, shared
from tests.world import World


@pytest.mark.parametrize(
    "text", ["ZAMU NEXT DOC 482913", "zamu next 482913 doc", "Zamu 482913 next", "NEXT DOC 482913"]
)
def test_the_pin_behind_a_keyword_is_found_and_hidden(text: str) -> None:
    written, pin = without_pin(text, "ZAMU")
    assert (pin, written) == (PIN, text.replace(PIN, "******"))


async def test_staff_work_behind_a_keyword(clerk: Texter, world: World) -> None:
    shared(clerk)
    await world.line(1)
    assert (await clerk.text(f"ZAMU NEXT DOC {PIN}"))[0].startswith("NOW A001")
    assert (await clerk.text(f"zamu done doc {PIN}"))[0].startswith("Doctor: A001 done")
    stored = await world.pool.fetch("select text from inbound_messages order by received_at")
    assert [row["text"] for row in stored] == ["ZAMU NEXT DOC ******", "zamu done doc ******"]


@pytest.mark.parametrize("word", ["STOP", "cancel", "ACHA", "opt out", "remove me"])
def test_stop_is_heard_behind_a_keyword(word: str) -> None:
    assert wants_no_texts(f"Zamu {word}", "en", keyword="ZAMU")
    assert wants_no_texts(word, "en", keyword="ZAMU")


@pytest.mark.parametrize("keyword", ["", "ZAMU "])
@pytest.mark.parametrize("word", ["CANCEL", "acha", "toka", "DURO"])
async def test_stop_is_heard_from_who_texts_too_much(amina: Texter, keyword: str, word: str) -> None:
    if keyword:
        shared(amina)
    for _ in range(7):
        await amina.text(f"{keyword}STATUS")
    assert await amina.text(keyword + word) == ["You will get no more SMS from Zamu. To get SMS again reply START."]
    assert await amina.world.pool.fetchval("select count(opted_out_at) from customers") == 1


async def test_a_word_for_leave_and_stop_ends_no_texts_of_who_is_in_line(amina: Texter, world: World) -> None:
    shared(amina)
    await world.line(1)
    assert "give up A001?" in (await amina.text("zamu toka"))[0]
    assert not await world.pool.fetchval("select bool_or(opted_out_at is not null) from customers")
