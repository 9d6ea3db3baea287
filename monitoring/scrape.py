"""`/metrics`, for Prometheus: what this machine's processes counted, and what the stores say."""

from __future__ import annotations

import asyncio
import hmac
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from monitoring import folder
from monitoring.metrics import REGISTRY
from monitoring.stores import Samples

LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})
# With any of these a proxy on this machine speaks for somebody else.
FORWARDED: Final = ("x-forwarded-for", "x-forwarded-host", "x-real-ip", "forwarded", "via")
NOT_FOUND: Final = "Not Found"  # the words of any other 404


def routes(token: str | None) -> list[Route]:
    """Whoever asks from this machine itself is answered, and who has the token."""

    async def metrics(request: Request) -> Response:
        if not (_is_local(request) or _has(token, request)):
            raise HTTPException(404, NOT_FOUND)
        samples = await request.state.stores.look()
        # Many processes make many files; meanwhile callers are to be answered.
        text = await asyncio.to_thread(exposition, samples)
        return Response(text, media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return [Route("/metrics", metrics)]


def exposition(samples: Samples) -> bytes:
    """All in Prometheus's words."""
    asked = CollectorRegistry()
    asked.register(samples)
    place = folder.shared()
    return generate_latest(_counted(place) if place else REGISTRY) + generate_latest(asked)


def _counted(place: Path) -> CollectorRegistry:
    folder.bury(place)
    counted = CollectorRegistry()
    MultiProcessCollector(counted, str(place))  # type: ignore[no-untyped-call]
    return counted


def _is_local(request: Request) -> bool:
    is_direct = not any(name in request.headers for name in FORWARDED)
    return is_direct and request.client is not None and request.client.host in LOOPBACK


def _has(token: str | None, request: Request) -> bool:
    given = request.headers.get("authorization", "")
    return token is not None and hmac.compare_digest(given.encode(), f"Bearer {token}".encode())
