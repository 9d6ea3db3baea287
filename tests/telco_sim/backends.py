# ruff: noqa: ARG001 - one signature for all
"""An application that every dialect can talk to: it greets, repeats what was typed, and ends at 9."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

Said = dict[str, Any]


@dataclass(frozen=True)
class Heard:
    """One request: `said` is its JSON object, its form or its query."""

    dialect: str
    method: str
    tail: str
    said: Said


def hubtel(said: Said, text: str, *, going_on: bool, tail: str) -> Response:
    return JSONResponse({"Type": "Response" if going_on else "Release", "Message": text, "ClientState": f"at {text}"})


def nalo(said: Said, text: str, *, going_on: bool, tail: str) -> Response:
    return JSONResponse({"USERID": said["USERID"], "MSISDN": said["MSISDN"], "MSG": text, "MSGTYPE": going_on})


def arkesel(said: Said, text: str, *, going_on: bool, tail: str) -> Response:
    echoed = {name: said[name] for name in ("sessionID", "userID", "msisdn")}
    return JSONResponse({**echoed, "message": text, "continueSession": going_on})


def beem(said: Said, text: str, *, going_on: bool, tail: str) -> Response:
    echoed = {name: said[name] for name in ("msisdn", "operator", "session_id")}
    payload = {"request_id": said["payload"]["request_id"] + 1, "request": text}
    return JSONResponse({**echoed, "command": "continue" if going_on else "terminate", "payload": payload})


def infobip(said: Said, text: str, *, going_on: bool, tail: str) -> Response:
    reply = {"responseExitCode": 200, "responseMessage": ""}
    return JSONResponse(reply if tail == "end" else {"shouldClose": not going_on, "ussdMenu": text, **reply})


def mtn(said: Said, text: str, *, going_on: bool, tail: str) -> Response:
    data = {"inboundResponse": text, "userInputRequired": going_on, "messageType": 1 if going_on else 2}
    return JSONResponse({"statusCode": "0000", "statusMessage": "", "transactionId": "t", "data": data})


def prefixed(said: Said, text: str, *, going_on: bool, tail: str) -> Response:
    return PlainTextResponse(f"{'CON' if going_on else 'END'} {text}")


def airtel(said: Said, text: str, *, going_on: bool, tail: str) -> Response:
    return PlainTextResponse(text, headers={"Freeflow": "FC" if going_on else "FB", "charge": "N", "amount": "0"})


ANSWERS: dict[str, Callable[..., Response]] = {
    "africastalking": prefixed,
    "hubtel": hubtel,
    "nalo": nalo,
    "arkesel": arkesel,
    "beem": beem,
    "infobip": infobip,
    "mtn": mtn,
    "safaricom": prefixed,
    "airtel": airtel,
}
INPUTS = ("Message", "USERDATA", "userData", "ussdString", "input")


def typed(said: Said) -> str:
    """The last input in whatever field it came."""
    if "payload" in said:
        return "" if said["command"] == "initiate" else str(said["payload"]["response"])
    if "shortCode" in said:
        return str(said["text"])
    history = said.get("text", said.get("USSD_PARAMS"))
    if history is not None:
        return str(history).rpartition("*")[2]
    words = next(str(said[name]) for name in INPUTS if name in said)
    return "" if words.startswith(("*", "384")) else words


@dataclass
class Backend:
    """Paths are /<dialect>; `wrong` are answers that a test puts in the place of the right ones."""

    heard: list[Heard] = field(default_factory=list)
    wrong: dict[str, Response] = field(default_factory=dict)
    arrival: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        body = (await request.body()).decode()
        _, dialect, *rest = request.url.path.split("/")
        said = (
            json.loads(body) if body[:1] == "{" else dict(parse_qsl(body or request.url.query, keep_blank_values=True))
        )
        async with self.arrival:
            self.heard.append(Heard(dialect, request.method, "/".join(rest), said))
            self.arrival.notify_all()
        await self._answer(dialect, said, rest)(scope, receive, send)

    def _answer(self, dialect: str, said: Said, rest: list[str]) -> Response:
        if dialect in self.wrong:
            return self.wrong[dialect]
        if "clean" in said or dialect == "end":
            return PlainTextResponse("")
        key = typed(said)
        text = f"You said {key}" if key else "Welcome"
        return ANSWERS[dialect](said, text, going_on=key != "9", tail=rest[-1] if rest else "")

    async def hear(self, number: int) -> Heard:
        """Return the `number`th request once it has come."""
        async with asyncio.timeout(10), self.arrival:
            await self.arrival.wait_for(lambda: len(self.heard) >= number)
        return self.heard[number - 1]
