"""Six digits may be somebody's PIN: wherever they stand and however they are typed, they are written nowhere."""

from __future__ import annotations

import re
from pathlib import Path

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from queue_core.core import Core
from sms.commands import without_pin
from sms.inbox import Inbox
from sms.staff import Desk
from tests.texting.conftest import HOUSE, PEPPER, PIN, Texter
from tests.world import World

HIDDEN = "******"
TABLES = ("inbound_messages", "notifications", "audit_log", "requests", "staff_phones", "staff", "ussd_sessions")
BY_CHANCE = re.compile(r"(?<=:\d\d)\.\d+|[0-9a-f-]{32,}")
# How clerks type it, and what is written of it.
COMMANDS = {
    "NEXT DOC 482913": "NEXT DOC ******",
    "next doc 482913.": "next doc ******.",
    "N 482913": "N ******",
    "nxt doc482913": "nxt doc******",
    "NEXT482913": "NEXT******",
    "NEXT 482913 DOC": "NEXT ****** DOC",
    "NEXT 482913 please": "NEXT ****** please",
    "482913 NEXT": "****** NEXT",
    "482913NEXT": "******NEXT",
    "NEXT DOC 482913\nGrace, Room 1": "NEXT DOC ******\nGrace, Room 1",
    "NEXT DOC 48 29 13": "NEXT DOC ******",
    "NEXT DOC 482.913": "NEXT DOC ******",
    "NEXT DOC 482-913": "NEXT DOC ******",
    "NEXT DOC 482\n913": "NEXT DOC ******",
    "NEXT DOC 482\u200b913": "NEXT DOC ******",
    "NEXT DOC \u200b482913": "NEXT DOC \u200b******",
    "NEXT DOC 4\ufe0f\u20e38\ufe0f\u20e32\ufe0f\u20e39\ufe0f\u20e31\ufe0f\u20e33": "NEXT DOC ******",
    "NEXT DOC \u0664\u0668\u0662\u0669\u0661\u0663": "NEXT DOC ******",
    "NEXT DOC \uff14\uff18\uff12\uff19\uff11\uff13": "NEXT DOC ******",
    "PAUSE DOC 30 482913": "PAUSE DOC 30 ******",
    "PAUSE DOC 30 48 29 13": "PAUSE DOC 30 ******",
    "LIST DOC 4 482 913": "LIST DOC 4 ******",
    "DONE DOC A047 48 29 13": "DONE DOC A047 ******",
    "NEXT DOC 482913 0711000123": "NEXT DOC ****** 0711000123",
    "NEXT DOC 48 29 13\n0711000123": "NEXT DOC ******\n0711000123",
    "NEXT DOC 111222 482913": "NEXT DOC ****** ******",
    "NEXT DOC 4829I3": "NEXT DOC ******",
    "NEXT DOC 4b29l3": "NEXT DOC ******",
}
# Nothing of which is a command.
OTHERS = {
    "NEXTDOC 482913": "NEXTDOC ******",
    "PLS NEXT 482913": "PLS NEXT ******",
    "48 29 13": "******",
    "my pin is 482.913, ok?": "my pin is ******, ok?",
    "STATUS 482913": "STATUS ******",
    "JOIN 4071 482913": "JOIN 4071 ******",
    "JOIN 40 71 10": "JOIN 40 71 10",
    "J 4071 22 Amina": "J 4071 22 Amina",
    "JOIN 4071": "JOIN 4071",
    "call 0711000123": "call 0711000123",
    "call +254 711 000 123": "call +254 711 000 123",
    "4829130": "4829130",
    "48291": "48291",
    "LEAVE BL1234": "LEAVE BL1234",
    "NEXT DOC": "NEXT DOC",
}


@pytest.mark.parametrize(("text", "written"), COMMANDS.items())
def test_the_pin_of_a_command_is_found_wherever_it_stands(text: str, written: str) -> None:
    assert without_pin(text) == (written, PIN)


@pytest.mark.parametrize(("text", "written"), OTHERS.items())
def test_six_digits_are_hidden_in_any_text_and_nothing_else_is(text: str, written: str) -> None:
    assert without_pin(text) == (written, None)


@given(st.text(max_size=60), st.text(max_size=60))
def test_six_digits_in_a_row_are_hidden_whatever_stands_around_them(before: str, after: str) -> None:
    written, _ = without_pin(f"{before} {PIN} {after}")
    assert PIN not in written


@given(st.text(alphabet="0123456789 .-\n\u200bA", max_size=200))
def test_what_is_hidden_once_stays_as_it_is(text: str) -> None:
    written, _ = without_pin(text)
    assert without_pin(written)[1] is None or "*" not in written


async def kept(world: World) -> str:
    """All that the database holds but what chance may have made: ids, hashes and microseconds."""
    rows = [await world.pool.fetch(f"select t::text from {table} t") for table in TABLES]  # noqa: S608
    return BY_CHANCE.sub("", "\n".join(row[0] for found in rows for row in found))


@pytest.mark.parametrize("text", [*COMMANDS, "NEXTDOC 482913", "PLS NEXT 482913", "48 29 13", "STATUS 482913"])
async def test_the_pin_is_kept_nowhere_and_told_to_nobody(
    clerk: Texter, world: World, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    await world.line(1)
    told = await clerk.text(text)
    everywhere = await kept(world) + caplog.text + "".join(told)
    assert PIN not in everywhere
    assert text not in everywhere
    (stored,) = await world.pool.fetch("select text from inbound_messages")
    assert stored["text"] == (COMMANDS | OTHERS)[text]


async def test_a_pin_in_the_middle_is_still_the_pin(clerk: Texter, world: World) -> None:
    await world.line(1)
    assert (await clerk.text("NEXT 48 29 13 DOC"))[0].startswith("NOW A001")
    assert (await clerk.text(f"{PIN} DONE doc\nGrace, Room 1"))[0].startswith("Doctor: A001 done")


async def test_letters_before_the_pin_are_not_eaten(clerk: Texter, world: World) -> None:
    """AC is no line of his, and was taken for line A."""
    await world.line(1)
    assert await clerk.text(f"NEXT AC{PIN}") == ["You cannot use AC. Nothing was changed. Ask your manager."]
    assert await world.order() == ["A001"]


@pytest.mark.parametrize(
    "text", ["NEXT 48291 DOC", "NEXT DOC48291", "NEXT 4829133", "NEXT GRACE 111222", "LIST 111222"]
)
async def test_who_types_a_wrong_pin_does_not_read_it_again(clerk: Texter, text: str) -> None:
    (told,) = await clerk.text(text)
    assert told.startswith("Wrong or missing PIN. Nothing was changed. Send it as NEXT DOC and your PIN.")


async def test_whose_pin_is_wrong_reads_the_line_that_he_meant(clerk: Texter) -> None:
    assert "Send it as NEXT A and your PIN." in (await clerk.text("NEXT DOCT 111222"))[0]


@pytest.mark.parametrize("text", ["PLS NEXT 482913", "NEXTDOC 48 29 13", "NEXT DOC 482.913", "ZAMU NEXT DOC 482913"])
async def test_no_pin_is_on_the_disk_while_the_database_is_away(clerk: Texter, tmp_path: Path, text: str) -> None:
    pool = await asyncpg.create_pool(min_size=0, host="/nowhere", timeout=1)
    await pool.close()
    away = Inbox(Core(pool), HOUSE, Desk(Core(pool), PEPPER), clerk.spool)
    with pytest.raises(asyncpg.InterfaceError):
        await away.receive(clerk.message(text))
    written = "".join(file.read_text() for file in (tmp_path / "spool").glob("*"))
    assert all(part not in written for part in ("4829", "2913", "482.", "48 29"))
    assert bool(written) == (not text.startswith("NEXT DOC")), "a command waits for the provider to repeat it"
