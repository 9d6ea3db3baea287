"""How a command reaches the queue: the servers, outside or embedded, and the core on top of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

import click

from announcer import announcing_core
from commands.words import refuse, trouble
from db import embedded
from db.migrate import MigrationError, migrate, pending
from db.pool import FAILED
from queue_core.core import Act, Core, written
from queue_core.errors import Refused
from settings import Settings, load

Result = TypeVar("Result")
Given = ParamSpec("Given")


def pass_settings(command: Callable[Concatenate[Settings, Given], Result]) -> Callable[Given, Result]:
    """Read the settings only when a command runs: neither `--help` nor wrong usage needs good ones."""

    @wraps(command)
    def run(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        return command(load(), *args, **kwargs)

    return run


@contextmanager
def places(settings: Settings) -> Iterator[embedded.Servers]:
    """Where PostgreSQL and Redis are. Embedded ones run while the context is open, and are migrated by themselves."""
    if settings.database_url and settings.redis_url:
        yield embedded.Servers(settings.database_url, settings.redis_url)
        return
    with embedded.start(settings.data_dir, backups=settings.backup_dir) as own:
        if not settings.database_url:
            asyncio.run(migrate(own.database_url))
        yield embedded.Servers(settings.database_url or own.database_url, settings.redis_url or own.redis_url)


@contextmanager
def servers(settings: Settings) -> Iterator[embedded.Servers]:
    """The same with the schema in place: an outside database is migrated by `zamu migrate` only."""
    with places(settings) as where:
        if settings.database_url:
            _need_schema(settings.database_url)
        yield where


def _need_schema(url: str) -> None:
    missing = asyncio.run(pending(url))
    if missing:
        raise MigrationError(
            f"The database lacks {', '.join(missing)}. Nothing was started. Run `zamu migrate`, then try again."
        )


def ask(settings: Settings, work: Callable[[Core], Awaitable[Result]], *, as_json: bool = False) -> Result:
    """Run `work` on the queue; a refusal is said and ends the command with exit status 1."""

    async def run(where: embedded.Servers) -> Result:
        try:
            async with announcing_core(where.database_url, where.redis_url) as core:
                return await work(core)
        except FAILED as error:
            raise click.ClickException(trouble(error, changed=written.get())) from error

    with servers(settings) as where:
        try:
            return asyncio.run(run(where))
        except Refused as refusal:
            refuse(refusal, as_json=as_json)


def operator() -> Act:
    """The person at the server: every branch is his."""
    return Act("staff", "staff", reason="command line")


as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for scripts.")
