"""`python -m telco_sim`: the telco as a process of its own; each option is also a TELCO_ variable."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from typing import Any

import click

from telco_sim.app import create_app
from telco_sim.config import DEFAULT_DIALECT, NETWORKS, TelcoConfig
from telco_sim.dialects import DIALECTS
from telco_sim.server import PortTakenError, Server, bind, url_of

GATEWAYS = [name for name in DIALECTS if name != DEFAULT_DIALECT]


@click.command(context_settings={"auto_envvar_prefix": "TELCO"})
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8001, show_default=True, help="0 takes any free one.")
@click.option("--ussd-url", default="", help="Where USSD requests are posted.")
@click.option("--end-url", default="", help="Where the end of each session is posted.")
@click.option("--delivery-url", default="", help="Where delivery reports are posted.")
@click.option(
    "--api-key",
    required=True,
    envvar="TELCO_API_KEY",
    show_envvar=True,
    help="The key that a sender of texts must show.",
)
@click.option("--inbound-url", default="", help="Where texts to a short code are posted.")
@click.option("--optout-url", default="", help="Where it is posted that a phone stopped a sender.")
@click.option("--username", default="sandbox", show_default=True)
@click.option("--service-code", default="*384*40#", show_default=True)
@click.option("--sender", "senders", multiple=True, default=("20880",), show_default=True)
@click.option("--network", type=click.Choice(list(NETWORKS)), default="Athena", show_default=True)
@click.option("--twilio-account-sid", default="", help="Speak Twilio's dialect too, for this account.")
@click.option("--twilio-auth-token", default="", help="Its secret; better in TELCO_TWILIO_AUTH_TOKEN.")
@click.option("--twilio-sender", "twilio_senders", multiple=True, default=("+15005550006",), show_default=True)
@click.option("--twilio-inbound-url", default="", help="Where texts to a Twilio number are posted.")
@click.option("--public-url", default="", help="Where the application believes to be, for Twilio's signatures.")
@click.option("--prefill/--no-prefill", default=True, help="Digits dialled after the code are the first text.")
@click.option("--bare-star", is_flag=True, help="Send * as it is instead of %2A.")
@click.option("--end-events/--no-end-events", default=True, help="Post the end of each session.")
@click.option("--panel-url", default="", help="A page of the application to show beside phones at /telco/demo.")
@click.option("--board-url", default="", help="Another one.")
@click.option("--tour", default="", help="The steps of a tour there, as JSON: place, title and words of each.")
@click.option(
    "--dialect-url",
    "dialect_urls",
    multiple=True,
    type=(click.Choice(GATEWAYS), str),
    envvar=[],
    help="Where another gateway's requests go; or TELCO_HUBTEL_URL and the like.",
)
def main(
    *,
    host: str,
    port: int,
    end_url: str,
    senders: tuple[str, ...],
    twilio_senders: tuple[str, ...],
    network: str,
    dialect_urls: tuple[tuple[str, str], ...],
    **fields: Any,
) -> None:
    """Run a telco for one application until it is stopped."""
    config = TelcoConfig(
        ussd_end_url=end_url,
        senders=frozenset(senders),
        twilio_senders=frozenset(twilio_senders),
        network=NETWORKS[network],
        dialect_urls=_from_environment() | dict(dialect_urls),
        **fields,
    )
    try:
        listener = bind(host, port)
    except (PortTakenError, OSError) as error:
        click.echo(
            error if isinstance(error, PortTakenError) else f"Cannot listen on {host}: {error.strerror}.",
            err=True,
        )
        sys.exit(1)
    asyncio.run(serve(config, listener))


def _from_environment() -> dict[str, str]:
    """The addresses of other gateways: they hold secrets, which a command line would show to everybody."""
    found = {name: os.environ.get(f"TELCO_{name.upper()}_URL", "") for name in GATEWAYS}
    return {name: url for name, url in found.items() if url}


async def serve(config: TelcoConfig, listener: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM."""
    app = create_app(config)
    server = Server(app, app.state.telco.stop)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.stop)
    click.echo(f"The telco listens on {url_of(listener)}: dial {config.service_code}")
    await server.serve(sockets=[listener])


if __name__ == "__main__":
    main()
