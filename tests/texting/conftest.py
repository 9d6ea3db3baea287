"""People of the demo world who text, and the words that come back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from queue_core import staff_phones
from queue_core.core import Act
from sms.inbound import Inbound
from sms.inbox import House, Inbox
from sms.spool import Spool
from sms.staff import Desk
from sms.texts import render
from tests.world import World, phone, seeded, world

__all__ = ["seeded", "world"]

PEPPER = b"a pepper that nobody knows"
HOUSE = House(help_phone="0700123456", key=PEPPER)
PIN = "482913"
CLERK, OTHER_CLERK = 90, 91
_ids = count(1)


class Texter:
    """Somebody who texts the short code. `text` gives back what he was told since."""

    def __init__(self, inbox: Inbox, world: World, person: int, spool: Spool) -> None:
        self.inbox = inbox
        self.spool = spool
        self.world = world
        self.number = phone(person)

    def message(self, text: str, **changed: object) -> Inbound:
        fields = {
            "gateway": "africastalking",
            "provider_id": f"in-{next(_ids)}",
            "phone": self.number,
            "recipient": "20880",
            "text": text,
            "sent_at": datetime.now(UTC),
        }
        return Inbound(**(fields | changed))  # type: ignore[arg-type]

    async def text(self, text: str, **changed: object) -> list[str]:
        return await self.send(self.message(text, **changed))

    async def send(self, message: Inbound, times: int = 1) -> list[str]:
        before = len(await self.told())
        for _ in range(times):
            await self.inbox.receive(message)
        return (await self.told())[before:]

    async def told(self) -> list[str]:
        rows = await self.world.pool.fetch(
            "select template, language, parameters from notifications where phone = $1 order by created_at, id",
            self.number,
        )
        return [render(*row, shortcode="*384*40#") for row in rows]


Texters = Callable[[int], Texter]


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


@pytest.fixture
def inbox(world: World, spool: Spool) -> Inbox:
    return Inbox(world.core, HOUSE, Desk(world.core, PEPPER), spool)


@pytest.fixture
def texters(inbox: Inbox, world: World, spool: Spool) -> Texters:
    return lambda person: Texter(inbox, world, person, spool)


@pytest.fixture
def amina(texters: Texters) -> Texter:
    """Person 1."""
    return texters(1)


async def enrol(texter: Texter, login: str = "clinic1", counter: str | None = "Room 1") -> Texter:
    core = texter.world.core
    await staff_phones.enrol(core, Act("system", "system"), login, texter.number, counter)
    code = await texter.world.pool.fetchval(
        "select parameters->>'otp' from notifications where phone = $1 order by created_at desc limit 1", texter.number
    )
    await staff_phones.confirm(core, Act("system", "system"), login, code, PIN, PEPPER)
    await texter.world.pool.execute(
        "update staff_phones set used_on = '2999-01-01'"
    )  # without the notice of the first use
    await texter.world.pool.execute(
        "update staff_phones set used_on = (now() at time zone b.timezone)::date from branches b where b.code = '4071'"
    )
    return texter


@pytest.fixture
async def clerk(texters: Texters) -> Texter:
    """At Room 1 of the clinic, which serves the doctor's line."""
    return await enrol(texters(CLERK))


def strict(clerk: Texter) -> None:
    """From now on his commands need the code that came with the last answer."""
    core = clerk.world.core
    clerk.inbox = Inbox(core, HOUSE, Desk(core, PEPPER, strict=True), clerk.spool)


def shared(texter: Texter) -> None:
    """He texts to a short code that is shared: ZAMU comes first."""
    core = texter.world.core
    texter.inbox = Inbox(core, replace(HOUSE, keyword="ZAMU"), Desk(core, PEPPER), texter.spool)
