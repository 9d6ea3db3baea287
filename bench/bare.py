"""The yardsticks: bare Starlette handlers: a Redis GET and SET, a PostgreSQL insert, a Jinja2 page, and no more."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator

import asyncpg
import redis.asyncio
from jinja2 import Environment
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route

client = redis.asyncio.from_url(os.environ["BENCH_REDIS_URL"])

TEMPLATE = Environment(autoescape=True).from_string(
    "<!doctype html><title>People</title><h1>People</h1><ol>"
    "{% for person in people %}<li><a href='/{{ person.id }}'>{{ person.name }}</a> waits</li>{% endfor %}</ol>"
)
PEOPLE = [{"id": number, "name": f"Person {number}"} for number in range(20)]


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


async def page(_request: Request) -> HTMLResponse:
    return HTMLResponse(TEMPLATE.render(people=PEOPLE))


@contextlib.asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, object]]:
    async with asyncpg.create_pool(os.environ["BENCH_DATABASE_URL"], max_size=10) as pool:
        await pool.execute("create table if not exists bench_texts (id bigserial primary key, body text not null)")
        yield {"pool": pool}


app = Starlette(
    routes=[
        Route("/hop", hop, methods=["POST"]),
        Route("/insert", insert, methods=["POST"]),
        Route("/page", page),
    ],
    lifespan=lifespan,
)
