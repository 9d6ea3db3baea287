"""What a load balancer asks: is the process alive, and can it serve."""

from __future__ import annotations

import asyncio
import contextlib

from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from db.pool import FAILED

SECONDS = 1.0


async def healthz(_request: Request) -> JSONResponse:
    """The process runs its loop; nothing behind it is asked."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> JSONResponse:
    """Answer 503 without a database that can be written to.

    Redis is named but not needed: without it sessions come from PostgreSQL, and taking every server out of service
    would be the greater fault.
    """
    database, redis = await asyncio.gather(_database(request), _redis(request))
    ready = database == "ok"
    body = {"status": "ok" if ready else "not ready", "database": database, "redis": redis}
    return JSONResponse(body, status_code=200 if ready else 503)


async def _database(request: Request) -> str:
    with contextlib.suppress(*FAILED):
        async with asyncio.timeout(SECONDS):
            read_only: str = await request.state.pool.fetchval("show transaction_read_only")
            return "ok" if read_only == "off" else "read-only"
    return "away"


async def _redis(request: Request) -> str:
    with contextlib.suppress(RedisError, OSError):
        async with asyncio.timeout(SECONDS):
            await request.state.redis.ping()
            return "ok"
    return "away"


routes = [Route("/healthz", healthz), Route("/readyz", readyz)]
