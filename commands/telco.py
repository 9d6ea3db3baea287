"""`zamu telco`: scenes that are played again, and crowds, on a small telco that runs already."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from telco_sim.audit import BROKEN, GIVEN

if TYPE_CHECKING:
    from telco_sim.clerk import Duty

T = TypeVar("T")
URL = click.option("--telco", default="http://127.0.0.1:8001", show_default=True, help="Where the small telco answers.")


@click.group()
def telco() -> None:
    """Play scenes and crowds on a small telco, such as that of `zamu demo`. Its phones are at /telco."""


@telco.command()
@click.argument("scene", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@URL
@click.option("--speed", default=1.0, show_default=True, type=click.FloatRange(0.01), help="Divides every pause.")
@click.option("--site", default="", help="What addresses of http steps that begin with / are under.")
def run(scene: Path, telco: str, speed: float, site: str) -> None:
    """Play SCENE and print what passed, as JSON. Exit status 1 when an expectation in it did not hold."""
    from telco_sim.player import ACTS, play
    from telco_sim.scene import SceneError, read

    try:
        played = _ended(play(read(scene, ACTS), telco, speed=speed, site=site))
    except SceneError as error:
        raise click.BadParameter(str(error)) from None
    told = {"scene": played.scene, "held": played.held, "broken": played.broken, "ledger": played.ledger}
    click.echo(json.dumps(told, indent=1, ensure_ascii=False))
    for sentence in played.broken:
        click.echo(sentence, err=True)
    if played.broken:
        raise SystemExit(1)


@telco.command()
@URL
@click.option("--phones", default=1000, show_default=True, type=click.IntRange(1, 400_000), help="Different numbers.")
@click.option("--rate", default=20.0, show_default=True, type=click.FloatRange(0.01), help="Calls begun a second.")
@click.option("--seconds", default=30.0, show_default=True, type=click.FloatRange(0.1), help="How long calls begin.")
@click.option("--code", default="*384*40*4071#", show_default=True, help="What is dialled.")
@click.option("--keys", default="1,1,1", show_default=True, help="Pressed one after the other while a screen asks.")
@click.option("--given", default=GIVEN, show_default=True, help="Finds the number in an answer, as its first group.")
@click.option("--pace", default=1.0, show_default=True, type=click.FloatRange(0), help="1 reads as people do, 0 not.")
@click.option("--drop", default=0.05, show_default=True, type=click.FloatRange(0, 1), help="Share that hangs up.")
@click.option("--texts", default=0.2, show_default=True, type=click.FloatRange(0, 1), help="Share that texts then.")
@click.option("--redials", default=0, show_default=True, type=click.IntRange(0), help="Tries more of who gets none.")
@click.option("--to", default="", help="Whom they text; nobody by default.")
@click.option("--words", default="STATUS", show_default=True, help="What they text.")
@click.option("--panel", default="", help="Where a clerk works meanwhile, such as http://127.0.0.1:8000.")
@click.option(
    "--login",
    default="clinic1",
    show_default=True,
    help="His login there; the password is asked for, or TELCO_CLERK_PASSWORD.",
)
@click.option("--desk", default="Doctor at Room 1", show_default=True, help="His desk, as the panel names it.")
@click.option("--calls", default=1.0, show_default=True, type=click.FloatRange(0.01), help="People he calls a second.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for scripts.")
def load(*, keys: str, as_json: bool, **plan: Any) -> None:
    """Let a crowd dial. Exit status 1 when a promise was broken that can be seen from outside."""
    from telco_sim.crowd import Crowd, Plan

    clerk = {name: plan.pop(name) for name in ("panel", "login", "desk", "calls")}
    crowd = Crowd(Plan(keys=tuple(filter(None, keys.split(","))), duty=_duty(clerk), **plan))
    report = _ended(crowd.run(_progress))
    if sys.stderr.isatty():
        click.echo(err=True)
    click.echo(json.dumps(report) if as_json else _described(report))
    if any(report["broken"].values()):
        raise SystemExit(1)


def _duty(clerk: dict[str, Any]) -> Duty | None:
    if not clerk["panel"]:
        return None
    from telco_sim.clerk import Duty

    # Not an option: a command line can be read by everybody on the machine.
    password = os.environ.get("TELCO_CLERK_PASSWORD") or click.prompt("Password", hide_input=True, err=True)
    return Duty(**clerk, password=password)


def _ended(work: Coroutine[Any, Any, T]) -> T:
    from telco_sim.clerk import PanelError
    from telco_sim.control import TelcoGoneError, TelcoRefusedError

    try:
        return asyncio.run(work)
    except (TelcoGoneError, TelcoRefusedError) as error:
        raise click.ClickException(str(error)) from None
    except ExceptionGroup as errors:
        if shut := errors.subgroup(PanelError):
            raise click.ClickException(str(shut.exceptions[0])) from None
        gone = errors.subgroup((TelcoGoneError, TelcoRefusedError))
        if gone is None:
            raise
        raise click.ClickException("The telco went away in the middle. What was counted is lost.") from None


def _progress(line: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{line}", nl=False, err=True)


def _described(report: dict[str, Any]) -> str:
    outcomes = ", ".join(f"{number} {name}" for name, number in sorted(report["outcomes"].items()))
    lines = [
        f"calls           {report['calls']}, {report['calls_per_second']} a second; {outcomes}",
        f"dialled again   {report['redialled']}",
        f"not begun       {report['not_begun']}, because their phone was still in a call",
        f"well            {report['success']:.2%} of those who did not hang up",
        f"hop             {_times(report['hop_ms'])}",
        f"number to text  {_times(report['number_to_text_ms'])}",
        f"call to text    {_times(report['call_to_text_ms'])}",
    ]
    broken = [f"BROKEN {number:6}   {BROKEN[name]}" for name, number in report["broken"].items() if number]
    return "\n".join([*lines, *(broken or ["promises        all kept"])])


def _times(times: dict[str, float]) -> str:
    if not times["count"]:
        return "none"
    shares = [f"{name} {times[name]:.0f} ms" for name in ("p50", "p95", "p99", "max")]
    return f"{', '.join(shares)} of {times['count']}"
