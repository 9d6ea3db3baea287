"""`zamu doctor`: says what is wrong and how to mend it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import asyncpg
import click
import redis.asyncio

from commands.context import as_json, pass_settings, places
from commands.words import cause
from db.embedded import EmbeddedError, Servers
from db.migrate import MigrationError, pending
from db.pool import FAILED
from db.queries import load
from settings import Settings

SQL = load("doctor")


@dataclass(frozen=True, slots=True)
class Finding:
    state: Literal["ok", "warning", "wrong"]
    about: str
    sentence: str


@click.command()
@as_json
@pass_settings
def doctor(settings: Settings, *, as_json: bool) -> None:
    """Look at everything that Zamu needs. Exit status 1 when something is wrong."""
    findings = _settings_findings(settings)
    try:
        with places(settings) as where:
            findings += asyncio.run(_server_findings(where))
    except EmbeddedError as error:
        findings.append(Finding("wrong", "servers", str(error)))
    if as_json:
        click.echo(json.dumps({"findings": [asdict(finding) for finding in findings]}))
    else:
        for finding in findings:
            click.echo(f"{finding.state:8} {finding.about:9} {finding.sentence}")
    if any(finding.state == "wrong" for finding in findings):
        raise SystemExit(1)


def _settings_findings(settings: Settings) -> list[Finding]:
    host = urlsplit(settings.public_url).hostname or ""
    local = host in {"localhost", "::1"} or host.startswith("127.")
    findings = [Finding("ok", "secrets", "The secret key and the webhook secret are set.")]
    if local and not settings.at_base_url:
        findings.append(
            Finding(
                "warning",
                "public url",
                f"{settings.public_url} is this machine alone: no gateway can reach it. Set ZAMU_PUBLIC_URL.",
            )
        )
    if settings.sms_gateways == ("console",):
        findings.append(
            Finding(
                "warning",
                "texts",
                "Texts are only printed. Set ZAMU_AT_USERNAME and ZAMU_AT_API_KEY to send them.",
            )
        )
    return findings


async def _server_findings(where: Servers) -> list[Finding]:
    return [*await _database(where.database_url), await _redis(where.redis_url)]


async def _database(url: str) -> list[Finding]:
    try:
        missing = await pending(url)
        if missing:
            return [Finding("wrong", "database", f"It lacks {', '.join(missing)}. Run `zamu migrate`.")]
        facts = await _facts(url)
    except MigrationError as error:
        return [Finding("wrong", "database", str(error))]
    except FAILED as error:
        return [Finding("wrong", "database", f"It does not serve us ({cause(error)}). See that it runs.")]
    healthy = Finding("ok", "database", f"PostgreSQL {facts['version']} answers, and its schema is up to date.")
    return [healthy, *_outbox(facts)]


async def _facts(url: str) -> dict[str, Any]:
    connection = await asyncpg.connect(url)
    try:
        return dict(await connection.fetchrow(SQL.facts) or {})
    finally:
        await connection.close()


def _outbox(facts: dict[str, Any]) -> list[Finding]:
    checks = [
        (facts["branches"] == 0, "warning", "branches", "There are none. `zamu seed` makes a demo world."),
        (
            facts["late"] > 0,
            "wrong",
            "texts",
            f"{facts['late']} texts wait for over a minute. See if `zamu serve` or `zamu worker` runs, and its log.",
        ),
        (
            facts["dead"] > 0,
            "warning",
            "texts",
            f"{facts['dead']} texts of today could not be sent. The column `error` of notifications says why.",
        ),
        (
            facts["unknown"] > 0,
            "warning",
            "texts",
            f"{facts['unknown']} texts of today were handed over without an answer: they may have arrived.",
        ),
    ]
    return [Finding(state, about, text) for is_so, state, about, text in checks if is_so]  # type: ignore[arg-type]


async def _redis(url: str) -> Finding:
    client = redis.asyncio.from_url(url, socket_connect_timeout=2, socket_timeout=2)
    try:
        info = await client.info("server")
        policy = await _policy(client)
    except redis.exceptions.RedisError as error:
        return Finding(
            "wrong",
            "redis",
            f"It does not answer ({error}). People are still served, from the database; mend it soon.",
        )
    finally:
        await client.aclose()
    name = info.get("valkey_version") or info["redis_version"]
    if policy not in (None, "noeviction"):
        return Finding(
            "warning",
            "redis",
            f"Version {name} answers, but may drop sessions ({policy}). Set maxmemory-policy noeviction.",
        )
    return Finding("ok", "redis", f"Version {name} answers.")


async def _policy(client: redis.asyncio.Redis) -> str | None:
    """What it does when it is full; None where whoever runs it keeps that to himself."""
    try:
        return str((await client.config_get("maxmemory-policy"))["maxmemory-policy"])
    except redis.exceptions.ResponseError:
        return None
