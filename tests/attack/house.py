"""A house under attack: real processes, real stores and a telco, and how to see from outside what an attack did."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlencode
from uuid import uuid4

import httpx

from telco_sim.exchange import Answer, send
from telco_sim.testing import RunningTelco
from tests.staff_web.browsing import Browser
from tests.staff_web.conftest import HOME, PASSWORD
from tests.terminal import SECRET, Process, Terminal
from tests.world import World

Thing = TypeVar("Thing")
ENDED = "select not exists (select from notifications where status in ('queued', 'sending'))"
HOST = HOME.removeprefix("https://")
AT_SMS = f"/hooks/africastalking/sms/{SECRET}"
AT_USSD = f"/hooks/africastalking/ussd/{SECRET}"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PAGE = 4096
TLS = ssl.create_default_context()  # nobody uses it here, and each client would make one of its own
LONG = 600.0  # seconds, for ten thousand texts
SILENCE = 2.0  # seconds until what was not answered never will be

# What no attack may move: who is where in which line, who works here and how, who was told what.
STATE = """
select md5(string_agg(part, '|' order by part)) from (
    select id || status || version || coalesce(phone, '') || coalesce(name, '') from tickets
    union all select id || status || name || code from queues
    union all select id || name || branch_id from counters
    union all select counter_id::text || queue_id from counter_queues
    union all select id || name || code from branches
    union all select id || name from organizations
    union all select id || login || name || role || coalesce(branch_id::text, '') || active || password_hash
                     || must_change_password || totp_on from staff
    union all select phone || staff_id || coalesce(pin_hash, '') || coalesce(blocked_at::text, '') from staff_phones
    union all select phone || coalesce(opted_out_at::text, '') from customers
    union all select id || coalesce(phone, '') || template from notifications
    union all select id::text || action from audit_log
) as every (part)
"""
WORDS_FOR_PHONE = re.compile(r"\+?254711\d{6}\b")


@dataclass(slots=True)
class House:
    """`many`: as often as an attacker would, and not only so that the script cannot rot. `secrets` are in no log."""

    world: World
    server: Process
    telco: RunningTelco
    many: bool
    stack: AsyncExitStack
    terminal: Terminal
    worker: Process | None = None
    secrets: set[str] = field(default_factory=set)
    noted: list[str] = field(default_factory=list)
    _ids: Iterator[int] = field(default_factory=lambda: count(1))

    def times(self, many: int, few: int) -> int:
        return many if self.many else few

    @property
    def port(self) -> int:
        return int(self.server.url.rpartition(":")[2])

    async def state(self) -> str:
        """Another one as soon as anything that matters is another."""
        found: str = await self.world.pool.fetchval(STATE)
        return found

    @asynccontextmanager
    async def unmoved(self) -> AsyncIterator[None]:
        """Nothing changed, nobody called, no text written or sent."""
        before, texts = await self.state(), len(self.telco.ledger.of("sms.message"))
        yield
        assert await self.state() == before
        assert len(self.telco.ledger.of("sms.message")) == texts

    async def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """One request on a connection of its own."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await send(method, self.server.url + path, body, named)

    async def post_form(self, path: str, fields: dict[str, str], **headers: str) -> Answer:
        return await self.ask("POST", path, urlencode(fields).encode(), Content_Type=FORM["Content-Type"], **headers)

    async def text(self, number: str, words: str) -> Answer:
        """A text in somebody's name, by whoever knows the secret."""
        fields = {"id": f"forged-{next(self._ids)}", "from": number, "to": "20880", "text": words, "linkId": ""}
        return await self.post_form(AT_SMS, fields)

    async def dial(self, number: str, keys: str = "", session: str = "") -> str:
        """What a caller of that number sees, all keys at once."""
        fields = {"phoneNumber": number, "serviceCode": "*384*40#", "networkCode": "63902", "text": keys}
        answer = await self.post_form(AT_USSD, fields | {"sessionId": session or uuid4().hex})
        words = answer.body.decode()
        assert answer.status == httpx.codes.OK, words
        assert words.startswith(("CON ", "END ")), words
        return words

    async def told(self, number: str) -> list[str]:
        """The templates of the texts to a number."""
        rows = await self.world.pool.fetch(
            "select template from notifications where phone = $1 order by created_at, id", number
        )
        return [row["template"] for row in rows]

    def browser(self, address: str = "192.0.2.1") -> Browser:
        """A browser at the public address, behind a proxy on this machine that says whose it is."""
        headers = {"x-forwarded-for": address, "x-forwarded-proto": "https"}
        client = httpx.AsyncClient(transport=_Here(self.port), base_url=HOME, headers=headers, timeout=60)
        self.stack.push_async_callback(client.aclose)
        return Browser(client)

    async def member(self, login: str, address: str = "192.0.2.1") -> Browser:
        """Somebody who is logged in."""
        opened = self.browser(address)
        answer = await opened.log_in(login, PASSWORD)
        assert answer.status_code == httpx.codes.SEE_OTHER, answer.text
        self.secrets |= {value for name, value in opened.client.cookies.items() if name == "__Host-zamu"}
        self.secrets.add(opened.csrf)
        return opened

    async def wire(self, sent: bytes) -> bytes:
        """What is answered to these very bytes, until the server hangs up or says nothing more."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**20)
        answer = b""
        try:
            writer.write(sent)
            await writer.drain()
            while data := await asyncio.wait_for(reader.read(65536), SILENCE):
                answer += data
        except (OSError, TimeoutError):
            pass
        finally:
            writer.close()
        return answer

    async def all_sent(self) -> None:
        """Texts go out from now on, and so did all that there were."""
        if self.worker is None:
            self.worker = self.stack.enter_context(self.terminal.running("worker"))
        async with asyncio.timeout(LONG):
            while not await self.world.pool.fetchval(ENDED):  # noqa: ASYNC110 - a row wakes nobody
                await asyncio.sleep(0.2)
        await self.telco.settle()

    def some(self, things: Sequence[Thing], every: int = 7) -> Sequence[Thing]:
        """All of them, or a few."""
        return things if self.many else things[::every]

    def resident(self) -> int:
        """Bytes of all processes of the server."""
        return sum(int(Path(f"/proc/{one}/statm").read_text().split()[1]) * PAGE for one in _family(self.server))

    def check_logs(self) -> None:
        """F74: each line is one JSON object, no line is a fault of ours, and none has a secret or a whole phone."""
        self._check(self.server.said)
        self._check(self.worker.said if self.worker else "")

    def _check(self, said: str) -> None:
        lines = [line for line in said.splitlines() if line]
        logged = lines[next((at for at, line in enumerate(lines) if line.startswith("{")), len(lines)) :]
        for line in logged:
            made = json.loads(line)
            assert isinstance(made, dict), line
            assert "error" not in made, made["error"][-900:]
        assert "Traceback" not in said
        told = [secret for secret in self.secrets if re.search(rf"(?<!\w){re.escape(secret)}(?!\w)", said)]
        assert told == [], told  # not within a longer word: six digits may stand in an id by chance
        assert WORDS_FOR_PHONE.findall(said) == []


class _Here(httpx.AsyncBaseTransport):
    """The public name, at a port of this machine."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._inner = httpx.AsyncHTTPTransport(verify=TLS)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._port)
        here = httpx.Request(request.method, url, headers=request.headers, stream=request.stream)
        here.extensions = request.extensions
        return await self._inner.handle_async_request(here)

    async def aclose(self) -> None:
        await self._inner.aclose()


def _family(server: Process) -> list[int]:
    found = [server.process.pid]
    for one in found:
        for task in Path(f"/proc/{one}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found
