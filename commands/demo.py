"""`zamu demo`, `seed`, `migrate`: a world to try, and the schema that everything stands on."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from dataclasses import replace

import click

from commands.context import ask
from commands.server import beside, describe, need_free_port, run_web
from db.embedded import start
from db.migrate import migrate as apply
from db.migrate import pending
from queue_core import demo as world
from settings import Settings


@click.command()
@click.option("--port", default=8000, show_default=True)
@click.option("--telco-port", default=8001, show_default=True)
@click.pass_context
def demo(ctx: click.Context, port: int, telco_port: int) -> None:
    """Run everything at once: servers, the demo world, web, worker, and a small telco to dial on."""
    need_free_port("127.0.0.1", port)
    need_free_port("127.0.0.1", telco_port)
    given: Settings = ctx.obj
    base, key = f"http://127.0.0.1:{port}", secrets.token_urlsafe(16)
    telco_url = f"http://127.0.0.1:{telco_port}"
    settings = replace(
        given,
        public_url=base,
        sms_gateways=("africastalking",),
        at_username="sandbox",
        at_api_key=key,
        at_sender="20880",
        at_base_url=telco_url,
    )
    with (
        start(settings.data_dir) as where,
        beside(
            [sys.executable, "-m", "telco_sim", "--port", str(telco_port)],
            _telco_environ(settings, base, key),
        ),
    ):
        asyncio.run(apply(where.database_url))
        _say_passwords(ask(settings, world.seed))
        describe(settings, base)
        click.echo(f"  telco      {telco_url}\n\nNow hold a phone: run `zamu phone` in another terminal. Ctrl-C stops.")
        run_web(settings, where, "127.0.0.1", port)


def _telco_environ(settings: Settings, base: str, key: str) -> dict[str, str]:
    """Secrets travel in the environment: a command line can be read by everybody on the machine."""
    hook = f"{base}/hooks/africastalking"
    secret = settings.webhook_secrets[0]
    return {
        **os.environ,
        "TELCO_API_KEY": key,
        "TELCO_SERVICE_CODE": settings.shortcode,
        "TELCO_USSD_URL": f"{hook}/ussd/{secret}",
        "TELCO_END_URL": f"{hook}/ussd-end/{secret}",
        "TELCO_DELIVERY_URL": f"{hook}/delivery/{secret}",
    }


def _say_passwords(passwords: dict[str, str]) -> None:
    for login, password in passwords.items():
        click.echo(f"  {login:10} first password: {password}   (shown this once)")


@click.command()
@click.pass_obj
def seed(settings: Settings) -> None:
    """Make the demo world: a clinic and a bank. Running it again changes nothing."""
    passwords = ask(settings, world.seed)
    _say_passwords(passwords)
    click.echo("The demo world is there: codes 4071 and 5084.")


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; exit status 1 when something is missing.")
@click.pass_obj
def migrate(settings: Settings, *, check: bool) -> None:
    """Bring the database to the schema of this version."""
    if settings.database_url is None:
        with start(settings.data_dir) as where:
            _migrate(where.database_url, check=check)
    else:
        _migrate(settings.database_url, check=check)


def _migrate(url: str, *, check: bool) -> None:
    names = asyncio.run(pending(url) if check else apply(url))
    click.echo("\n".join(names) or "Nothing to do: the database is up to date.")
    if check and names:
        raise SystemExit(1)
