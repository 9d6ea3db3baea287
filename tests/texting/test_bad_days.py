"""Texts outlive a database that is away, a process that dies and a disk that is half written."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from queue_core.core import Core
from sms.inbound import Inbound
from sms.inbox import Inbox
from sms.spool import Spool
from sms.staff import Desk
from tests.texting.conftest import HOUSE, PEPPER, Texter, Texters
from tests.world import World


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the inbox of this test keeps what it cannot handle."""
    return tmp_path / "spool"


@pytest.fixture
async def away(folder: Path) -> Inbox:
    """The same inbox while its database is away."""
    pool = await asyncpg.create_pool(min_size=0, host="/nowhere", timeout=1)
    await pool.close()
    return Inbox(Core(pool), HOUSE, Desk(Core(pool), PEPPER), Spool(folder))


async def lose(away: Inbox, *messages: Inbound) -> None:
    for message in messages:
        with pytest.raises(asyncpg.InterfaceError):
            await away.receive(message)


async def test_what_comes_while_the_database_is_away_is_handled_once_it_is_back(
    amina: Texter, texters: Texters, away: Inbox, folder: Path, world: World
) -> None:
    messages = [amina.message("JOIN 4071 A"), texters(2).message("JOIN 4071 A"), amina.message("STATUS")]
    await lose(away, *messages, *messages)
    assert len(list(folder.iterdir())) == 3
    await asyncio.gather(*(amina.inbox.tidy() for _ in range(3)))
    assert list(folder.iterdir()) == []
    assert await world.order() == ["A001", "A002"]
    assert [text.split(".")[0] for text in await amina.told()] == [
        "Kilimani Clinic: your number is A001 for Doctor",
        "Kilimani Clinic: A001 for Doctor",
    ]
    await amina.send(messages[0])  # the provider repeats it all the same
    assert len(await amina.told()) == 2


async def test_a_pin_is_never_written_to_the_disk(amina: Texter, away: Inbox, folder: Path) -> None:
    await lose(away, amina.message("NEXT DOC 482913"))
    assert not folder.exists()


async def test_the_database_goes_away_again_in_mid_replay(amina: Texter, away: Inbox, folder: Path) -> None:
    await lose(away, amina.message("STATUS"), amina.message("HELP"))
    assert await Spool(folder).replay(away._receive_kept) == 0  # noqa: SLF001
    assert len(list(folder.iterdir())) == 2
    await amina.inbox.tidy()
    assert len(await amina.told()) == 2


async def test_a_file_cut_off_anywhere_is_set_aside_and_the_others_are_handled(
    amina: Texter, away: Inbox, folder: Path
) -> None:
    await lose(away, amina.message("HELP"))
    (good,) = folder.iterdir()
    whole = good.read_bytes()
    for length in range(len(whole) - 1):
        (folder / f"{length:032x}.json").write_bytes(whole[:length])
    await amina.inbox.tidy()
    assert len(await amina.told()) == 1
    assert {path.suffix for path in folder.iterdir()} == {".broken"}
    assert len(list(folder.iterdir())) == len(whole) - 1


GOOD: dict[str, Any] = {
    "gateway": "africastalking",
    "provider_id": "in-x",
    "phone": "+254711000001",
    "recipient": "20880",
    "text": "HELP",
    "sent_at": "2026-11-21T06:04:45+00:00",
    "received_at": "2026-11-21T06:04:45+00:00",
    "opt_out": None,
}
WRONG: list[dict[str, Any]] = [
    {"gateway": 1},
    {"text": ["HELP"]},
    {"text": None},
    {"text": "\0"},
    {"text": "\ud800"},
    {"phone": 254711000001},
    {"phone": "nobody"},
    {"provider_id": ""},
    {"sent_at": 5},
    {"sent_at": "2026-11-21T06:04:45"},
    {"received_at": "yesterday"},
    {"opt_out": "perhaps"},
    {"more": 1},
]


@pytest.mark.parametrize(
    "rubbish",
    [
        *(b"", b"{}", b"[]", b"null", b"\xff\xfe", json.dumps({"gateway": 1}).encode()),
        *(json.dumps(GOOD | wrong).encode() for wrong in WRONG),
    ],
)
async def test_rubbish_in_the_folder_is_set_aside(amina: Texter, folder: Path, rubbish: bytes) -> None:
    folder.mkdir()
    (folder / "x.json").write_bytes(rubbish)
    await amina.inbox.tidy()
    assert [path.name for path in folder.iterdir()] == ["x.broken"]


async def test_a_file_that_another_process_took_away_holds_up_no_other(
    amina: Texter, away: Inbox, folder: Path
) -> None:
    await lose(away, amina.message("HELP"))
    (folder / "gone.json").symlink_to("nowhere")
    await amina.inbox.tidy()
    assert len(await amina.told()) == 1


async def test_what_was_half_written_long_ago_is_removed_and_what_is_being_written_is_not(
    amina: Texter, folder: Path
) -> None:
    folder.mkdir()
    for name, age in (("old.half", 7200), ("new.half", 5)):
        (folder / name).touch()
        os.utime(folder / name, (time.time() - age,) * 2)
    await amina.inbox.tidy()
    assert [path.name for path in folder.iterdir()] == ["new.half"]


async def test_a_disk_that_refuses_leaves_nothing_half_written(amina: Texter, folder: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with pytest.raises(OSError, match="large"):
            await Spool(folder).keep(amina.message("HELP"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(folder.iterdir()) == []


async def test_a_text_that_lay_on_the_disk_for_hours_does_nothing(
    amina: Texter, away: Inbox, folder: Path, world: World
) -> None:
    for sent_at in (datetime.now(UTC) - timedelta(hours=2), None):
        message = amina.message("JOIN 4071 A", sent_at=sent_at)
        await lose(away, message if sent_at else replace(message, received_at=datetime.now(UTC) - timedelta(hours=2)))
    await amina.inbox.tidy()
    assert list(folder.iterdir()) == []
    assert await amina.told() == []
    assert await world.order() == []
    outcomes = await world.pool.fetch("select outcome from inbound_messages")
    assert [row["outcome"] for row in outcomes] == ["too_old"] * 2


async def _die_in_hand(world: World, *, answered: bool) -> None:
    """A process died with the text in hand: before anything was done, or after the verb was."""
    if not answered:
        await world.pool.execute("delete from notifications")
    await world.pool.execute(
        "update inbound_messages set handled_at = null, leased_until = now() - interval '1 second'"
    )


async def test_a_text_whose_handler_died_is_answered_by_another(amina: Texter, world: World) -> None:
    told = await amina.text("STATUS")
    await _die_in_hand(world, answered=False)
    await amina.inbox.tidy()
    assert await amina.told() == told


async def test_a_verb_that_was_done_before_its_handler_died_is_not_done_again(amina: Texter, world: World) -> None:
    told = await amina.text("JOIN 4071 A")
    await _die_in_hand(world, answered=True)
    await asyncio.gather(*(amina.inbox.tidy() for _ in range(3)))
    assert await amina.told() == told
    assert await world.order() == ["A001"]
    assert await world.pool.fetchval("select outcome from inbound_messages") == "done_before"


async def test_what_is_in_hand_is_left_to_who_has_it(amina: Texter, world: World) -> None:
    message = amina.message("JOIN 4071 A")
    await amina.send(message)
    await world.pool.execute(
        "update inbound_messages set handled_at = null, leased_until = now() + interval '1 minute'"
    )
    await amina.inbox.tidy()
    await amina.send(message)
    assert len(await amina.told()) == 1
