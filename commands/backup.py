"""`zamu backup` and `zamu restore`: copies of everything, and a new data folder as it was at a moment."""

from __future__ import annotations

import asyncio
import hmac
import os
import shutil
from datetime import datetime
from pathlib import Path

import asyncpg
import click

from commands.context import pass_settings, places
from db import backup as backups
from db.embedded import Servers
from db.migrate import migrate
from db.pool import connect
from queue_core import customers
from queue_core.core import Act, Core
from settings import Settings, load

SECRETS, KEY, OUTSIDE = "secrets.json", "key", "outside"
FOLDER = click.Path(file_okay=False, path_type=Path)
ARCHIVES = """
select current_setting('archive_mode') = 'on'
       and last_failed_time > coalesce(last_archived_time, '-infinity') is not true
  from pg_stat_archiver
"""
DONE = "select pg_last_xact_replay_timestamp()"


class Moment(click.ParamType[datetime]):
    """A date and time; without an offset, on this machine's clock."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            return datetime.fromisoformat(str(value)).astimezone()
        except ValueError:
            self.fail(f"{value!r} is not like '2026-03-21 14:05:09' or '2026-03-21T14:05:09+03:00'.", param, ctx)


@click.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@pass_settings
def backup(settings: Settings, folder: Path) -> None:
    """Copy everything to DIR while all runs on, and check the copy. Copies older than 35 days are thrown away."""

    async def work(where: Servers) -> tuple[backups.Base, bool]:
        base = await backups.take(where.database_url, folder)
        connection = await asyncpg.connect(where.database_url)
        try:
            return base, await connection.fetchval(ARCHIVES)
        finally:
            await connection.close()

    with places(settings) as where:
        base, archives = asyncio.run(work(where))
    _keep_secrets(settings, folder)
    removed = backups.prune(folder)
    click.echo(f"{base.path} is complete and was checked. {removed} old ones were removed.")
    if not archives or (settings.database_url is None and settings.backup_dir != folder):
        click.echo(
            "What happens from now on is in no backup until the next one, for the log is not kept: start the server"
            f" with ZAMU_BACKUP_DIR={folder}, or look at its log for why copying fails."
        )


def _keep_secrets(settings: Settings, folder: Path) -> None:
    """Without the secrets nobody's PIN is right after a restore, and nobody is erased again."""
    (folder / KEY).write_text(_fingerprint(settings))
    kept = settings.data_dir / SECRETS
    if settings.database_url:
        (folder / OUTSIDE).touch()
    elif kept.exists():
        shutil.copy(kept, folder / SECRETS)
        (folder / SECRETS).chmod(0o600)


def _fingerprint(settings: Settings) -> str:
    """Tells whether a key is the same, and not which."""
    return hmac.digest(settings.secret_key.encode(), b"backup", "sha256").hex()


@click.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--into", "data_dir", required=True, type=FOLDER, help="The new data folder; it must not be there.")
@click.option(
    "--to", type=Moment(), help="The moment to go back to, such as '2026-03-21 14:05:09'. Default: the last one."
)
def restore(folder: Path, data_dir: Path, to: datetime | None) -> None:
    """Make a new data folder of the backups in DIR, and erase again whoever asked for it since."""
    if (folder / OUTSIDE).exists():
        raise backups.BackupError(
            f"{folder} holds backups of a PostgreSQL of your own. Nothing was restored. Restore them with it, then run"
            " `zamu customer erase-again`: docs/operating.md says how."
        )
    if data_dir.exists():
        raise backups.BackupError(f"{data_dir} is there already. Nothing was restored. Name a folder that is not.")
    try:
        said = _restore(folder, data_dir, to)
    except BaseException:
        shutil.rmtree(data_dir, ignore_errors=True)
        raise
    click.echo(said)


def _restore(folder: Path, data_dir: Path, to: datetime | None) -> str:
    data_dir.mkdir(mode=0o700, parents=True)
    if (folder / SECRETS).exists():
        shutil.copy(folder / SECRETS, data_dir / SECRETS)
    settings = load({**os.environ, "ZAMU_DATA_DIR": str(data_dir)})
    if (folder / KEY).exists() and (folder / KEY).read_text() != _fingerprint(settings):
        raise backups.BackupError(
            "The secret key is not the one of these backups. Nothing was restored. Set ZAMU_SECRET_KEY as it was."
        )
    since = _erased_at_the_end(folder, data_dir / "latest") if to else {}
    with backups.recovered(folder, data_dir, to) as url:
        reached, erased = asyncio.run(_finish(url, since, settings.secret_key.encode()))
    return (
        f"{data_dir} is as it was at {reached or 'the last backup'}; {erased} people were erased again."
        f" Start it with ZAMU_DATA_DIR={data_dir}."
    )


def _erased_at_the_end(folder: Path, scratch: Path) -> dict[str, datetime]:
    """Whoever was erased up to the end of the log: a moment before it does not know."""

    async def read(url: str) -> dict[str, datetime]:
        await migrate(url)
        pool = await connect(url, size=1)
        try:
            return await customers.erased(Core(pool))
        finally:
            await pool.close()

    try:
        with backups.recovered(folder, scratch, None) as url:
            return asyncio.run(read(url))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


async def _finish(url: str, since: dict[str, datetime], key: bytes) -> tuple[datetime | None, int]:
    """Until when the log was followed, and how many were erased again."""
    await migrate(url)
    pool = await connect(url, size=2)
    try:
        core = Core(pool)
        erased = await customers.erase_again(core, Act("system", "system", reason="restore"), since, key)
        return await pool.fetchval(DONE), erased
    finally:
        await pool.close()
