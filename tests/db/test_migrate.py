"""Migrations: forward only, each once and whole, and functions that follow the tree."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from db import embedded
from db.migrate import MigrationError, migrate, pending
from db.pool import Connection
from db.snapshot import FILE, snapshot

PLACES = "create table places (name text)"


@pytest.fixture
async def connection(empty_url: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(empty_url)
    yield connection
    await connection.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a tree keeps its migrations and functions, with one migration in it."""
    (tmp_path / "migrations").mkdir()
    (tmp_path / "functions").mkdir()
    write(tmp_path, "migrations/0001_places.sql", PLACES)
    return tmp_path


def write(folder: Path, name: str, sql: str) -> None:
    (folder / name).write_text(sql)


def function(value: int) -> str:
    return f"create or replace function answer() returns int language sql as $$ select {value} $$;"


async def test_each_migration_is_applied_once(empty_url: str, folder: Path) -> None:
    assert await pending(empty_url, folder) == ["0001_places", "functions"]
    assert await migrate(empty_url, folder) == ["0001_places", "functions"]
    assert await pending(empty_url, folder) == []
    write(
        folder,
        "migrations/0002_people.sql",
        "create table people (name text); alter table places add code int",
    )
    assert await pending(empty_url, folder) == ["0002_people"]
    assert await migrate(empty_url, folder) == ["0002_people"]
    assert await migrate(empty_url, folder) == []


async def test_asking_what_is_pending_changes_nothing(empty_url: str, folder: Path, connection: Connection) -> None:
    await pending(empty_url, folder)
    assert await connection.fetchval("select count(*) from pg_tables where schemaname = 'public'") == 0


async def test_a_file_changed_after_it_was_applied_is_refused(empty_url: str, folder: Path) -> None:
    await migrate(empty_url, folder)
    write(folder, "migrations/0001_places.sql", PLACES + " ")
    write(folder, "migrations/0002_people.sql", "create table people (name text)")
    for verb in (migrate, pending):
        with pytest.raises(MigrationError, match=r"0001_places was changed after it was applied"):
            await verb(empty_url, folder)


async def test_a_file_that_fails_leaves_nothing_of_itself(empty_url: str, folder: Path, connection: Connection) -> None:
    write(folder, "migrations/0002_people.sql", "create table people (name text); select 1 / 0")
    with pytest.raises(MigrationError, match=r"0002_people failed: division by zero"):
        await migrate(empty_url, folder)
    assert await connection.fetchval("select to_regclass('places') is not null and to_regclass('people') is null")
    assert await pending(empty_url, folder) == ["0002_people", "functions"]


@pytest.mark.parametrize("name", ["0003_gap", "0001_twice", "2_short", "0002_Upper-case"])
async def test_a_wrong_number_or_name_is_refused_before_anything_runs(
    empty_url: str, folder: Path, name: str, connection: Connection
) -> None:
    write(folder, f"migrations/{name}.sql", "select 1")
    with pytest.raises(MigrationError, match=r"where a file 000\d_words\.sql belongs"):
        await migrate(empty_url, folder)
    assert await connection.fetchval("select to_regclass('places')") is None


async def test_functions_follow_the_tree(empty_url: str, folder: Path, connection: Connection) -> None:
    write(folder, "functions/01_answer.sql", function(1))
    await migrate(empty_url, folder)
    assert await connection.fetchval("select answer()") == 1
    write(folder, "functions/01_answer.sql", function(2))
    assert await migrate(empty_url, folder) == ["functions"]
    assert await connection.fetchval("select answer()") == 2
    write(folder, "functions/01_answer.sql", function(1))
    assert await migrate(empty_url, folder) == ["functions"]
    assert await connection.fetchval("select answer()") == 1


async def test_a_function_may_use_one_that_is_written_below_it(
    empty_url: str, folder: Path, connection: Connection
) -> None:
    caller = "create or replace function ask() returns int language sql as $$ select answer() $$;"
    write(folder, "functions/01_ask.sql", caller)
    write(folder, "functions/02_answer.sql", function(7))
    await migrate(empty_url, folder)
    assert await connection.fetchval("select ask()") == 7


async def test_a_function_that_names_what_is_nowhere_is_refused(empty_url: str, folder: Path) -> None:
    write(
        folder,
        "functions/01_ask.sql",
        "create or replace function ask() returns int language sql as $$ select no() $$;",
    )
    with pytest.raises(MigrationError, match=r"functions failed: function no\(\) does not exist"):
        await migrate(empty_url, folder)


async def test_an_older_tree_leaves_the_functions_of_a_newer_one(
    empty_url: str, folder: Path, connection: Connection
) -> None:
    write(folder, "migrations/0002_people.sql", "create table people (name text)")
    write(folder, "functions/01_answer.sql", function(2))
    await migrate(empty_url, folder)
    (folder / "migrations/0002_people.sql").unlink()
    write(folder, "functions/01_answer.sql", function(1))
    assert await migrate(empty_url, folder) == []
    assert await connection.fetchval("select answer()") == 2


async def test_several_processes_at_once_apply_each_file_once(empty_url: str, folder: Path) -> None:
    write(folder, "migrations/0002_slow.sql", "select pg_sleep(0.05)")
    applied = await asyncio.gather(*(migrate(empty_url, folder) for _ in range(4)))
    assert sorted(applied) == [[], [], [], ["0001_places", "0002_slow", "functions"]]


async def test_a_migration_does_not_stand_in_the_way_of_people(
    empty_url: str, folder: Path, connection: Connection
) -> None:
    await migrate(empty_url, folder)
    write(folder, "migrations/0002_code.sql", "set local lock_timeout = 10; alter table places add code int")
    async with connection.transaction():
        await connection.execute("select * from places")
        with pytest.raises(MigrationError, match=r"0002_code failed: canceling statement due to lock timeout"):
            await migrate(empty_url, folder)
    assert await migrate(empty_url, folder) == ["0002_code"]


async def test_a_migration_waits_four_seconds_for_a_lock_and_runs_for_five_at_most(
    empty_url: str, folder: Path, connection: Connection
) -> None:
    write(
        folder,
        "migrations/0002_limits.sql",
        "create table limits as select current_setting('lock_timeout') as lock,"
        " current_setting('statement_timeout') as statement",
    )
    await migrate(empty_url, folder)
    assert tuple(await connection.fetchrow("select * from limits") or ()) == ("4s", "5s")


def test_schema_sql_is_what_the_migrations_and_functions_make(template: embedded.Servers) -> None:
    assert FILE.read_text() == snapshot(template.database_url), "run `make schema` and look at the difference"
