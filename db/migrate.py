"""Brings a database to the schema of this tree: numbered files once each, functions whenever they changed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import asyncpg

from db.pool import Connection

FOLDER = Path(__file__).parent
# Any number that no other program that locks in this database uses.
LOCK = 0x5A414D55
# Long enough for another process to finish the same migrations, then short: nobody waits behind us.
TURN = "set lock_timeout = '60s'; set statement_timeout = 0"
LIMITS = "set lock_timeout = '4s'; set statement_timeout = '5s'"
RECORDS = """
create table if not exists schema_migrations (
    version int primary key,
    name text not null,
    checksum text not null,
    applied_at timestamptz not null default now()
);
create table if not exists schema_functions (
    checksum text primary key,
    applied_at timestamptz not null default now()
);
"""


class MigrationError(Exception):
    """The database was not brought to this schema; the text says what it has now and what to do."""


@dataclass(frozen=True, slots=True)
class Script:
    """One .sql file, or all function files as one."""

    name: str
    sql: str

    @property
    def version(self) -> int:
        return int(self.name[:4])

    @property
    def checksum(self) -> str:
        return sha256(self.sql.encode()).hexdigest()


async def migrate(url: str, folder: Path = FOLDER) -> list[str]:
    """Apply what is missing, each file in its own transaction; returns the names of what was applied.

    Any number of processes may call this at once. Raises MigrationError; files before the one that failed
    stay applied. A database newer than this tree keeps its own functions.
    """
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(TURN)
        await connection.execute("select pg_advisory_lock($1)", LOCK)
        await connection.execute(LIMITS)
        await connection.execute(RECORDS)
        scripts = await _missing(connection, folder)
        for script in scripts:
            await _apply(connection, script)
    finally:
        await connection.close()
    return [script.name for script in scripts]


async def pending(url: str, folder: Path = FOLDER) -> list[str]:
    """What `migrate` would apply, changing nothing. Raises MigrationError as it would."""
    connection = await asyncpg.connect(url)
    try:
        return await missing(connection, folder)
    finally:
        await connection.close()


async def missing(connection: Connection, folder: Path = FOLDER) -> list[str]:
    """The same, on a connection that there is already."""
    return [script.name for script in await _missing(connection, folder)]


async def _missing(connection: Connection, folder: Path) -> list[Script]:
    files = _files(folder)
    applied, functions = await _applied(connection)
    for script in files:
        if applied.get(script.version, script.checksum) != script.checksum:
            raise MigrationError(
                f"{script.name} was changed after it was applied to this database. Nothing was changed."
                " Put the file back as it was, and write what you need into a new one."
            )
    lacks = [script for script in files if script.version not in applied]
    current = _functions(folder)
    newer = applied.keys() - {script.version for script in files}
    if current.checksum not in functions and not newer:
        lacks.append(current)
    return lacks


async def _applied(connection: Connection) -> tuple[dict[int, str], set[str]]:
    if await connection.fetchval("select to_regclass('schema_functions')") is None:
        return {}, set()
    migrations = await connection.fetch("select version, checksum from schema_migrations")
    functions = await connection.fetch("select checksum from schema_functions")
    return {row["version"]: row["checksum"] for row in migrations}, {row["checksum"] for row in functions}


async def _apply(connection: Connection, script: Script) -> None:
    try:
        async with connection.transaction():
            await connection.execute(script.sql)
            if script.name == "functions":
                await connection.execute("delete from schema_functions")
                await connection.execute("insert into schema_functions (checksum) values ($1)", script.checksum)
            else:
                await connection.execute(
                    "insert into schema_migrations (version, name, checksum) values ($1, $2, $3)",
                    script.version,
                    script.name,
                    script.checksum,
                )
    except asyncpg.PostgresError as error:
        raise MigrationError(
            f"{script.name} failed: {error.args[0]}. Nothing of it was kept; what came before it is applied."
        ) from error


def _files(folder: Path) -> list[Script]:
    """The migrations in order; their numbers count from 0001 without a gap."""
    scripts = [Script(path.stem, path.read_text()) for path in sorted(folder.glob("migrations/*.sql"))]
    for number, script in enumerate(scripts, 1):
        if not re.fullmatch(rf"{number:04}_[a-z0-9_]+", script.name):
            raise MigrationError(f"db/migrations has {script.name}.sql where a file {number:04}_words.sql belongs.")
    return scripts


def _functions(folder: Path) -> Script:
    """All function files as one script, that may run again and again.

    It goes through them twice: unchecked, so that their order does not matter, and once more to have every
    body checked against all the others.
    """
    files = "\n".join(path.read_text() for path in sorted(folder.glob("functions/*.sql")))
    return Script(
        "functions",
        f"set local check_function_bodies = off;\n{files};\nset local check_function_bodies = on;\n{files}",
    )
