"""A whole deployment for each attack, and what it writes into the table."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from queue_core import staff_phones
from queue_core.core import Act
from telco_sim.config import TelcoConfig
from telco_sim.testing import RunningTelco, running
from tests.attack.house import House
from tests.faults.conftest import pytest_collection_modifyitems
from tests.staff_web.conftest import HOME, PASSWORD, hashed
from tests.terminal import SECRET, Terminal, database, terminal
from tests.ussd.gateways.dialects import DIALECTS
from tests.world import KEY, World, phone, seeded, world

__all__ = ["database", "hashed", "pytest_collection_modifyitems", "seeded", "terminal", "world"]

CLERK = phone(90_000)
PIN = "482913"
TWILIO_TOKEN = "a-token-of-thirty-two-characters"
USSD_SECRETS = {dialect.code: f"the-secret-of-{dialect.code}-alone" for dialect in DIALECTS}
del USSD_SECRETS["africastalking"]


@pytest.fixture
async def telco() -> AsyncIterator[RunningTelco]:
    config = TelcoConfig(
        api_key="key", twilio_account_sid="AC" + "0" * 32, twilio_auth_token=TWILIO_TOKEN, report_delay=0
    )
    async with running(config) as made:
        yield made


@pytest.fixture
def deployed(terminal: Terminal, telco: RunningTelco) -> Terminal:
    """The settings of a whole deployment."""
    terminal.environ.update(
        ZAMU_PUBLIC_URL=HOME,
        ZAMU_USSD_SECRETS=" ".join(f"{code}={secret}" for code, secret in USSD_SECRETS.items()),
        ZAMU_AT_BASE_URL=telco.url,
        ZAMU_AT_API_KEY="key",
        ZAMU_AT_SENDER="20880",
        ZAMU_TWILIO_BASE_URL=telco.url,
        ZAMU_TWILIO_ACCOUNT_SID="AC" + "0" * 32,
        ZAMU_TWILIO_AUTH_TOKEN=TWILIO_TOKEN,
        ZAMU_TWILIO_FROM="+15005550006",
        ZAMU_SMS_GATEWAYS="africastalking",
        ZAMU_SMS_ONLY_TO="+254",
    )
    return terminal


@pytest.fixture
async def house(deployed: Terminal, telco: RunningTelco, world: World, hashed: str) -> AsyncIterator[House]:
    """Two web processes, whose people have a password and one of whom a phone to work with; the logs are read after."""
    await world.pool.execute("update staff set password_hash = $1, must_change_password = false", hashed)
    await _enrol(world)
    async with AsyncExitStack() as stack:
        with deployed.serving("--workers", "2") as server:
            made = House(world, server, telco, many=True, stack=stack, terminal=deployed)
            made.secrets |= {SECRET, PIN, PASSWORD, TWILIO_TOKEN, *USSD_SECRETS.values(), KEY.decode()}
            yield made
            assert server.process.poll() is None
            made.check_logs()


async def _enrol(world: World) -> None:
    await staff_phones.enrol(world.core, Act("staff", "staff"), "clinic1", CLERK, "Room 1")
    code = await world.pool.fetchval("select parameters->>'otp' from notifications where template = 'staff_code'")
    await staff_phones.confirm(world.core, Act("staff", "staff"), "clinic1", code, PIN, KEY)
