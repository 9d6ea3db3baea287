"""How processes tell each other that a line changed: at once in this one, through Redis in the others."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import uuid4

import redis.asyncio
from redis.exceptions import RedisError

from db.pool import connect
from queue_core.core import Core

CHANGES = "zamu:changes"
PUBLISH_SECONDS = 1.0  # a Redis that hangs must not hold up what changes next


class Announcer:
    """Says that a line changed, and hears it from others; `listeners` are called with the queue's id.

    What comes while a message is on its way leaves with the next one, so a thousand joins are a few messages. A lost
    one costs nothing but time: whoever listens also looks by itself every two seconds.
    """

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self.listeners: list[Callable[[str], None]] = []
        self._client = client
        self._name = uuid4().hex  # so that a process does not hear itself
        self._changed: set[str] = set()
        self._something = asyncio.Event()

    def __call__(self, queue_id: str) -> None:
        self._changed.add(queue_id)
        self._something.set()
        self._tell(queue_id)

    async def run(self) -> None:
        while True:
            await self._something.wait()
            await self.publish()

    async def publish(self) -> None:
        self._something.clear()
        changed, self._changed = self._changed, set()
        with contextlib.suppress(RedisError, OSError):
            async with asyncio.timeout(PUBLISH_SECONDS):
                for queue_id in changed:
                    await self._client.publish(CHANGES, f"{self._name} {queue_id}")

    async def listen(self, client: redis.asyncio.Redis) -> None:
        """Hear the others, for ever; a Redis that is away is asked again every second. The client is not shared."""
        while True:
            with contextlib.suppress(RedisError, OSError):
                async with client.pubsub(ignore_subscribe_messages=True) as channel:
                    await channel.subscribe(CHANGES)
                    async for message in channel.listen():
                        self._hear(message["data"].decode())
            await asyncio.sleep(1)

    def _hear(self, words: str) -> None:
        who, _, queue_id = words.rpartition(" ")
        if who != self._name:
            self._tell(queue_id)

    def _tell(self, queue_id: str) -> None:
        for listener in self.listeners:
            listener(queue_id)


@asynccontextmanager
async def announcing_core(database_url: str, redis_url: str) -> AsyncIterator[Core]:
    """The core for a command: two connections, and its changes are told to the running servers."""
    pool = await connect(database_url, size=2)
    client = redis.asyncio.from_url(redis_url, socket_connect_timeout=1, socket_timeout=1)
    announcer = Announcer(client)
    try:
        yield Core(pool, announcer)
        await announcer.publish()
    finally:
        await client.aclose()
        await pool.close()
