"""The `zamu` command."""

from __future__ import annotations

import click

from commands.backup import backup, restore
from commands.customer import customer
from commands.demo import demo, migrate, seed
from commands.doctor import doctor
from commands.phone import phone
from commands.queue import queue
from commands.server import serve, worker
from commands.staff import staff
from commands.telco import telco
from commands.ticket import ticket
from commands.words import trouble
from db.backup import BackupError
from db.embedded import EmbeddedError
from db.migrate import MigrationError
from db.pool import FAILED
from settings import SettingsError


class Zamu(click.Group):
    """Turns what stops a command into one sentence and exit status 1."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (SettingsError, EmbeddedError, MigrationError, BackupError) as error:
            raise click.ClickException(str(error)) from error
        except FAILED as error:
            raise click.ClickException(trouble(error)) from error


@click.group(cls=Zamu, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Zamu: people wait where they like and are called by their phone.

    Start with `zamu demo`, then dial with `zamu phone` in a second terminal. Exit status: 0 done, 1 refused, 2 wrong
    usage.
    """


for command in (
    demo,
    serve,
    worker,
    migrate,
    seed,
    phone,
    telco,
    queue,
    ticket,
    staff,
    customer,
    backup,
    restore,
    doctor,
):
    main.add_command(command)


if __name__ == "__main__":
    main()
