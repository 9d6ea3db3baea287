"""The yardsticks: bare Starlette handlers, one with a Redis GET and SET, one with a PostgreSQL insert, and no more."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator

import asyncpg
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


async def insert(request: Request) -> PlainTextResponse:
    body = await request.body()
    await request.state.pool.execute("insert into bench_texts (body) values ($1)", body.decode())
    return PlainTextResponse("")


@contextlib.asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, object]]:
    async with asyncpg.create_pool(os.environ["BENCH_DATABASE_URL"], max_size=10) as pool:
        await pool.execute("create table if not exists bench_texts (id bigserial primary key, body text not null)")
        yield {"pool": pool}


app = Starlette(
    routes=[Route("/hop", hop, methods=["POST"]), Route("/insert", insert, methods=["POST"])], lifespan=lifespan
)
