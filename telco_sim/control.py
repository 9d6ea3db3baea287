"""The handset's line to a telco: its control API, with every failure as a sentence for a person."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

WAIT_SECONDS = 25.0
# Longer than any answer: the gateway gives the application 10 s, an inbox is watched for WAIT_SECONDS.
TIMEOUT = httpx.Timeout(60.0, connect=3.0)


class TelcoGoneError(Exception):
    """No telco answers; the message is the sentence to show."""


class TelcoRefusedError(Exception):
    """The telco understood and refused; the message is its own sentence."""


class Control:
    """Calls of the control API; each returns the JSON object that was answered."""

    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        self._client = client
        self._url = url

    async def health(self) -> dict[str, Any]:
        """Return the code to dial and the network; raises TelcoGoneError when it is no telco that answers."""
        answer = await self._call("GET", "/healthz")
        if answer.get("service") != "telco":
            raise TelcoGoneError(f"What answers at {self._url} is not a telco. Is that the right address?")
        return answer

    async def dial(self, phone: str, code: str, **sim: str) -> dict[str, Any]:
        """Dial; `sim` is the `network` and the `dialect` to which the phone moves first."""
        return await self._call("POST", "/telco/dial", {"phone": phone, "code": code, **sim})

    async def press(self, session: str, keys: str) -> dict[str, Any]:
        return await self._call("POST", "/telco/press", {"session": session, "input": keys})

    async def hang_up(self, session: str) -> dict[str, Any]:
        return await self._call("POST", "/telco/hangup", {"session": session})

    async def text(self, phone: str, to: str, words: str) -> list[dict[str, Any]]:
        """Send a text, and return the status and the error of each time the application got it."""
        answer = await self._call("POST", "/telco/text", {"phone": phone, "to": to, "text": words})
        answers: list[dict[str, Any]] = answer["answers"]
        return answers

    async def power(self, phone: str, *, on: bool) -> None:
        """Switch a phone on or off."""
        await self._call("POST", "/telco/power", {"phone": phone, "on": on})

    async def texts(self, phone: str, after: int, wait: float) -> list[dict[str, Any]]:
        """Return the texts after ledger row `after`; waits up to `wait` seconds for one."""
        answer = await self._call("GET", f"/telco/inbox/{quote(phone, safe='')}?after={after}&wait={wait:g}")
        texts: list[dict[str, Any]] = answer["texts"]
        return texts

    async def set_faults(self, faults: dict[str, Any]) -> None:
        """Replace all faults; an empty object lets everything work again."""
        await self._call("POST", "/telco/faults", faults)

    async def rows(self, after: int, wait: float = 0) -> list[dict[str, Any]]:
        """Return the ledger after row `after`; waits up to `wait` seconds for one."""
        answer = await self._call("GET", f"/telco/ledger?after={after}&wait={wait:g}")
        rows: list[dict[str, Any]] = answer["rows"]
        return rows

    async def last(self) -> int:
        """Return the number of the ledger's last row."""
        setup = await self._call("GET", "/telco/setup")
        return int(setup["last"])

    async def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            reply = await self._client.request(method, self._url + path, json=body)
        except (httpx.HTTPError, httpx.InvalidURL):
            raise _nobody_at(self._url) from None
        answer = _object(reply)
        if reply.is_client_error and "error" in answer:
            raise TelcoRefusedError(answer["error"])
        return answer


def _nobody_at(url: str) -> TelcoGoneError:
    return TelcoGoneError(f"No telco answers at {url}. Is `make run` going in another terminal?")


def _object(reply: httpx.Response) -> dict[str, Any]:
    """Return the JSON object of a reply, an empty one when it is anything else."""
    try:
        answer = reply.json()
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


@asynccontextmanager
async def line_to(url: str) -> AsyncIterator[Control]:
    """Open the line; nothing is sent yet. Raises TelcoGoneError for an address that cannot be one."""
    try:
        _ = urlsplit(url).port
    except ValueError:
        raise _nobody_at(url) from None
    async with httpx.AsyncClient(timeout=TIMEOUT, trust_env=False) as client:
        yield Control(client, url.rstrip("/"))
