"""A process with too much in hand says so at once: a short honest answer instead of a queue that grows for ever."""

from __future__ import annotations

import logging
import re
import time
from dataclasses import dataclass
from typing import Final

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from monitoring.metrics import LIMITS

# Two cores answer a thousand requests within a second, and who waits for longer has hung up.
MOST: Final = 1000
# What is told to be busy costs next to nothing, but it may send its body slowly.
MOST_OF_ALL: Final = 2 * MOST
RETRY_SECONDS: Final = "5"
LOG_SECONDS: Final = 10.0
NEVER: Final = frozenset({"/healthz", "/readyz", "/metrics"})  # who asks there has to see through it
CALLERS: Final = re.compile(r"/hooks/[^/]+/ussd/.|/ussd/inbound$")
WORDS: Final = "We have too much to do at this moment. Nothing was changed. Please try again in a few seconds.\n"

log = logging.getLogger("zamu")


@dataclass(slots=True)
class Crowd:
    """How many requests of this process wait for their answer."""

    now: int = 0


class Overload:
    """Middleware. A caller's request goes on with `overloaded` in its scope: only the gateway's own words reach him.

    All else is refused with 503, which makes providers of texts send it again.
    """

    def __init__(self, app: ASGIApp, crowd: Crowd, most: int = MOST, most_of_all: int = MOST_OF_ALL) -> None:
        self.app = app
        self._crowd = crowd
        self._most = most
        self._most_of_all = most_of_all
        self._refused = 0
        self._said_at = float("-inf")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in NEVER:
            await self.app(scope, receive, send)
            return
        if self._crowd.now >= self._most:
            self._count()
            if self._crowd.now >= self._most_of_all or not CALLERS.match(scope["path"]):
                await PlainTextResponse(WORDS, 503, {"retry-after": RETRY_SECONDS})(scope, receive, send)
                return
            scope["overloaded"] = True
        self._crowd.now += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._crowd.now -= 1

    def _count(self) -> None:
        LIMITS.labels("requests").inc()
        self._refused += 1
        now = time.monotonic()
        if now - self._said_at > LOG_SECONDS:
            log.warning(
                "too much to do: %s requests in hand, %s refused since this was said", self._most, self._refused
            )
            self._refused, self._said_at = 0, now
