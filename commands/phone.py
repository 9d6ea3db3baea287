"""`zamu phone`: a handset in the terminal, on top of the small telco."""

from __future__ import annotations

import click


@click.command()
@click.argument("number", default="+254711000001")
@click.option("--telco", default="http://127.0.0.1:8001", show_default=True, help="Where the small telco answers.")
def phone(number: str, telco: str) -> None:
    """Hold a phone: dial, press keys, read texts. NUMBER is its own number."""
    from telco_sim.phone import main

    raise SystemExit(main(number, telco))
