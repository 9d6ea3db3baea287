"""People of the demo world who text, and the words that come back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from sms.inbound import Inbound
from sms.inbox import House, Inbox
from sms.spool import Spool
from sms.staff import Desk
from sms.texts import render
from tests.world import World, phone, seeded, world

__all__ = ["seeded", "world"]

HOUSE = House(help_phone="0700123456")
PEPPER = b"a pepper that nobody knows"
_ids = count(1)


class Texter:
    """Somebody who texts the short code. `text` gives back what he was told since."""

    def __init__(self, inbox: Inbox, world: World, person: int) -> None:
        self.inbox = inbox
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
def inbox(world: World, tmp_path: Path) -> Inbox:
    return Inbox(world.core, HOUSE, Desk(world.core, PEPPER), Spool(tmp_path / "spool"))


@pytest.fixture
def texters(inbox: Inbox, world: World) -> Texters:
    return lambda person: Texter(inbox, world, person)


@pytest.fixture
def amina(texters: Texters) -> Texter:
    """Person 1."""
    return texters(1)
