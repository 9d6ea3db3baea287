"""Texts that came while the database was away: on disk, one file each, until it is back."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path

import asyncpg

from db.pool import FAILED
from sms.inbound import Inbound, from_json

log = logging.getLogger("zamu.sms")

BROKEN = ".broken"  # set aside for a human, and never in the way


class Spool:
    """A folder. A text is in it whole or not at all, and once however often the provider repeats it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._replaying = asyncio.Lock()

    async def keep(self, message: Inbound) -> None:
        """Raises OSError where the disk refuses; the provider then has to repeat it."""
        await asyncio.to_thread(self._write, message)

    async def replay(self, receive: Callable[[Inbound], Awaitable[None]]) -> int:
        """Give every kept text to `receive`, the oldest first. Stops where the database is away again."""
        if self._replaying.locked():
            return 0
        async with self._replaying:
            return await self._replay(receive)

    async def _replay(self, receive: Callable[[Inbound], Awaitable[None]]) -> int:
        done = 0
        for path in await asyncio.to_thread(self._oldest_first):
            message = await asyncio.to_thread(_read, path)
            if message is None:
                continue
            try:
                await receive(message)
            except asyncpg.PostgresError as error:  # it answers, and may like the next one better
                log.warning("a kept text could not be handled: %s (%s)", path.name, type(error).__name__)
                continue
            except FAILED:
                return done
            await asyncio.to_thread(path.unlink, missing_ok=True)
            done += 1
        if done:
            log.info("%s texts that came while the database was away were handled", done)
        return done

    def _oldest_first(self) -> list[Path]:
        if not self._folder.is_dir():
            return []
        return sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)

    def _write(self, message: Inbound) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = sha256(f"{message.gateway}\0{message.provider_id}".encode()).hexdigest()[:32]
        half = self._folder / f"{name}.{os.getpid()}.half"
        with half.open("w") as file:
            file.write(json.dumps(message.as_json()) + "\n")
            file.flush()
            os.fsync(file.fileno())
        half.rename(self._folder / f"{name}.json")
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)  # or the name may be lost with the power
        finally:
            os.close(folder)


def _read(path: Path) -> Inbound | None:
    try:
        return from_json(json.loads(path.read_text()))
    except FileNotFoundError:  # another process was quicker
        return None
    except (OSError, ValueError, TypeError, LookupError) as error:
        log.warning("a kept text cannot be read and is set aside: %s (%s)", path.name, type(error).__name__)
        path.rename(path.with_suffix(BROKEN))
        return None
