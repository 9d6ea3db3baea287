"""Many small writes as one: what comes while a batch is under way leaves with the next."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

log = logging.getLogger("zamu.ussd")

T = TypeVar("T")

APART_SECONDS = 0.01  # nobody notices, and under load it makes one write of many


class Batches(Generic[T]):
    """`write` is given items and says of each whether it was kept."""

    def __init__(self, write: Callable[[list[T]], Awaitable[list[bool]]]) -> None:
        self._write = write
        self._waiting: list[tuple[T, asyncio.Future[bool]]] = []
        self._writer: asyncio.Task[None] | None = None

    def add(self, item: T) -> asyncio.Future[bool]:
        """Whether it was kept, once its batch is through."""
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._writer is None:
            self._writer = asyncio.create_task(self._run())
        return done

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                await self._write_batch(batch)
                if len(batch) > 1:
                    await asyncio.sleep(APART_SECONDS)
        finally:
            self._writer = None

    async def _write_batch(self, batch: list[tuple[T, asyncio.Future[bool]]]) -> None:
        kept = [False] * len(batch)
        try:
            kept = await self._write([item for item, _ in batch])
        except Exception:  # a fault of ours, but many people wait
            log.exception("a batch of sessions was not written")
        for (_, done), result in zip(batch, kept, strict=True):
            if not done.done():
                done.set_result(result)
