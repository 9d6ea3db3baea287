"""`zamu ticket`: add somebody to a line, look, skip, complete, give up a place."""

from __future__ import annotations

import click

from commands.context import as_json, ask, operator, pass_settings
from commands.words import say
from queue_core import calling, queues, tickets
from queue_core.calling import Changed
from queue_core.core import Core
from queue_core.phones import normalise
from queue_core.text import plain_name
from queue_core.tickets import Joined, Ticket
from settings import Settings


@click.group()
def ticket() -> None:
    """Tickets: join, status, start, complete, skip, no-show, recall, leave. A ticket is named like 4071/A047."""


def _said(ticket: Ticket, sentence: str, *, as_json: bool) -> None:
    answer = {
        "ticket": ticket.label,
        "status": ticket.status,
        "ahead": ticket.ahead,
        "minutes": ticket.minutes,
    }
    say(answer | {"counter": ticket.counter}, sentence, as_json=as_json)


@ticket.command()
@click.argument("queue", metavar="QUEUE")
@click.argument("phone")
@click.option("--name", help="First name, for staff to call.")
@as_json
@pass_settings
def join(settings: Settings, queue: str, phone: str, name: str | None, *, as_json: bool) -> None:
    """Put a phone into a line, or show the place that it already has."""
    plain = plain_name(name) if name else None
    if name and plain is None:
        raise click.BadParameter("No phone can show this name. Leave it out, or write it in Latin letters.")

    async def work(core: Core) -> Joined:
        found = await queues.find(core, operator(), queue)
        return await tickets.join(core, operator(), found["id"], normalise(phone), name=plain)

    joined = ask(settings, work, as_json=as_json)
    was = "is in line" if joined.new else "was already in line"
    mine = joined.ticket
    _said(mine, f"{mine.label} {was} at {mine.branch}, {mine.queue}: {mine.ahead} ahead.", as_json=as_json)


@ticket.command()
@click.argument("name", metavar="TICKET")
@as_json
@pass_settings
def status(settings: Settings, name: str, *, as_json: bool) -> None:
    """Show where a ticket stands."""

    async def work(core: Core) -> Ticket:
        return await tickets.look(core, await queues.find_ticket(core, operator(), name))

    found = ask(settings, work, as_json=as_json)
    _said(found, f"{found.label} is {found.status}, {found.ahead} ahead.", as_json=as_json)


def _verb(verb: calling.Verb) -> click.Command:
    """One staff verb as a command; its help is the first sentence of the verb's own docstring."""

    @click.command(verb.__name__.removesuffix("_for").replace("_", "-"), help=(verb.__doc__ or "").split(".")[0] + ".")
    @click.argument("name", metavar="TICKET")
    @as_json
    @pass_settings
    def command(settings: Settings, name: str, *, as_json: bool) -> None:
        async def work(core: Core) -> Changed:
            return await verb(core, operator(), await queues.find_ticket(core, operator(), name))

        changed = ask(settings, work, as_json=as_json)
        sentence = f"{changed.ticket.label} is {changed.ticket.status}. {changed.waiting} waiting."
        _said(changed.ticket, sentence, as_json=as_json)

    return command


for each in (
    calling.start,
    calling.complete,
    calling.skip,
    calling.no_show,
    calling.recall,
    calling.leave_for,
    calling.come_back_for,
):
    ticket.add_command(_verb(each))
