"""`zamu customer`: what is kept of one phone, for whoever asks; and its end."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, TextIO

import click

from commands.context import as_json, ask, operator, pass_settings
from commands.words import refuse, say
from queue_core import customers
from queue_core.core import Core
from queue_core.errors import Refused
from queue_core.phones import mask, normalise
from settings import Settings


@click.group()
def customer() -> None:
    """Personal data: export or erase one phone's; erase again, after a restore."""


@customer.command()
@click.argument("phone")
@as_json
@pass_settings
def export(settings: Settings, phone: str, *, as_json: bool) -> None:
    """Print all that is kept of a phone, for the person whose it is. That you did is noted in the audit log."""

    async def work(core: Core) -> dict[str, list[dict[str, Any]]]:
        return await customers.export(core, operator(), normalise(phone))

    found = ask(settings, work, as_json=as_json)
    say(found, "\n\n".join(_section(*part) for part in found.items() if part[1]) or "Nothing is kept.", as_json=as_json)


def _section(table: str, rows: list[dict[str, Any]]) -> str:
    blocks = ("\n".join(_line(*field) for field in row.items() if field[1] not in (None, "", {}, [])) for row in rows)
    return "\n\n".join([f"{table} ({len(rows)})", *blocks])


def _line(name: str, value: object) -> str:
    return f"  {name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"


@customer.command()
@click.argument("phone")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
@pass_settings
def erase(settings: Settings, phone: str, *, yes: bool, as_json: bool) -> None:
    """Give up the phone's place; take phone and name off all that is kept. One last text tells the person."""
    try:
        number = normalise(phone)
    except Refused as refusal:
        refuse(refusal, as_json=as_json)
    if not yes:
        click.confirm(f"Erase {mask(number)}? This cannot be undone.", abort=True, err=True)
    key = settings.secret_key.encode()
    ask(settings, lambda core: customers.erase(core, operator(), number, key), as_json=as_json)
    say({"erased": mask(number)}, f"{mask(number)} is erased. The person is told by a last text.", as_json=as_json)


@customer.command()
@pass_settings
def erased(settings: Settings) -> None:
    """Print marks of the phones that were erased in 90 days, for `erase-again`. No phone can be read from them."""
    marks = ask(settings, customers.erased)
    click.echo(json.dumps({mark: at.isoformat() for mark, at in marks.items()}, indent=1))


@customer.command("erase-again")
@click.argument("file", type=click.File(encoding="utf-8"))
@as_json
@pass_settings
def erase_again(settings: Settings, file: TextIO, *, as_json: bool) -> None:
    """After a restore: erase again whoever FILE names that `zamu customer erased` printed. Nobody is texted."""
    try:
        marks = {str(mark): datetime.fromisoformat(at) for mark, at in json.load(file).items()}
    except (ValueError, AttributeError, TypeError):
        raise click.BadParameter("This is not what `zamu customer erased` prints. Nothing was changed.") from None
    key = settings.secret_key.encode()
    number = ask(settings, lambda core: customers.erase_again(core, operator(), marks, key), as_json=as_json)
    say({"erased": number}, f"{number} people were erased again.", as_json=as_json)
