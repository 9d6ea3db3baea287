"""One embedded server: a process that lives exactly as long as its lock file is held."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_NB, flock
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

# After a crash PostgreSQL replays what it had written; more than this and a person should look.
READY_SECONDS = 60
# A stopping server writes out what it holds; past this it is killed, and recovers at its next start.
STOP_SECONDS = 20


class EmbeddedError(Exception):
    """The servers cannot run here; the text is one sentence or two for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class Folder:
    """The data folder, the folder of its sockets, and whether what is written must survive a power cut."""

    path: Path
    run: Path
    durable: bool

    @property
    def account(self) -> pwd.struct_passwd | None:
        """Whom the servers run as when we are root, whom PostgreSQL refuses: the folder's owner or nobody."""
        if os.geteuid() != 0:
            return None
        owner = self.path.stat().st_uid
        return pwd.getpwuid(owner) if owner else pwd.getpwnam("nobody")

    def give(self, path: Path) -> None:
        """What root makes in somebody's folder belongs to that somebody."""
        if os.geteuid() == 0:
            owner = self.path.stat()
            os.chown(path, owner.st_uid, owner.st_gid)


class Server(ABC):
    """One server. It inherits a locked file, so it lives exactly as long as that lock is held.

    Process ids are used again after a reboot or in a new container; such a lock tells the truth there too.
    """

    name: ClassVar[str]
    ready_seconds: ClassVar[float] = READY_SECONDS

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.lock_file = folder.path / f"{self.name.lower()}.lock"
        self.log_file = folder.path / f"{self.name.lower()}.log"
        self._child = 0

    @abstractmethod
    def prepare(self) -> None:
        """Make the data folder, or check the one that is there. No such server is alive now."""

    @abstractmethod
    def command(self) -> list[str]: ...

    @abstractmethod
    def answers(self) -> bool: ...

    @abstractmethod
    def ask_to_stop(self) -> None: ...

    def begin(self) -> None:
        """Start the server unless it lives already; `wait` waits until it answers."""
        with self.lock_file.open("a") as lock:
            try:
                flock(lock, LOCK_EX | LOCK_NB)
            except BlockingIOError:
                return
            self.folder.give(self.lock_file)
            self.prepare()
            self._child = self._spawn(lock.fileno())

    def wait(self) -> None:
        """Wait until it answers; one that we found on its way down is started again."""
        deadline = time.monotonic() + self.ready_seconds
        while not self.answers():
            if not self.alive():
                if self._child:
                    raise EmbeddedError(f"{self.name} did not start. {self.last_words()}")
                self.begin()
            elif time.monotonic() > deadline:
                raise EmbeddedError(
                    f"{self.name} runs but has not answered for {self.ready_seconds} seconds. {self.last_words()}"
                )
            time.sleep(0.005)

    def wait_stopped(self) -> None:
        """Wait until it is gone. One that had hardly started could not hear, so it is asked again."""
        deadline = time.monotonic() + STOP_SECONDS
        while self.alive():
            if time.monotonic() > deadline:
                raise EmbeddedError(
                    f"{self.name} was asked to stop and still runs after {STOP_SECONDS} seconds. {self.last_words()}"
                )
            self.ask_to_stop()
            time.sleep(0.01)
        if self._child:
            with suppress(ChildProcessError):  # a process that reaps everybody's children was quicker
                os.waitpid(self._child, 0)
            self._child = 0

    def alive(self) -> bool:
        """Whether any process of this server still runs."""
        with self.lock_file.open("a") as lock:
            try:
                flock(lock, LOCK_EX | LOCK_NB)
            except BlockingIOError:
                return True
            return False

    def _spawn(self, lock: int) -> int:
        """Start the server in a session of its own, which Ctrl-C does not reach, holding the lock."""
        log = os.open(self.log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.folder.give(self.log_file)
        os.set_inheritable(lock, True)  # noqa: FBT003
        try:
            return os.posix_spawn(
                (command := self.as_account(self.command()))[0],
                command,
                environment(),
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, log, 1),
                    (os.POSIX_SPAWN_DUP2, log, 2),
                ],
                setsid=True,
            )
        except OSError as error:
            raise EmbeddedError(f"{self.name} cannot run on this machine: {error.strerror}.") from None
        finally:
            os.close(log)

    def as_account(self, command: list[str]) -> list[str]:
        """As root: the same command as another user, who still may pass our folders as root may.

        The binaries or the data may lie under a home that only root can enter. That one capability is
        passed on, rather than a permission changed on a folder that is not ours.
        """
        if (account := self.folder.account) is None:
            return command
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            raise EmbeddedError(
                "PostgreSQL refuses to run as root, and setpriv (of util-linux), which would start it as"
                f" {account.pw_name}, is not installed. Install it, or run Zamu as another user."
            )
        who = [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
        return [setpriv, *who, "--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--", *command]

    def last_words(self) -> str:
        lines = self.log_file.read_text(errors="replace").splitlines() if self.log_file.exists() else []
        said = f" It said: {lines[-1]}" if lines else ""
        return f"Its log is {self.log_file}.{said}"


def wheel(package: str) -> Path:
    """Where a wheel lies. Importing it would load managers of servers that we do not use."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ImportError(f"{package} is not installed; `make install` installs it")
    return Path(spec.origin).parent


def connected(path: Path) -> socket.socket:
    """A connection to a server's socket, or OSError within a second."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(1)
        connection.connect(str(path))
    except OSError:
        connection.close()
        raise
    return connection


def environment() -> dict[str, str]:
    """Ours without what would configure PostgreSQL behind our back or change the language of its log."""
    keep = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_", "LANG"))}
    return keep | {"LC_ALL": "C", "TZ": "UTC"}
