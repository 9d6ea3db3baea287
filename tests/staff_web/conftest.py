"""The real application on the demo world, and people of it who are logged in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

import settings as settings_module
from app import create_app
from db import embedded
from queue_core.hashing import hash_of
from tests.staff_web.browsing import Browser
from tests.terminal import database, outside
from tests.world import World, own_world, seeded

__all__ = ["database", "seeded"]

HOME = "https://queue.example.org"
PASSWORD = "a-password-that-all-of-them-chose"

Open = Callable[..., Browser]
Staff = Callable[[str], Awaitable[Browser]]


@pytest.fixture(scope="session")
def hashed() -> str:
    return asyncio.run(hash_of(PASSWORD))


@pytest.fixture
async def world(seeded: embedded.Servers, hashed: str) -> AsyncIterator[World]:
    """The demo world, where everybody has changed the first password to the same one."""
    async with own_world(seeded) as world:
        await world.pool.execute("update staff set password_hash = $1, must_change_password = false", hashed)
        yield world


@pytest.fixture
async def site(database: str, redis_url: str, tmp_path: Path) -> AsyncIterator[ASGIApp]:
    """The whole application, running, as an ASGI server hands requests to it."""
    environ = outside(database, redis_url) | {"ZAMU_DATA_DIR": str(tmp_path), "ZAMU_PUBLIC_URL": HOME}
    app = create_app(settings_module.load(environ))
    async with app.router.lifespan_context(app) as state:
        yield _handing(app, dict(state or {}))


@pytest.fixture
async def browser(site: ASGIApp) -> AsyncIterator[Open]:
    """New browsers, in which nobody is logged in; `address` is where such a one asks from."""
    async with AsyncExitStack() as stack:

        def opened(address: str = "192.0.2.1") -> Browser:
            client = httpx.AsyncClient(transport=httpx.ASGITransport(site, client=(address, 40_000)), base_url=HOME)
            stack.push_async_callback(client.aclose)
            return Browser(client)

        yield opened


@pytest.fixture
async def staff(world: World, browser: Open) -> Staff:  # noqa: ARG001 - whose passwords are known by then
    """Somebody of the demo world (admin, manager, clinic1, bank1), logged in in a browser of his own."""

    async def logged_in(login: str) -> Browser:
        opened = browser()
        answer = await opened.log_in(login, PASSWORD)
        assert answer.status_code == httpx.codes.SEE_OTHER, answer.text
        return opened

    return logged_in


def _handing(app: Starlette, state: dict[str, object]) -> ASGIApp:
    """As a server does: each request has what the lifespan made."""

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "state": state.copy()}, receive, send)

    return asked
