"""`zamu staff`: the people who work here, and the phones that they work from."""

from __future__ import annotations

import click

from commands.context import as_json, ask, operator, pass_settings
from commands.words import refuse, say
from queue_core import people, staff_phones
from queue_core import staff as roles
from queue_core.errors import Refused
from settings import Settings


@click.group()
def staff() -> None:
    """Staff: add, list, reset a password; enrol, confirm and unlock their phones."""


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
    role: roles.Role,
    name: str | None,
    *,
    as_json: bool,
) -> None:
    """Add a staff member; the first password is printed once and must be changed at the first login."""
    if role != "admin" and not branch:
        raise click.UsageError(
            f"A person with the role {role} works at one branch: give --branch and its 4-digit code."
        )
    if not roles.LOGIN.fullmatch(login):
        raise click.BadParameter("A login is 1 to 32 small letters, digits, dots and dashes.")
    password = ask(
        settings,
        lambda core: roles.add(core, organization, branch, role, login, name or login),
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
    rows = ask(settings, lambda core: roles.listing(core, operator()), as_json=as_json)
    lines = [f"{row['login']:12} {row['role']:8} {row['branch'] or 'all':5} {row['name']}" for row in rows]
    say({"staff": rows}, "\n".join(lines) or "Nobody yet. `zamu staff add` adds somebody.", as_json=as_json)


@staff.command("reset-password")
@click.argument("login")
@as_json
@pass_settings
def reset_password(settings: Settings, login: str, *, as_json: bool) -> None:
    """Give a staff member a new first password, which is printed once; end all sessions and the second factor."""
    password = ask(settings, lambda core: people.reset_password(core, operator(), login), as_json=as_json)
    sentence = f"{login} is logged out everywhere. First password: {password}"
    say({"login": login, "password": password}, sentence, as_json=as_json)


@staff.command()
@click.argument("login")
@click.argument("phone")
@click.option("--counter", help='Where this phone calls people to, such as "Room 1". Default: any that is free.')
@as_json
@pass_settings
def enrol(settings: Settings, login: str, phone: str, counter: str | None, *, as_json: bool) -> None:
    """Text a code to the phone that a staff member is to work from; `zamu staff confirm` wants it."""
    ask(settings, lambda core: staff_phones.enrol(core, operator(), login, phone, counter), as_json=as_json)
    sentence = f"A code is on its way to this phone. Within 10 minutes: `zamu staff confirm {login} CODE`."
    say({"login": login, "counter": counter}, sentence, as_json=as_json)


@staff.command()
@click.argument("login")
@click.argument("code")
@click.option("--generate", is_flag=True, help="Make the PIN and print it once, instead of asking for one.")
@as_json
@pass_settings
def confirm(settings: Settings, login: str, code: str, *, generate: bool, as_json: bool) -> None:
    """Enrol the phone that got this code, with a PIN of six digits that its owner chooses."""
    chosen = None if generate else click.prompt("PIN", hide_input=True, confirmation_prompt=True, err=True)
    pin = ask(
        settings,
        lambda core: staff_phones.confirm(core, operator(), login, code, chosen, settings.secret_key.encode()),
        as_json=as_json,
    )
    answer = {"login": login, "pin": pin} if generate else {"login": login}
    say(answer, f"{login} can work by phone." + (f" PIN: {pin}" if generate else ""), as_json=as_json)


@staff.command()
@click.argument("login")
@as_json
@pass_settings
def unlock(settings: Settings, login: str, *, as_json: bool) -> None:
    """End the lock that wrong PINs put on a phone."""
    ask(settings, lambda core: staff_phones.unlock(core, operator(), login), as_json=as_json)
    say({"login": login}, f"The phone of {login} is unlocked.", as_json=as_json)
