"""`zamu doctor`: says what is wrong and how to mend it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict

import asyncpg
import click
import redis.asyncio

from commands.context import as_json, pass_settings, places
from commands.words import cause
from db.embedded import EmbeddedError, Servers
from db.pool import FAILED
from monitoring.checks import Finding, database_away, of_database, of_redis, of_settings, of_spool
from settings import Settings


@click.command()
@as_json
@pass_settings
def doctor(settings: Settings, *, as_json: bool) -> None:
    """Look at everything that Zamu needs. Exit status 1 when something is wrong."""
    from sms.spool import Spool

    findings = of_settings(settings.public_url, settings.at_base_url, settings.sms_gateways, settings.trusted_proxies)
    try:
        with places(settings) as where:
            findings += asyncio.run(_of_servers(where))
    except EmbeddedError as error:
        findings.append(Finding("wrong", "servers", str(error)))
    findings += of_spool(Spool(settings.spool).held())
    if as_json:
        click.echo(json.dumps({"findings": [asdict(finding) for finding in findings]}))
    else:
        for finding in findings:
            click.echo(f"{finding.state:8} {finding.about:9} {finding.sentence}")
    if any(finding.state == "wrong" for finding in findings):
        raise SystemExit(1)


async def _of_servers(where: Servers) -> list[Finding]:
    client = redis.asyncio.from_url(where.redis_url, socket_connect_timeout=2, socket_timeout=2)
    try:
        return [*await _of_database(where.database_url), await of_redis(client)]
    finally:
        await client.aclose()


async def _of_database(url: str) -> list[Finding]:
    try:
        connection = await asyncpg.connect(url)
        try:
            return await of_database(connection)
        finally:
            await connection.close()
    except FAILED as error:
        return [database_away(cause(error))]
