"""A crowd dials and a clerk calls while web processes are killed in turn and both stores start anew."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from db.pool import connect
from telco_sim.audit import DEADLINE_SECONDS
from telco_sim.config import TelcoConfig
from telco_sim.ledger import Ledger, Row
from telco_sim.testing import RunningTelco, running
from tests.deploy.proxy import MISSING, NGINX, before
from tests.disturbing import until
from tests.faults import ledger
from tests.faults.conftest import Cellar, dug
from tests.faults.healing import hangs_after
from tests.faults.senders import ALL_ENDED
from tests.invariants import Answer, broken
from tests.members import PASSWORD, choose_passwords
from tests.story.town import free_port
from tests.terminal import SECRET, Process, Terminal, outside

pytestmark = [pytest.mark.long, pytest.mark.skipif(NGINX is None, reason=MISSING)]

WEB, WORKERS = 3, 2
SECONDS, RATE, CALLS = 75, 12, 1
LONGEST = SECONDS + 75  # until the last caller has hung up, and whoever was called has his text
BETWEEN_KILLS, DEAD_FOR = 10.0, 1.0
MOST_OF_THEM = 0.95
SHORT_CODE = "20880"
JOINED = re.compile(r"Your number is ([A-Z]\d{3,4})\b")
HEARD = r"(?:number is |already have |^(?:CON |END )?)([A-Z]\d{3,4})\b"  # also when he asks what became of his join


@dataclass(slots=True)
class House:
    """What an operator has: web processes behind nginx at `url`, and workers beside them."""

    cellar: Cellar
    terminal: Terminal
    ports: list[int]
    url: str
    stack: ExitStack
    webs: list[Process] = field(default_factory=list)
    kills: int = 0

    def open(self) -> None:
        for _ in range(WORKERS):
            self.stack.enter_context(self.terminal.running("worker"))
        self.webs = [self._web(port) for port in self.ports]
        for web in self.webs:
            web.wait_for("Application startup complete.")

    def _web(self, port: int) -> Process:
        return self.stack.enter_context(self.terminal.running("serve", "--port", str(port)))

    async def kill_in_turn(self) -> None:
        """One after the other, for ever; whoever supervises it starts it again."""
        for turn in cycle(range(WEB)):
            await asyncio.sleep(BETWEEN_KILLS - DEAD_FOR)
            await asyncio.to_thread(self.webs[turn].kill)
            self.kills += 1
            await asyncio.sleep(DEAD_FOR)
            self.webs[turn] = self._web(self.ports[turn])

    async def empty_and_restart(self) -> None:
        """Redis is emptied, PostgreSQL is restarted, Redis is killed, at even distances."""
        await asyncio.sleep(SECONDS / 4)
        await self.cellar.empty_valkey()
        await asyncio.sleep(SECONDS / 4)
        await self.cellar.stop_postgres(signal.SIGINT)
        await asyncio.to_thread(self.cellar.start, self.cellar.postgres)
        await asyncio.sleep(SECONDS / 4)
        await self.cellar.stop_valkey(signal.SIGKILL)
        await asyncio.to_thread(self.cellar.start, self.cellar.valkey)


@pytest.fixture
def house(quick_place: Path | None, tmp_path: Path) -> Iterator[House]:
    """With stores of its own, since everybody in line is called, and all texts are sent."""
    (tmp_path / "nginx").mkdir()
    ports = [free_port() for _ in range(WEB)]
    with dug(quick_place) as cellar, before(ports, tmp_path / "nginx") as proxy, ExitStack() as stack:
        url = f"http://127.0.0.1:{proxy.side_port}"
        environ = outside(cellar.urls.database_url, cellar.urls.redis_url) | {"ZAMU_PUBLIC_URL": url}
        yield House(cellar, Terminal(environ, tmp_path), ports, url, stack)


@asynccontextmanager
async def street(house: House) -> AsyncIterator[RunningTelco]:
    """The telco in front of that house, and the gateway of its texts."""
    async with running(TelcoConfig(api_key="key", senders=frozenset({SHORT_CODE}))) as telco:
        hook = f"{house.url}/hooks/africastalking"
        telco.connect(
            ussd_url=f"{hook}/ussd/{SECRET}",
            ussd_end_url=f"{hook}/ussd-end/{SECRET}",
            delivery_url=f"{hook}/delivery/{SECRET}",
            inbound_url=f"{hook}/sms/{SECRET}",
        )
        texts = {"ZAMU_AT_BASE_URL": telco.url, "ZAMU_AT_API_KEY": "key", "ZAMU_AT_SENDER": SHORT_CODE}
        house.terminal.environ.update(texts)
        await asyncio.to_thread(house.open)
        yield telco


async def test_a_crowd_is_served_while_everything_behind_the_proxy_is_killed_in_turn(
    house: House, record_property: Callable[[str, object], None]
) -> None:
    hangs_after(2 * LONGEST)
    database = house.cellar.urls.database_url
    async with await connect(database, size=1) as pool:
        await choose_passwords(pool)
        await ledger.watch(pool)
    async with street(house) as telco:
        report = await _load(house, telco)
        async with await connect(database, size=2) as pool:
            await until(pool, ALL_ENDED)
            await telco.settle()
            findings = await broken(pool, answers=_answers(telco.ledger)) + await ledger.wrong(pool, telco)
    figures = _figures(report, telco.ledger, house.kills)
    record_property("noted", "".join(f"| {name} | {said} |\n" for name, said in figures.items()))
    record_property("times", house.kills)
    assert findings == []
    assert report["success"] > MOST_OF_THEM, figures
    assert {name: number for name, number in report["broken"].items() if number} == {}, figures


async def _load(house: House, telco: RunningTelco) -> dict[str, Any]:
    """The command, from the first call to the last text, and all that is done to us meanwhile."""
    plan = f"--telco {telco.url} --rate {RATE} --seconds {SECONDS} --redials 1 --to {SHORT_CODE}"
    clerk = f"--panel {house.url} --calls {CALLS}"
    words = ["telco", "load", "--json", *plan.split(), *clerk.split(), "--given", HEARD]
    with house.terminal.running(*words, TELCO_CLERK_PASSWORD=PASSWORD) as load:
        trouble = [asyncio.create_task(house.kill_in_turn()), asyncio.create_task(house.empty_and_restart())]
        await asyncio.to_thread(load.process.wait, LONGEST)
        assert not trouble[0].done(), trouble[0]
        trouble[0].cancel()
        await trouble[1]
        report: dict[str, Any] = json.loads(load.said)
        return report


def _replies(book: Ledger) -> Iterator[tuple[Row, Row]]:
    """Each request of a phone, and what it was answered."""
    asked = {(row.data["sessionId"], row.data["hop"]): row for row in book.of("ussd.request")}
    for row in book.of("ussd.reply"):
        yield asked[row.data["sessionId"], row.data["hop"]], row


def _answers(book: Ledger) -> list[Answer]:
    """Everybody who was told a number that he had just got."""
    return [
        Answer(
            f"{reply.data['sessionId']} {reply.data['hop']}",
            "join",
            request.time.timestamp(),
            reply.time.timestamp(),
            "joined",
            phone=reply.phone,
            label=found[1],
        )
        for request, reply in _replies(book)
        if (found := JOINED.search(reply.data["body"]))
    ]


def _figures(report: dict[str, Any], book: Ledger, kills: int) -> dict[str, str]:
    """What the table says of it."""
    waited = [(reply.time - request.time).total_seconds() for request, reply in _replies(book)]
    failed = sum(bool(reply.data["error"]) for _, reply in _replies(book))
    late = sum(seconds > DEADLINE_SECONDS for seconds in waited)
    return {
        "web processes killed": f"{kills}",
        "calls": f"{report['calls']}, {report['calls_per_second']} a second",
        "hold a number": f"{report['success']:.2%}, {report['redialled']} dialled again",
        "hops that failed, or were late": f"{failed + late} of {len(waited)}",
        "longest wait for a screen": f"{max(waited):.1f} s, p99 {report['hop_ms']['p99'] / 1000:.1f} s",
        "longest from number to text": f"{report['number_to_text_ms']['max'] / 1000:.1f} s",
        "longest from call to text": f"{report['call_to_text_ms']['max'] / 1000:.1f} s",
        "promises broken": f"{sum(report['broken'].values())}",
    }
