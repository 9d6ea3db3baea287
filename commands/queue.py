"""`zamu queue`: list, open, pause, close, call the next person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import click

from commands.context import as_json, ask, operator, pass_settings
from commands.words import say
from queue_core import calling, queues
from queue_core.core import Core
from queue_core.queues import QueueChanged
from settings import Settings


@click.group()
def queue() -> None:
    """Lines: list, open, pause, close, call next. A queue is named BRANCH/QUEUE, such as 4071/A."""


@queue.command("list")
@as_json
@pass_settings
def list_(settings: Settings, *, as_json: bool) -> None:
    """Show every queue with its state and how many wait."""
    rows = ask(settings, lambda core: queues.listing(core, operator()), as_json=as_json)
    lines = [
        f"{row['queue']:8} {row['status']:7} {row['waiting']:4} waiting  {row['name']}, {row['branch']}" for row in rows
    ]
    say(
        {"queues": rows},
        "\n".join(lines) or "No queues yet. `zamu seed` makes a demo world.",
        as_json=as_json,
    )


def _change(settings: Settings, name: str, verb: Any, *, as_json: bool) -> QueueChanged:
    async def work(core: Core) -> QueueChanged:
        found = await queues.find(core, operator(), name)
        return cast("QueueChanged", await verb(core, operator(), found["id"]))

    return ask(settings, work, as_json=as_json)


def _said(name: str, change: QueueChanged, sentence: str, *, as_json: bool) -> None:
    answer = {"queue": name, "status": change.status, "affected": change.affected, "waiting": change.waiting}
    say(answer, f"{change.queue} ({name}) {sentence} {change.waiting} waiting.", as_json=as_json)


@queue.command("open")
@click.argument("name", metavar="QUEUE")
@as_json
@pass_settings
def open_(settings: Settings, name: str, *, as_json: bool) -> None:
    """Take people (again). After a pause, whoever waits is told."""
    change = _change(settings, name, queues.open_, as_json=as_json)
    _said(name, change, "is open.", as_json=as_json)


@queue.command()
@click.argument("name", metavar="QUEUE")
@click.option("--minutes", type=click.IntRange(1, 600), help="How long; people are told until about when.")
@as_json
@pass_settings
def pause(settings: Settings, name: str, minutes: int | None, *, as_json: bool) -> None:
    """Stop new joins for a while. People in line keep their place, are told, and are still called."""
    until = datetime.now(UTC) + timedelta(minutes=minutes) if minutes else None
    change = _change(settings, name, lambda core, act, id_: queues.pause(core, act, id_, until), as_json=as_json)
    _said(name, change, f"is paused; {change.affected} people were told.", as_json=as_json)


@queue.command()
@click.argument("name", metavar="QUEUE")
@click.option("--send-home", is_flag=True, help="End the tickets of those who wait, and tell them.")
@as_json
@pass_settings
def close(settings: Settings, name: str, *, send_home: bool, as_json: bool) -> None:
    """End the day: no new joins. Those waiting are served out, or sent home."""
    change = _change(
        settings,
        name,
        lambda core, act, id_: queues.close(core, act, id_, send_home=send_home),
        as_json=as_json,
    )
    _said(name, change, f"is closed; {change.affected} people were sent home.", as_json=as_json)


@queue.command("call-next")
@click.argument("name", metavar="QUEUE")
@click.option("--counter", help="Which counter calls. Default: the first free one.")
@click.option(
    "--finish",
    type=click.Choice(["complete", "skip", "no-show"]),
    help="What became of a ticket that was called there and has not started.",
)
@as_json
@pass_settings
def call_next(settings: Settings, name: str, counter: str | None, finish: str | None, *, as_json: bool) -> None:
    """Call the first waiting person to a counter. Whom the counter was serving is completed."""
    how = cast("calling.Finish | None", finish and finish.replace("-", "_"))

    async def work(core: Core) -> calling.Called:
        found = await queues.find(core, operator(), name)
        return await calling.call_next(core, operator(), found["id"], counter, how)

    called = ask(settings, work, as_json=as_json)
    answer = {
        "ticket": called.ticket and called.ticket.label,
        "counter": called.counter,
        "waiting": called.waiting,
        "finished": called.finished and called.finished.label,
    }
    now = f"{called.ticket.label}: please come to {called.counter}." if called.ticket else "No one is waiting."
    say(answer, f"{now} {called.waiting} waiting.", as_json=as_json)
