"""A provider to send to, rows to send, and what became of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import pytest

from db.pool import Pool
from db.queries import load
from sms.gateways.africastalking import AfricasTalking
from sms.outbox import Outbox
from sms.sending import Gateway, Report, SendFailed, Sent
from sms.texts import render
from telco_sim.config import TelcoConfig
from telco_sim.testing import RunningTelco, running

AMINA = "+254711000001"
API_KEY = "key-of-nobody"
FACTS = {
    "branch": "Kilimani Clinic",
    "code": "4071",
    "phone": "0700123456",
    "svc": "Doctor",
    "tk": "A047",
    "ctr": "Room 4",
    "ahead": 14,
    "min": 50,
}

SQL = load("outbox")
RETRY = SendFailed("provider_error", "retry")
FINAL = SendFailed("invalid_phone", "final")
UNKNOWN = SendFailed("answer_lost", "unknown")
REFUSED = SendFailed("authentication", "retry", stops_gateway=True, advice="Check the key.")

THROUGH = ("scripted", [""], ["scripted"])  # what a claim is told of gateways

Queue: TypeAlias = Callable[..., Awaitable[UUID]]


@pytest.fixture
async def telco() -> AsyncIterator[RunningTelco]:
    async with running(TelcoConfig(api_key=API_KEY, report_delay=0)) as telco:
        yield telco


@pytest.fixture
async def gateway(telco: RunningTelco) -> AsyncIterator[AfricasTalking]:
    """The real SDK, pointed at the telco, with less patience than in production."""
    gateway = AfricasTalking("sandbox", API_KEY, sender="20880", base_url=telco.url, threads=8, timeout=(0.5, 0.5))
    yield gateway
    await gateway.close()


class Scripted:
    """A provider that answers from a list, then always says yes; it remembers what it was asked to send."""

    code = "scripted"

    def __init__(self, *answers: Sent | SendFailed, code: str = "scripted") -> None:
        self.code = code
        self.answers = list(answers)
        self.ledger: list[tuple[str, str]] = []

    async def send(self, phone: str, body: str, *, reference: str, expires_in: timedelta) -> Sent | SendFailed:
        self.ledger.append((phone, body))
        return self.answers.pop(0) if self.answers else Sent(f"{self.code}-{reference}-{len(self.ledger)}")

    async def look_up(self, phone: str, body: str, since: datetime) -> Sequence[Report] | None:
        return None

    async def close(self) -> None:
        return


class Slow(Scripted):
    """Takes a text, and answers when it is told to."""

    def __init__(self, *answers: Sent | SendFailed) -> None:
        super().__init__(*answers)
        self.asked, self.may_answer = asyncio.Event(), asyncio.Event()

    async def send(self, phone: str, body: str, *, reference: str, expires_in: timedelta) -> Sent | SendFailed:
        self.asked.set()
        await self.may_answer.wait()
        return await super().send(phone, body, reference=reference, expires_in=expires_in)


def _words(template: str, language: str, parameters: dict[str, Any], _gateway: str) -> str:
    return render(template, language, parameters, shortcode="*384*40#")


def outbox_of(pool: Pool, *gateways: Gateway, in_flight: int = 64, **options: Any) -> Outbox:
    return Outbox(pool, gateways, _words, in_flight=in_flight, **options)


@pytest.fixture
async def line(pool: Pool) -> UUID:
    """The id of a queue with a service day."""
    organization = await pool.fetchval("insert into organizations (name) values ('Afya Bora') returning id")
    branch = await pool.fetchval(
        "insert into branches (organization_id, code, name, phone)"
        " values ($1, '4071', 'Kilimani Clinic', '0700123456') returning id",
        organization,
    )
    queue: UUID = await pool.fetchval(
        "insert into queues (branch_id, code, name) values ($1, 'A', 'Doctor') returning id", branch
    )
    await pool.execute("insert into queue_days (queue_id, service_date) values ($1, '2026-11-21')", queue)
    return queue


@pytest.fixture
def queue(pool: Pool, line: UUID) -> Queue:
    """Queues one text, for a ticket in the state that makes it true unless `status` says otherwise."""
    numbers = iter(range(1, 10_000))
    natural = {"turn": "called", "last_call": "called", "skipped": "skipped", "left": "cancelled"}

    async def insert(template: str = "joined", *, status: str | None = None, **row: Any) -> UUID:
        number = next(numbers)
        values = {
            "template": template,
            "phone": f"+2547110{number:05}",
            "parameters": FACTS,
            "urgency": {"turn": 0, "last_call": 0, "near": 1}.get(template, 5),
            "dedupe_key": uuid4().hex,
            "ticket_id": await _ticket(pool, line, number, status or natural.get(template, "waiting")),
        } | row
        expires = values.pop("expires", "30 minutes")
        columns = ", ".join(values)
        marks = ", ".join(f"${n}" for n in range(1, len(values) + 1))
        notification: UUID = await pool.fetchval(
            f"insert into notifications ({columns}, expires_at)"  # noqa: S608
            f" values ({marks}, now() + '{expires}'::interval) returning id",
            *values.values(),
        )
        return notification

    return insert


async def _ticket(pool: Pool, line: UUID, number: int, status: str) -> UUID:
    ended = status in {"completed", "no_show", "cancelled", "expired"}
    ticket: UUID = await pool.fetchval(
        "insert into tickets (queue_id, service_date, number, channel, position, status, ended_at)"
        " values ($1, '2026-11-21', $2::int, 'ussd', $2::int, $3, case when $4 then now() end) returning id",
        line,
        number,
        status,
        ended,
    )
    return ticket


async def state(pool: Pool, notification: UUID) -> dict[str, Any]:
    row = await pool.fetchrow("select * from notifications where id = $1", notification)
    assert row is not None
    return dict(row)


async def attempts(pool: Pool, notification: UUID) -> list[tuple[int, str, str | None]]:
    rows = await pool.fetch(
        "select attempt, outcome, error from notification_attempts where notification_id = $1 order by 1",
        notification,
    )
    return [(row["attempt"], row["outcome"], row["error"]) for row in rows]


async def handed_over(pool: Pool, lease: timedelta = timedelta(minutes=-1)) -> UUID:
    """A worker got as far as the provider's door, and was never seen again."""
    token = uuid4()
    await pool.execute(SQL.claim, 10, token, timedelta(minutes=1), *THROUGH)
    await pool.execute(SQL.hand_over, token, "scripted", lease, ())
    return token
