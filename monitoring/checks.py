"""What Zamu needs, looked at one by one and said in words: for `zamu doctor` and for the panel's page of health."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from db.migrate import MigrationError, missing
from db.pool import FAILED, Connection, Pool
from db.queries import load
from monitoring.held import Held

SQL = load("doctor")

SECONDS = 2.0  # Redis has no time-outs of its own
SPOOL_SECONDS = 60  # what waits longer is not on its way
SWEEPER_SECONDS = 30

State = Literal["ok", "warning", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    state: State
    about: str
    sentence: str


def of_settings(
    public_url: str, at_base_url: str | None, sms_gateways: Sequence[str], trusted_proxies: str | None
) -> list[Finding]:
    host = urlsplit(public_url).hostname or ""
    local = host in {"localhost", "::1"} or host.startswith("127.")
    findings = [Finding("ok", "secrets", "The secret key and the webhook secret are set.")]
    if local and not at_base_url:
        sentence = f"{public_url} is this machine alone: no gateway can reach it. Set ZAMU_PUBLIC_URL."
        findings.append(Finding("warning", "public url", sentence))
    if public_url.startswith("https:") and not trusted_proxies:
        sentence = (
            f"A proxy answers {public_url}. Set ZAMU_TRUSTED_PROXIES to its address (127.0.0.1 on this machine): from"
            " one that we do not trust everybody has one address, and wrong log-ins of one shut out all."
        )
        findings.append(Finding("warning", "proxy", sentence))
    if sms_gateways == ("console",):
        sentence = "Texts are only printed. Set ZAMU_AT_USERNAME and ZAMU_AT_API_KEY to send them."
        findings.append(Finding("warning", "texts", sentence))
    return findings


async def of_database(connection: Connection) -> list[Finding]:
    """Raises what a database that fails raises; `database_away` puts it into words."""
    try:
        lacks = await missing(connection)
    except MigrationError as error:
        return [Finding("wrong", "database", str(error))]
    if lacks:
        return [Finding("wrong", "database", f"It lacks {', '.join(lacks)}. Run `zamu migrate`.")]
    facts = dict(await connection.fetchrow(SQL.facts) or {})
    healthy = f"PostgreSQL {facts['version']} answers, and its schema is up to date."
    return [Finding("ok", "database", healthy), *_of_facts(facts)]


def database_away(why: str) -> Finding:
    return Finding("wrong", "database", f"It does not serve us ({why}). See that it runs.")


def _of_facts(facts: dict[str, Any]) -> list[Finding]:
    checks: list[tuple[bool, State, str, str]] = [
        (
            facts["read_only"],
            "wrong",
            "database",
            "It takes no changes: nobody can join and nobody be called. Look if it is a replica or its disk is full.",
        ),
        (facts["branches"] == 0, "warning", "branches", "There are none. `zamu seed` makes a demo world."),
        (
            facts["silent"] > SWEEPER_SECONDS,
            "wrong",
            "worker",
            f"No worker was here for {_span(facts['silent'])}: no text is sent, no call expires. Start `zamu worker`.",
        ),
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
        (
            facts["unhandled"] > 0,
            "wrong",
            "texts",
            f"{facts['unhandled']} texts from people wait for over a minute. See if `zamu serve` runs, and its log.",
        ),
    ]
    return [Finding(state, about, sentence) for is_so, state, about, sentence in checks if is_so]


async def of_redis(client: Redis) -> Finding:
    try:
        async with asyncio.timeout(SECONDS):
            info = await client.info("server")
            policy = await _policy(client)
    except (RedisError, OSError) as error:
        why = str(error) or "it is silent"
        return Finding(
            "wrong", "redis", f"It does not answer ({why}). People are still served, from the database; mend it soon."
        )
    name = info.get("valkey_version") or info["redis_version"]
    if policy not in (None, "noeviction"):
        sentence = f"Version {name} answers, but may drop sessions ({policy}). Set maxmemory-policy noeviction."
        return Finding("warning", "redis", sentence)
    return Finding("ok", "redis", f"Version {name} answers.")


async def _policy(client: Redis) -> str | None:
    """What it does when it is full; None where whoever runs it keeps that to himself."""
    try:
        return str((await client.config_get("maxmemory-policy"))["maxmemory-policy"])
    except ResponseError:
        return None


def of_spool(held: Held) -> list[Finding]:
    """Nothing is said of an empty one."""
    findings = []
    if held.oldest_seconds > SPOOL_SECONDS:
        sentence = (
            f"{held.texts} texts on this disk wait for the database, the oldest for {_span(held.oldest_seconds)}."
            " See if `zamu serve` runs, and its log."
        )
        findings.append(Finding("wrong", "spool", sentence))
    if held.broken:
        sentence = (
            f"{held.broken} kept texts cannot be read. Look at the files .broken in the spool of ZAMU_DATA_DIR,"
            " and delete them."
        )
        findings.append(Finding("warning", "spool", sentence))
    return findings


@dataclass(frozen=True, slots=True)
class Checkup:
    """All of them, by what a running process holds. `settled` is what was found of the settings."""

    settled: Sequence[Finding]
    pool: Pool
    redis: Redis
    held: Callable[[], Held]

    async def __call__(self) -> list[Finding]:
        kept = of_spool(await asyncio.to_thread(self.held))
        return [*self.settled, *await self._of_database(), await of_redis(self.redis), *kept]

    async def _of_database(self) -> list[Finding]:
        try:
            async with self.pool.acquire(timeout=SECONDS) as connection:
                return await of_database(connection)
        except FAILED as error:
            return [database_away(type(error).__name__)]


def _span(seconds: float) -> str:
    minutes = int(seconds // 60)
    return f"{int(seconds)} s" if minutes < 2 else f"{minutes} min" if minutes < 120 else f"{minutes // 60} hours"
