"""The demo world on a busy morning, with a server before it, and people of it who are logged in."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from redis.asyncio import Redis
from starlette.applications import Starlette

import settings as settings_module
from app import create_app
from db import embedded
from queue_core import accounts, staff, staff_phones
from queue_core.core import Act
from queue_core.hashing import HASHER
from sms import inbox
from staff_web.guard import Guard
from tests.fuzz.kept import Kept
from tests.members import PASSWORD
from tests.staff_web.sockets import serving
from tests.webhooks.conftest import NEXT_SECRET, PUBLIC_URL, SECRET, TWILIO_TOKEN, USSD_SECRETS
from tests.webhooks.test_golden_texts import AFRICASTALKING_SENT, ON_ITS_WAY, TWILIO_SENT
from tests.world import KEY, World, own_world, phone

METRICS_TOKEN = "the-token-of-who-scrapes"
PIN = "483920"
CLERK, OTHER_CLERK, NEW_CLERK = 900, 901, 902  # as people of the world have numbers
TOTP = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
# What no answer may hold.
SECRETS = (SECRET, NEXT_SECRET, *USSD_SECRETS.values(), TWILIO_TOKEN, METRICS_TOKEN, KEY.decode(), PASSWORD, TOTP)


class Alarms(logging.Handler):
    """What was logged as a fault of ours."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(self.format(record))

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Nothing of ours may break meanwhile."""
        self.heard.clear()
        yield
        assert self.heard == []


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the staff, or nobody: then both are empty."""

    token: str = ""
    csrf: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Place:
    """Where the server is, what it stores, who is logged in, and what it says of itself in its log."""

    url: str
    world: World
    kept: Kept
    people: dict[str, Person]
    alarms: Alarms


def application(environ: dict[str, str]) -> Starlette:
    """The whole product, with every gateway that there is; `environ` names its servers and its folder."""
    given = {
        "ZAMU_SECRET_KEY": KEY.decode(),
        "ZAMU_WEBHOOK_SECRET": f"{SECRET},{NEXT_SECRET}",
        "ZAMU_USSD_SECRETS": " ".join(f"{code}={secret}" for code, secret in USSD_SECRETS.items()),
        "ZAMU_PUBLIC_URL": PUBLIC_URL,
        "ZAMU_TWILIO_ACCOUNT_SID": "AC00000000000000000000000000000001",
        "ZAMU_TWILIO_AUTH_TOKEN": TWILIO_TOKEN,
        "ZAMU_TWILIO_FROM": "+15005550006",
        "ZAMU_METRICS_TOKEN": METRICS_TOKEN,
    }
    return create_app(settings_module.load(given | environ))


@asynccontextmanager
async def made(seeded: embedded.Servers, folder: Path) -> AsyncIterator[Place]:
    """The place, with nothing in it that runs by itself but what runs in a web process."""
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(own_world(seeded))
        people = await _furnish(world)
        redis = await stack.enter_async_context(Redis.from_url(seeded.redis_url))
        database = seeded.database_url.replace("/zamu?", f"/{await world.pool.fetchval('select current_database()')}?")
        connection = await asyncpg.connect(database)
        stack.push_async_callback(connection.close)
        kept = await Kept.of(connection, redis)
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(inbox, "TOO_OLD", timedelta(days=36_500))  # recorded requests keep their dates
        urls = {"ZAMU_DATABASE_URL": database, "ZAMU_REDIS_URL": seeded.redis_url, "ZAMU_DATA_DIR": str(folder)}
        url = await stack.enter_async_context(serving(application(urls)))
        alarms = Alarms()
        logging.getLogger().addHandler(alarms)
        stack.callback(logging.getLogger().removeHandler, alarms)
        yield Place(url, world, kept, people, alarms)


async def _furnish(world: World) -> dict[str, Person]:
    """Somebody in every state, so that every page has all its forms; who is logged in, by name."""
    await world.pool.execute("update staff set password_hash = $1, must_change_password = false", HASHER.hash(PASSWORD))
    await _people_in_line(world)
    for gateway, sent in (("africastalking", AFRICASTALKING_SENT), ("twilio", TWILIO_SENT)):
        for number, (to, provider_id) in sent.items():
            await world.pool.execute(ON_ITS_WAY, UUID(int=number), to, gateway, provider_id)
        await world.pool.execute(
            "update notifications set dedupe_key = 'before ' || dedupe_key"
        )  # Amina is told by both
    tokens = {login: await _token(world, login) for login in ("admin", "manager", "clinic1", "bank1")}
    await _staff(world)
    guard = Guard(KEY, PUBLIC_URL)
    return {"nobody": Person()} | {login: Person(token, guard.csrf(token)) for login, token in tokens.items()}


async def _people_in_line(world: World) -> None:
    """Called, in service, skipped, done and waiting, in three lines; one line has a break, one branch is closed."""
    await world.line(1, 2, 3, 4, 5, 6)
    await world.join(7, name="Asha")
    await world.join(None)
    await world.line(8, 9, queue="P")
    await world.line(10, queue="L")
    await world.line(11, 12, queue="C")
    await world.called("Room 1")
    await world.do("start", await world.called("Room 2"))
    await world.do("skip", await world.called("Room 3"))
    await world.serve("Room 4", "P")
    await world.pause("L")
    await world.pool.execute("update branches set is_open = false where code = '5084'")
    await world.pool.execute("update notifications set status = 'failed' where phone = $1", phone(4))


async def _staff(world: World) -> None:
    """Phones of staff: one in use, one locked, one whose code is under way. Second factors: one on, one to confirm."""
    for login, person in (("clinic1", CLERK), ("bank1", OTHER_CLERK), ("manager", NEW_CLERK)):
        room = "Room 1" if login == "clinic1" else None
        await staff_phones.enrol(world.core, Act("staff", "staff"), login, phone(person), room)
        sent = await world.row(
            "select parameters from notifications where template = 'staff_code' and phone = $1", phone(person)
        )
        if login != "manager":
            await staff_phones.confirm(world.core, Act("staff", "staff"), login, sent["parameters"]["otp"], PIN, KEY)
    await staff.add(world.core, "Afya Bora", "4071", "staff", "gone", "Gone")
    await world.pool.execute(
        "update staff_phones set locked_until = now() + interval '1 day' where phone = $1", phone(OTHER_CLERK)
    )
    await world.pool.execute("update staff set active = false where login = 'gone'")
    await world.pool.execute("update staff set must_change_password = true where login = 'bank1'")
    await world.pool.execute("update staff set totp_secret = $1 where login = 'manager'", TOTP)
    await world.pool.execute("update staff set totp_secret = $1, totp_on = true where login = 'clinic1'", TOTP)


async def _token(world: World, login: str) -> str:
    return await accounts.log_in(world.core, login, PASSWORD, "", "192.0.2.1")
