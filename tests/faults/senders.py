"""Senders of texts to be killed: real workers, the telco that they send through, and what they have come to."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest

from telco_sim.config import TelcoConfig
from telco_sim.exchange import post
from telco_sim.testing import RunningTelco, running
from tests.disturbing import PATIENCE, until
from tests.faults.ledger import watch, wrong
from tests.invariants import broken
from tests.terminal import SECRET, Process, Terminal
from tests.world import World, phone

FORM = {"content-type": "application/x-www-form-urlencoded"}
TEXT = "select status, error, provider_id from notifications where phone = $1 and template like 'joined%'"
IS = "select status = any ($2) from notifications where phone = $1 and template like 'joined%'"
LAPSE = "update notifications set leased_until = now() - interval '1 second' where status = 'sending'"
# At night the end of a day waits for the morning.
ALL_ENDED = """
select not exists (select from notifications
                    where status in ('queued', 'sending') and due_at < now() + interval '1 hour')
"""
NOBODY = 99  # somebody whose text shows that a sender is at work


@dataclass(frozen=True, slots=True)
class Senders:
    """A clinic whose people are told their number by text (`person` n joined as the n-th), and who tells them."""

    world: World
    telco: RunningTelco
    terminal: Terminal

    def worker(self, telco: str = "") -> AbstractContextManager[Process]:
        """A sender, and the address of a telco if it is not the usual one."""
        return self.terminal.running(
            "worker", ZAMU_AT_BASE_URL=telco or self.telco.url, ZAMU_AT_API_KEY="key", ZAMU_AT_SENDER="20880"
        )

    @contextmanager
    def serving(self) -> Iterator[Process]:
        """A server for the telco's reports."""
        with self.terminal.serving() as server:
            self.telco.connect(delivery_url=_reports_to(server))
            yield server

    async def logged(self, kind: str, times: int = 1) -> None:
        """Until the telco's ledger has so many rows of a kind."""
        async with asyncio.timeout(PATIENCE):
            while len(self.telco.ledger.of(kind)) < times:  # noqa: ASYNC110 - a row wakes nobody
                await asyncio.sleep(0.005)

    async def heard_out(self) -> None:
        """Until the telco has taken what the dead sent: it reads in turn, so this request (without a text) last."""
        answer = await post(f"{self.telco.url}/version1/messaging", b"", FORM)
        assert answer.status == 400

    def sent_to(self, person: int = 1) -> int:
        return len(self.telco.ledger.of("sms.message", phone(person)))

    async def text_of(self, person: int = 1) -> tuple[str, str | None]:
        """What we know of the text that tells somebody his number, and why."""
        row = await self.world.row(TEXT, phone(person))
        return row["status"], row["error"]

    async def name_of_text(self, person: int = 1) -> str:
        """The telco's."""
        return str((await self.world.row(TEXT, phone(person)))["provider_id"])

    async def becomes(self, *statuses: str, person: int = 1) -> None:
        """Until that text is one of these."""
        await until(self.world.pool, IS, phone(person), list(statuses))

    async def taken_over(self, *statuses: str) -> None:
        """The leases lapse, another sender does what is left, and the first person's text becomes one of these."""
        await self.world.pool.execute(LAPSE)
        await self.world.join(NOBODY, "P")
        with self.worker() as worker:
            await self.becomes("sent", "delivered", person=NOBODY)
            await until(self.world.pool, ALL_ENDED)
            await self.becomes(*statuses)
            assert (await asyncio.to_thread(worker.stop))[0] == 0
            assert "Traceback" not in worker.said
        await self.all_is_well()

    async def all_is_well(self) -> None:
        await self.telco.settle()
        findings = await wrong(self.world.pool, self.telco) + await broken(self.world.pool)
        assert not findings, findings


async def report(server: Process, name: str, status: str, person: int = 1) -> None:
    """The telco says what became of its text of that name."""
    form = {"id": name, "status": status, "phoneNumber": phone(person), "networkCode": "63902"}
    assert (await post(_reports_to(server), urlencode(form).encode(), FORM)).status == 200


def _reports_to(server: Process) -> str:
    return f"{server.url}/hooks/africastalking/delivery/{SECRET}"


@contextmanager
def deaf() -> Iterator[str]:
    """The address of a telco that takes nobody's call: the line rings for ever."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
async def senders(world: World, terminal: Terminal) -> AsyncIterator[Senders]:
    """Every status of a text is written down from the beginning."""
    await watch(world.pool)
    async with running(TelcoConfig(api_key="key", report_delay=0)) as telco:
        yield Senders(world, telco, terminal)
