"""Everything the telco posts to the application, and the tasks that do it in the background."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar
from urllib.parse import quote_plus

import httptools

from telco_sim import exchange
from telco_sim.exchange import Answer

T = TypeVar("T")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Callbacks:
    """Nothing that the application does, or fails to do, raises here."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def background(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start work that nobody awaits; `settle` waits for it and `stop` cancels it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def post(
        self,
        url: str,
        form: str,
        *,
        seconds: float,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Post an encoded form and wait `seconds` in all, connecting included."""
        return await self.send("POST", url, form.encode(), seconds=seconds, headers={**(headers or {}), **FORM})

    async def send(self, method: str, url: str, body: bytes, *, seconds: float, headers: Mapping[str, str]) -> Answer:
        """Send anything and wait `seconds` in all, connecting included."""
        task = self.background(_send(method, url, body, headers))
        done, _ = await asyncio.wait({task}, timeout=seconds)
        if not done:
            task.cancel()
            return Answer(0, error=f"The application did not answer within {seconds:g} s.")
        if task.cancelled():
            return Answer(0, error="The telco is stopping.")
        return task.result()

    async def settle(self) -> None:
        """Wait until no callback is under way and none is due."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    def stop(self) -> None:
        """Cancel what is under way; those who wait get an answer that says so."""
        for task in set(self._tasks):
            task.cancel()

    async def aclose(self) -> None:
        """Stop for good: what was cancelled may start one last callback, which ends too."""
        while self._tasks:
            self.stop()
            await asyncio.wait(set(self._tasks))


def encode_form(fields: Mapping[str, str], *, bare_star: bool = False) -> str:
    """Encode as Python and PHP do (`*` is `%2A`), or as JavaScript and Java do (`*` stays)."""
    safe = "*" if bare_star else ""
    return "&".join(f"{name}={quote_plus(value, safe=safe)}" for name, value in fields.items())


async def _send(method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    # No sentence names the address: it holds the application's secret.
    try:
        return await exchange.send(method, url, body, headers)
    except ConnectionRefusedError:
        return Answer(0, error="The application is not running: the connection was refused.", refused=True)
    except (OSError, httptools.HttpParserError) as error:
        return Answer(0, error=f"The application gave no usable answer ({type(error).__name__}).")
    except ValueError:
        return Answer(0, error="The telco has no usable address of the application.")
