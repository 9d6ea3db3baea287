"""A real Chromium a run, the demo world and its site a test, and people at their windows.

A browser lives in the event loop that started it, so all that is asynchronous here runs in the run's one loop.
"""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect
from redis.asyncio import Redis
from starlette.applications import Starlette

import settings as settings_module
from app import create_app
from db import embedded
from queue_core.hashing import hash_of
from telco_sim.server import Server, bind, url_of
from tests.browser.bring import MISSING, find
from tests.browser.windows import Windows
from tests.cable import Cable, plugged
from tests.terminal import outside, terminal
from tests.world import World, own_world, seeded

__all__ = ["seeded", "terminal"]

PASSWORD = "a-password-that-all-of-them-chose"
expect.set_options(timeout=15_000)  # on a machine that does many other things


def pytest_itemcollected(item: pytest.Item) -> None:
    """Run each test of this folder where the browser lives."""
    if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.function):
        item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The browser that is there; each worker of a parallel run has its own."""
    path = find()
    if path is None:
        pytest.skip(MISSING)
    async with async_playwright() as playwright:
        # Root may not have a sandbox, and we only look at pages of our own.
        browser = await playwright.chromium.launch(executable_path=path, chromium_sandbox=False)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def windows(chromium: Browser) -> AsyncIterator[Windows]:
    """Windows on any site; the test fails at its end if anything went wrong in one that it does not forgive."""
    windows = Windows(chromium)
    yield windows
    await windows.close()
    assert windows.unforgiven() == []


@asynccontextmanager
async def served(app: Starlette) -> AsyncIterator[str]:
    """The address of an application with WebSockets, in this process until the block ends."""
    listener = bind("127.0.0.1", 0)
    server = Server(app, lambda: None)
    server.config.ws = "websockets-sansio"
    serve = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield url_of(listener)
    finally:
        server.stop()
        await serve


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def hashed() -> str:
    return await hash_of(PASSWORD)


@pytest_asyncio.fixture(loop_scope="session")
async def world(seeded: embedded.Servers, hashed: str) -> AsyncIterator[World]:
    """The demo world, where everybody has changed his first password to the same one."""
    async with own_world(seeded) as world:
        await world.pool.execute("update staff set password_hash = $1, must_change_password = false", hashed)
        yield world


@pytest_asyncio.fixture(loop_scope="session")
async def database(world: World, seeded: embedded.Servers) -> str:
    """The address of the world's own database."""
    name = await world.pool.fetchval("select current_database()")
    return seeded.database_url.replace("/zamu?", f"/{name}?")


@pytest_asyncio.fixture(loop_scope="session")
async def redis_url(servers: embedded.Servers) -> str:
    """The run's Valkey, emptied for this test."""
    async with Redis.from_url(servers.redis_url) as client:
        await client.flushall()
    return servers.redis_url


@pytest_asyncio.fixture(loop_scope="session")
async def site(database: str, redis_url: str, tmp_path: Path, windows: Windows) -> AsyncIterator[str]:
    """The address of the real application on that world; `terminal.serving()` is one that can be killed."""
    environ = outside(database, redis_url) | {"ZAMU_DATA_DIR": str(tmp_path)}
    async with served(create_app(settings_module.load(environ))) as url:
        yield url
        await windows.close()  # before they miss the server


@pytest_asyncio.fixture(loop_scope="session")
async def cable(site: str, windows: Windows) -> AsyncIterator[Cable]:
    """A network to the site that can be lost: open windows on `cable.url`."""
    async with plugged(site) as cable:
        yield cable
        await windows.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(windows: Windows, site: str) -> Page:
    """One window on the site."""
    return await windows.open(site)


async def log_in(page: Page, login: str, password: str = PASSWORD) -> None:
    """Be that member of staff in this window."""
    await page.goto("/staff/login")
    await page.locator("input[name=login]").fill(login)
    await page.locator("input[name=password]").fill(password)
    await page.locator("input[name=password]").press("Enter")
    await expect(page).not_to_have_url(re.compile("/staff/login"))
