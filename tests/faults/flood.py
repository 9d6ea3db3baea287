"""Everybody at once, again and again: callers, texts, reports, pages, log-ins, sockets; and what each was answered.

`python -m tests.faults.flood URL REQUESTS AT_ONCE FIRST` is a process of its own, which prints that as JSON: one that
has other things to do would be slower than what it floods. FIRST is the first person's number.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import random
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import uvloop
import websockets

from telco_sim.exchange import Answer, send
from tests.terminal import SECRET
from ussd.request import SORRY

AT = f"/hooks/africastalking/{{}}/{SECRET}"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
KINDS = {"caller": 66, "text": 12, "report": 10, "page": 6, "stranger": 4, "log-in": 1, "socket": 1}
WORDS = ("STATUS", "JOIN 4071", "LEAVE", "LATE 10", "habari yako", "HELP", "NEXT DOC 123456")
COMES = 0.001  # seconds until the next one
LOST = "lost"  # the connection broke: whose machine is so busy that ten seconds are nothing is cut off
LINGER = 0.5  # seconds, at most, that a socket stays
CSRF = re.compile(r'name="csrf" value="([^"]+)"')


@dataclass(slots=True)
class Flood:
    """`said` counts answers by who asked: by status, or `busy` where they were put off. `wrong` shows what is neither.

    `door` and `csrf` are what a log-in brings along.
    """

    url: str
    door: dict[str, str]
    csrf: str
    said: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    async def pour(self, requests: int, at_once: int, first: int) -> None:
        """So many requests, so many of them at a time once all have come."""
        people = itertools.count(first)
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(self._one_after_the_other(requests, people))
                await asyncio.sleep(COMES)  # a thousand connections in one instant would be the kernel's to refuse

    async def _one_after_the_other(self, requests: int, people: Iterator[int]) -> None:
        while self.said.total() < requests:
            (kind,) = random.choices(list(KINDS), list(KINDS.values()))
            try:
                await getattr(self, f"_{kind.replace('-', '')}")(next(people))
            except (OSError, websockets.WebSocketException):
                self.said[kind, LOST] += 1

    async def _caller(self, person: int) -> None:
        """Somebody new dials, looks at the lines, and may ask for a place."""
        typed = ["4071"]
        for key in ("1", random.choice("12"), ""):
            form = {
                "sessionId": f"flood-{person}",
                "phoneNumber": _phone(person),
                "networkCode": "63902",
                "serviceCode": "*384*40#",
                "text": "*".join(typed),
            }
            answer = await self._post(AT.format("ussd"), form)
            body = answer.body.decode()
            busy = _put_off(answer) or SORRY in body
            self._note("caller", answer, {200}, busy=busy, right=body.startswith(("CON ", "END ")))
            if busy or not body.startswith("CON "):
                return
            typed.append(key)

    async def _text(self, person: int) -> None:
        form = {
            "from": _phone(person),
            "to": "21512",
            "text": random.choice(WORDS),
            "date": "2026-05-03 06:05:00",
            "id": f"flood-{person}",
            "linkId": "",
            "networkCode": "63902",
        }
        self._note("text", await self._post(AT.format("sms"), form), {200})

    async def _report(self, person: int) -> None:
        form = {"id": f"flood-{person}", "status": "Success", "phoneNumber": _phone(person), "networkCode": "63902"}
        self._note("report", await self._post(AT.format("delivery"), form), {200})

    async def _page(self, person: int) -> None:
        path = random.choice(("/display/4071", "/staff/login", "/staff/desk", f"/display/{person % 10_000:04}"))
        self._note("page", await send("GET", self.url + path, b"", {}), {200, 303, 404})

    async def _stranger(self, person: int) -> None:
        path = random.choice((f"/nowhere/{person}", f"/hooks/africastalking/ussd/not-the-secret-{person}"))
        self._note("stranger", await self._post(path, {}), {404})

    async def _login(self, person: int) -> None:
        """A password that is wrong, each time from another address."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.door.items())
        address = f"198.{51 + person // 65536 % 100}.{person // 256 % 256}.{person % 256}"
        form = {"login": f"clerk{person}", "password": "not this one", "csrf": self.csrf}
        answer = await self._post("/staff/login", form, {"Cookie": cookies, "X-Forwarded-For": address})
        self._note("log-in", answer, {422})

    async def _socket(self, person: int) -> None:
        """A board that follows a branch for a moment. Half of them break off without a word."""
        try:
            origin = websockets.Origin(self.url)
            socket = await websockets.connect(self._ws, origin=origin, proxy=None, open_timeout=None)
        except websockets.InvalidStatus as refused:
            self.said["socket", f"refused {refused.response.status_code}"] += 1
            return
        await socket.send(json.dumps({"type": "subscribe", "to": "branch:4071"}))
        self.said["socket", json.loads(await socket.recv())["type"]] += 1
        await asyncio.sleep(random.uniform(0, LINGER))
        if person % 2:
            socket.transport.abort()
        await socket.close()

    @property
    def _ws(self) -> str:
        return f"ws://{urlsplit(self.url).netloc}/ws"

    async def _post(self, path: str, form: dict[str, Any], headers: dict[str, str] | None = None) -> Answer:
        return await send("POST", self.url + path, urlencode(form).encode(), {**FORM, **(headers or {})})

    def _note(self, kind: str, answer: Answer, right_ones: set[int], *, busy: bool = False, right: bool = True) -> None:
        busy = busy or _put_off(answer)
        self.said[kind, "busy" if busy else str(answer.status)] += 1
        if not busy and not (right and answer.status in right_ones):
            self.wrong.append(f"{kind}: {answer.status} {answer.body[:200]!r}")


def _put_off(answer: Answer) -> bool:
    return answer.status == httpx.codes.SERVICE_UNAVAILABLE and "retry-after" in answer.headers


def _phone(person: int) -> str:
    return f"+2547{person:08}"


async def _main(url: str, requests: str, at_once: str, first: str) -> None:
    flood = await _begin(url)
    gc.freeze()
    await flood.pour(int(requests), int(at_once), int(first))
    said = [[kind, words, times] for (kind, words), times in flood.said.items()]
    sys.stdout.write(json.dumps({"said": said, "wrong": flood.wrong}))


async def _begin(url: str) -> Flood:
    """Through the door of the panel once, as every log-in needs."""
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        page = await client.get("/staff/login")
        found = CSRF.search(page.text)
        assert found, page.text
        return Flood(url, dict(client.cookies), found[1])


if __name__ == "__main__":
    uvloop.run(_main(*sys.argv[1:]))
