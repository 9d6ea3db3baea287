"""Texts that came while the database was away: on disk, one file each, until it is back."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile

import asyncpg

from db.pool import FAILED
from monitoring.held import Held
from sms.inbound import Inbound, from_json

log = logging.getLogger("zamu.sms")

BROKEN = ".broken"  # set aside for a human, and never in the way
HALF = ".half"  # being written, or left by who died of it
LEFT_SECONDS = 3600  # nobody writes for so long
# What no database takes, today or tomorrow.
REFUSED = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, ValueError, TypeError)


class Spool:
    """A folder. A text is in it whole or not at all, and once however often the provider repeats it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._replaying = asyncio.Lock()

    def check(self) -> None:
        """Raises OSError where a text could not be kept."""
        self._half(b"\n").unlink()

    def held(self) -> Held:
        """What is in it now; it may take its time."""
        waiting = [_written_at(path) for path in self._folder.glob("*.json")]
        broken = sum(1 for _ in self._folder.glob(f"*{BROKEN}"))
        return Held(len(waiting), max(0.0, time.time() - min(waiting)) if waiting else 0.0, broken)

    async def keep(self, message: Inbound) -> None:
        """Raises OSError where the disk refuses; the provider then has to repeat it."""
        came = replace(message, received_at=message.received_at or datetime.now(UTC))
        await asyncio.to_thread(self._write, came)

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
            except REFUSED as error:
                _set_aside(path, error)
                continue
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
        for half in self._folder.glob(f"*{HALF}"):
            if time.time() - _written_at(half) > LEFT_SECONDS:
                half.unlink(missing_ok=True)
        return sorted(self._folder.glob("*.json"), key=_written_at)

    def _write(self, message: Inbound) -> None:
        name = sha256(f"{message.gateway}\0{message.provider_id}".encode()).hexdigest()[:32]
        half = self._half(json.dumps(message.as_json()).encode() + b"\n")
        half.rename(self._folder / f"{name}.json")
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)  # or the name may be lost with the power
        finally:
            os.close(folder)

    def _half(self, content: bytes) -> Path:
        """A file that is written and not yet in the spool; a disk that is full leaves nothing behind."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=self._folder, suffix=HALF, delete=False) as file:
            half = Path(file.name)
            try:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                half.unlink()
                raise
        return half


def _written_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another process was quicker
        return time.time()


def _read(path: Path) -> Inbound | None:
    try:
        return from_json(json.loads(path.read_text()))
    except FileNotFoundError:  # another process was quicker
        return None
    except (OSError, ValueError, TypeError, LookupError) as error:
        _set_aside(path, error)
        return None


def _set_aside(path: Path, error: Exception) -> None:
    log.error("a kept text cannot be read and is set aside: %s (%s)", path.name, type(error).__name__)
    with suppress(FileNotFoundError):  # another process was quicker
        path.rename(path.with_suffix(BROKEN))
