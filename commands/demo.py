"""`zamu demo`, `seed`, `migrate`: a world to try, and the schema that everything stands on."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import subprocess
import sys
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import click

from commands.context import ask, pass_settings
from commands.server import PORT, bind, describe, end, ending_at_once, run_web
from commands.tour import tour
from db.embedded import start
from db.migrate import migrate as apply
from db.migrate import pending
from queue_core import demo as world
from settings import KNOWN_USSD, Settings

OPEN_TRIES, OPEN_SECONDS = 50, 0.1  # for the telco to start


@click.command()
@click.option("--port", default=8000, show_default=True, type=PORT)
@click.option("--telco-port", default=8001, show_default=True, type=PORT)
@pass_settings
def demo(given: Settings, port: int, telco_port: int) -> None:
    """Run everything at once: embedded servers, the demo world, web, worker, and a small telco to dial on."""
    key = secrets.token_urlsafe(16)
    settings = replace(
        given,
        database_url=None,  # a world to play with has no place in somebody's real database
        redis_url=None,
        public_url=f"http://127.0.0.1:{port}",
        sms_gateways=("africastalking",),
        at_username="sandbox",
        at_api_key=key,
        at_sender="20880",
        at_base_url=f"http://127.0.0.1:{telco_port}",
        # Every gateway, so that a phone can be on any of them.
        ussd_secrets={name: (secrets.token_urlsafe(16),) for name in KNOWN_USSD} | given.ussd_secrets,
    )
    with ending_at_once(), bind("127.0.0.1", port) as listener:
        bind("127.0.0.1", telco_port).close()
        with start(settings.data_dir) as where, _telco(settings, telco_port, key):
            asyncio.run(apply(where.database_url))
            _say_passwords(ask(settings, world.seed))
            describe(settings, settings.public_url)
            click.echo(f"  telco      {settings.at_base_url}")
            click.echo(f"  phones     {settings.at_base_url}/telco")
            click.echo(f"  all of it  {settings.at_base_url}/telco/demo")
            click.echo(
                "\nNow open the last address, or hold a phone by `zamu phone` in another terminal. Ctrl-C stops."
            )
            _open(f"{settings.at_base_url}/telco/demo", telco_port)
            run_web(settings, where, listener, framed_by=settings.at_base_url)


@contextmanager
def _telco(settings: Settings, port: int, key: str) -> Iterator[None]:
    """The small telco beside us, in a group of its own so that Ctrl-C does not hit it before us."""
    command = [sys.executable, "-m", "telco_sim", "--port", str(port)]
    process = subprocess.Popen(command, env=_telco_environ(settings, key), start_new_session=True)  # noqa: S603 - ours
    try:
        yield
    finally:
        end(process)


def _open(url: str, telco_port: int) -> None:
    """In the browser of whoever sits at this machine's desktop, once the telco answers."""
    desktop = sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if not (desktop and sys.stdout.isatty()):
        return
    for _ in range(OPEN_TRIES):
        try:
            socket.create_connection(("127.0.0.1", telco_port)).close()
        except ConnectionRefusedError:
            time.sleep(OPEN_SECONDS)
        else:
            webbrowser.open(url)
            return


def _telco_environ(settings: Settings, key: str) -> dict[str, str]:
    """Secrets travel in the environment: a command line can be read by everybody on the machine."""
    hook = f"{settings.public_url}/hooks/africastalking"
    secret = settings.webhook_secrets[0]
    return {
        **os.environ,
        **{f"TELCO_{name.upper()}_URL": _ussd_url(settings, name) for name in settings.ussd_secrets},
        "TELCO_API_KEY": key,
        "TELCO_SERVICE_CODE": settings.shortcode,
        "TELCO_PANEL_URL": f"{settings.public_url}/staff/desk",
        "TELCO_BOARD_URL": f"{settings.public_url}/display/4071",
        "TELCO_TOUR": tour(settings),
        "TELCO_USSD_URL": f"{hook}/ussd/{secret}",
        "TELCO_END_URL": f"{hook}/ussd-end/{secret}",
        "TELCO_DELIVERY_URL": f"{hook}/delivery/{secret}",
        "TELCO_INBOUND_URL": f"{hook}/sms/{secret}",
        "TELCO_OPTOUT_URL": f"{hook}/opt-out/{secret}",
    }


def _ussd_url(settings: Settings, gateway: str) -> str:
    return f"{settings.public_url}/hooks/{gateway}/ussd/{settings.ussd_secrets[gateway][0]}"


def _say_passwords(passwords: dict[str, str]) -> None:
    for login, password in passwords.items():
        click.echo(f"  {login:10} first password: {password}   (shown this once)")


@click.command()
@pass_settings
def seed(settings: Settings) -> None:
    """Make the demo world: a clinic and a bank. Running it again changes nothing."""
    passwords = ask(settings, world.seed)
    _say_passwords(passwords)
    click.echo("The demo world is there: codes 4071 and 5084.")


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; exit status 1 when something is missing.")
@pass_settings
def migrate(settings: Settings, *, check: bool) -> None:
    """Bring the database to the schema of this version."""
    if settings.database_url is None:
        with start(settings.data_dir, backups=settings.backup_dir) as where:
            _migrate(where.database_url, check=check)
    else:
        _migrate(settings.database_url, check=check)


def _migrate(url: str, *, check: bool) -> None:
    names = asyncio.run(pending(url) if check else apply(url))
    click.echo("\n".join(names) or "Nothing to do: the database is up to date.")
    if check and names:
        raise SystemExit(1)
