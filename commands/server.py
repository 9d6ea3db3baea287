"""`zamu serve` and `worker`: what runs for long."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial

import click

from commands.context import servers
from db.embedded import Servers
from settings import TABLE, Settings, as_environ

STOP_SECONDS = 4  # what is in hand may take this long after SIGTERM; all is over within 5 s

HELP = "Settings are environment variables:\n\n" + "\n\n".join(
    f"{name}{f' [{default}]' if default else ''}: {words}" for name, default, words in TABLE
)


@click.command(epilog=HELP)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Web processes.")
@click.pass_obj
def serve(settings: Settings, host: str, port: int, workers: int) -> None:
    """Answer gateways, and send texts too while servers are embedded. Stops on Ctrl-C or SIGTERM."""
    need_free_port(host, port)
    with servers(settings) as where:
        describe(settings, f"http://{host}:{port}")
        run_web(settings, where, host, port, workers)


def run_web(settings: Settings, where: Servers, host: str, port: int, workers: int = 1) -> None:
    """Serve until a signal. With embedded servers the sending of texts runs in the same process, or beside several."""
    import uvicorn

    import app
    import logs

    logs.configure()
    placed = replace(settings, database_url=where.database_url, redis_url=where.redis_url)
    run = partial(
        uvicorn.run,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    if workers == 1:
        run(app.create_app(placed, with_worker=settings.embedded))
        return
    os.environ.update(as_environ(placed))
    with beside([sys.executable, "-m", "cli", "worker"]) if settings.embedded else nullcontext():
        run("app:from_environment", factory=True, workers=workers)


@contextmanager
def beside(command: list[str], environ: dict[str, str] | None = None) -> Iterator[None]:
    """Another process of ours, in a group of its own so that Ctrl-C here does not hit it first; ended with this one."""
    process = subprocess.Popen(command, env=environ, start_new_session=True)  # noqa: S603 - our own words only
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()


@click.command()
@click.pass_obj
def worker(settings: Settings) -> None:
    """Send texts and let calls expire; any number may run. Stops on Ctrl-C or SIGTERM."""
    import app
    import logs

    async def run(where: Servers) -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        placed = replace(settings, database_url=where.database_url, redis_url=where.redis_url)
        async with app.parts(placed, with_worker=True):
            await stop.wait()

    with servers(settings) as where:
        logs.configure()
        click.echo("Sending texts. Ctrl-C stops.")
        asyncio.run(run(where))


def need_free_port(host: str, port: int) -> None:
    """One clear sentence instead of a stack trace when somebody else listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise click.ClickException(
                f"Port {port} at {host} cannot be used ({error.strerror}). Nothing was started. Stop what listens"
                " there, or choose another with --port."
            ) from None


def describe(settings: Settings, url: str) -> None:
    """What runs where, and what is switched off."""
    rows = [
        ("web", url),
        ("database", "outside" if settings.database_url else f"embedded in {settings.data_dir}"),
        ("redis", "outside" if settings.redis_url else f"embedded in {settings.data_dir}"),
        ("texts", _texts(settings)),
        ("worker", "in this process" if settings.embedded else "not here: run `zamu worker` as well"),
        ("shortcode", settings.shortcode),
        ("gateways", f"{settings.public_url}/hooks/africastalking/ussd/<ZAMU_WEBHOOK_SECRET>"),
        ("", f"{settings.public_url}/hooks/africastalking/delivery/<ZAMU_WEBHOOK_SECRET>"),
        ("", f"{settings.public_url}/ussd/inbound with the header X-Webhook-Secret"),
        ("off", "two-way SMS, Twilio, staff panel: not in this version"),
    ]
    for name, what in rows:
        click.echo(f"  {name:10} {what}")


def _texts(settings: Settings) -> str:
    if settings.sms_gateways == ("console",):
        return "printed here only: set ZAMU_AT_API_KEY to send them"
    stand_in = f" at {settings.at_base_url}" if settings.at_base_url else ""
    return f"by {', then '.join(settings.sms_gateways)}{stand_in}"
