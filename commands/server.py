"""`zamu serve` and `worker`: what runs for long."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import click

from commands.context import pass_settings, servers
from db.embedded import Servers
from settings import TABLE, Settings, SettingsError, as_environ

STOP_SECONDS = 4  # what is in hand may take this long after SIGTERM; all is over within 5 s
BACKLOG = 2048
PORT = click.IntRange(1, 65_535)
HELP = "Settings are environment variables:\n\n" + "\n\n".join(
    f"{name}{f' [{default}]' if default else ''}: {words}" for name, default, words in TABLE
)


@click.command(epilog=HELP)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=PORT)
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Web processes.")
@pass_settings
def serve(settings: Settings, host: str, port: int, workers: int) -> None:
    """Answer gateways, and send texts too while servers are embedded. Stops on Ctrl-C or SIGTERM."""
    with ending_at_once(), bind(host, port) as listener, keeping(settings), servers(settings) as where:
        describe(settings, f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")
        run_web(settings, where, listener, workers)


def run_web(
    settings: Settings, where: Servers, listener: socket.socket, workers: int = 1, *, framed_by: str | None = None
) -> None:
    """Serve until a signal. With embedded servers the sending of texts runs in the same process, or beside several.

    `framed_by` is an origin whose pages may show ours in a frame; it needs the one process.
    """
    count_together(settings)
    import app
    import logs
    from commands.web import One, Several

    logs.configure()
    placed = replace(settings, database_url=where.database_url, redis_url=where.redis_url)
    if workers > 1:
        os.environ.update(as_environ(placed))
        proxies = settings.trusted_proxies
        Several("app:from_environment", workers, listener, proxies, sends=settings.embedded).run()
        return
    ending = asyncio.Event()
    web = app.create_app(placed, ending if settings.embedded else None)
    if framed_by:
        from staff_web.security_headers import FramedBy

        web.add_middleware(FramedBy, origin=framed_by)
    server = One(web, ending, settings.trusted_proxies)
    server.run([listener])
    if not server.started:
        raise click.ClickException("The server did not start. Its log above says why.")


@contextmanager
def ending_at_once() -> Iterator[None]:
    """Python would wait for its threads, and one may wait for a provider's answer that nobody will hear."""
    yield
    if threading.active_count() > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


@click.command()
@pass_settings
def worker(settings: Settings) -> None:
    """Send texts and let calls expire; any number may run. Stops on Ctrl-C or SIGTERM."""
    count_together(settings)
    import app
    import logs

    async def run(where: Servers) -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        placed = replace(settings, database_url=where.database_url, redis_url=where.redis_url)
        async with app.parts(placed, stop, traces=app.tracing(placed)):
            await stop.wait()

    with ending_at_once(), keeping(settings), servers(settings) as where:
        logs.configure()
        click.echo("Sending texts. Ctrl-C stops.")
        asyncio.run(run(where))


def count_together(settings: Settings) -> None:
    """Each process of this machine answers `/metrics` for all of them. To be called before `app` is imported."""
    from monitoring.folder import share

    try:
        share(settings.data_dir)
    except OSError as error:
        raise SettingsError(f"{error}. Nothing was started.") from None


@contextmanager
def keeping(settings: Settings) -> Iterator[None]:
    """What people text while the database is away has to be kept somewhere, or nothing starts."""
    from sms.spool import Spool

    try:
        Spool(settings.spool).check()
    except OSError as error:
        folder = settings.spool if settings.data_dir.is_dir() else settings.data_dir
        raise SettingsError(
            f"Zamu cannot keep its data in {folder}: {error.strerror}. Nothing was started. Make it a folder that is"
            " writable and has room, or set ZAMU_DATA_DIR to another one."
        ) from None
    yield


def bind(host: str, port: int) -> socket.socket:
    """A listening address, or one clear sentence when it cannot be had. Who comes early waits until we serve."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        why = str(error.strerror).partition(" (")[0]
        raise click.ClickException(
            f"Port {port} at {host} cannot be used: {why}. Nothing was started. Stop what listens there, or choose"
            " another with --port."
        ) from None


def end(process: subprocess.Popen[bytes]) -> None:
    """End another process of ours, in good order if it can."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def describe(settings: Settings, url: str) -> None:
    """What runs where, and what is switched off."""
    rows = [
        ("web", url),
        ("database", "outside" if settings.database_url else f"embedded in {settings.data_dir}"),
        ("redis", "outside" if settings.redis_url else f"embedded in {settings.data_dir}"),
        ("texts", _texts(settings)),
        ("worker", "here as well" if settings.embedded else "not here: run `zamu worker` as well"),
        ("shortcode", settings.shortcode),
        ("gateways", f"{settings.public_url}/hooks/africastalking/ussd/<ZAMU_WEBHOOK_SECRET>"),
        ("", f"{settings.public_url}/hooks/africastalking/delivery/<ZAMU_WEBHOOK_SECRET>"),
        ("", f"{settings.public_url}/ussd/inbound with the header X-Webhook-Secret"),
        ("panel", f"{settings.public_url}/staff"),
        ("board", f"{settings.public_url}/display/<branch code>"),
    ]
    for name, what in rows:
        click.echo(f"  {name:10} {what}")


def _texts(settings: Settings) -> str:
    if settings.sms_gateways == ("console",):
        return "printed here only: set ZAMU_AT_API_KEY to send them"
    stand_in = f" at {settings.at_base_url}" if settings.at_base_url else ""
    return f"by {', then '.join(settings.sms_gateways)}{stand_in}"
