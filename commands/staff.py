"""`zamu staff`: add and list the people who work here."""

from __future__ import annotations

import re

import click

from commands.context import as_json, ask, operator, pass_settings
from commands.words import refuse, say
from queue_core import staff as people
from queue_core.errors import Refused
from settings import Settings

LOGIN = re.compile(r"[a-z0-9][a-z0-9.-]{0,31}")


@click.group()
def staff() -> None:
    """Staff: add, list."""


@staff.command()
@click.argument("login")
@click.option("--organization", default="Afya Bora", show_default=True)
@click.option("--branch", help="The branch's 4-digit code. Left out: every branch, for an admin.")
@click.option("--role", type=click.Choice(["admin", "manager", "staff"]), default="staff", show_default=True)
@click.option("--name", help="The person's name. Default: the login.")
@as_json
@pass_settings
def add(
    settings: Settings,
    login: str,
    organization: str,
    branch: str | None,
    role: str,
    name: str | None,
    *,
    as_json: bool,
) -> None:
    """Add a staff member; the first password is printed once and must be changed at the first login."""
    if role != "admin" and not branch:
        raise click.UsageError(
            f"A person with the role {role} works at one branch: give --branch and its 4-digit code."
        )
    if not LOGIN.fullmatch(login):
        raise click.BadParameter("A login is 1 to 32 small letters, digits, dots and dashes.")
    password = ask(
        settings,
        lambda core: people.add(core, organization, branch, role, login, name or login),
        as_json=as_json,
    )
    if password is None:
        refuse(Refused("not_added", {"login": login}), as_json=as_json)
    say(
        {"login": login, "password": password},
        f"{login} was added. First password: {password}",
        as_json=as_json,
    )


@staff.command("list")
@as_json
@pass_settings
def list_(settings: Settings, *, as_json: bool) -> None:
    """Show who works where."""
    rows = ask(settings, lambda core: people.listing(core, operator()), as_json=as_json)
    lines = [f"{row['login']:12} {row['role']:8} {row['branch'] or 'all':5} {row['name']}" for row in rows]
    say({"staff": rows}, "\n".join(lines) or "Nobody yet. `zamu staff add` adds somebody.", as_json=as_json)
