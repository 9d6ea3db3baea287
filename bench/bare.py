"""The yardstick: a bare Starlette handler that does one Redis GET and one SET, and nothing else."""

from __future__ import annotations

import os

import redis.asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

client = redis.asyncio.from_url(os.environ["BENCH_REDIS_URL"])


async def hop(request: Request) -> PlainTextResponse:
    body = await request.body()
    key = b"bare:" + body[:64]
    await client.get(key)
    await client.set(key, body, ex=300)
    return PlainTextResponse("CON Zamu\n1 Join a line\n2 My place in line\n3 Help\n4 Language")


app = Starlette(routes=[Route("/hop", hop, methods=["POST"])])
