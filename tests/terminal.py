"""An operator's terminal: commands that end, and servers that run until they are stopped or killed."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from db import embedded
from tests.story.town import CLEAN, ZAMU, free_port
from tests.world import World

SECRET = "the-secret-of-this-terminal"
START_SECONDS = 60  # on a machine that does many other things


@dataclass(slots=True)
class Process:
    """A command that runs for long. `output` is a file with all that it says."""

    process: subprocess.Popen[bytes]
    output: Path
    url: str = ""

    @property
    def said(self) -> str:
        return self.output.read_text()

    @property
    def logged(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.said.splitlines() if line.startswith("{")]

    def wait_for(self, words: str) -> None:
        """Until it has said these words."""
        deadline = time.monotonic() + START_SECONDS
        while words not in self.said:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.01)

    def kill(self) -> None:
        """As `kill -9` does."""
        self.process.kill()
        self.process.wait(START_SECONDS)

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, float]:
        """Stop it with a signal; the exit status and the seconds that it took."""
        began = time.monotonic()
        self.process.send_signal(number)
        status = self.process.wait(START_SECONDS)
        return status, time.monotonic() - began


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where commands are typed; `environ` holds the settings, and `folder` what its processes say."""

    environ: dict[str, str]
    folder: Path

    def zamu(self, *words: str, **changed: str) -> subprocess.CompletedProcess[str]:
        """A command, to its end. `changed` are settings for this one."""
        return subprocess.run(
            [ZAMU, *words],
            env=CLEAN | self.environ | changed,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )

    def ask(self, *words: str) -> dict[str, Any]:
        """What a command that is done answers with --json: one object and nothing else."""
        done = self.zamu(*words, "--json")
        assert (done.returncode, done.stderr) == (0, ""), done.stderr + done.stdout
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    @contextlib.contextmanager
    def running(self, *words: str, **changed: str) -> Iterator[Process]:
        """A command that runs for long, killed at the end if it still does."""
        output = self.folder / f"{words[0]}-{time.monotonic_ns()}"
        with output.open("wb") as said:
            process = subprocess.Popen(
                [ZAMU, *words], env=CLEAN | self.environ | changed, cwd=self.folder, stdout=said, stderr=said
            )
        made = Process(process, output)
        try:
            yield made
        finally:
            if process.poll() is None:
                made.kill()

    @contextlib.contextmanager
    def serving(self, *words: str, **changed: str) -> Iterator[Process]:
        """`zamu serve` that answers."""
        port = free_port()
        with self.running("serve", "--port", str(port), *words, **changed) as made:
            made.url = f"http://127.0.0.1:{port}"
            made.wait_for("Application startup complete.")
            yield made


def outside(database_url: str, redis_url: str) -> dict[str, str]:
    """The settings of servers that somebody else runs."""
    return {
        "ZAMU_DATABASE_URL": database_url,
        "ZAMU_REDIS_URL": redis_url,
        "ZAMU_SECRET_KEY": "k" * 32,
        "ZAMU_WEBHOOK_SECRET": SECRET,
    }


@pytest.fixture
async def database(world: World, seeded: embedded.Servers) -> str:
    """The address of the world's own database."""
    name = await world.pool.fetchval("select current_database()")
    return seeded.database_url.replace("/zamu?", f"/{name}?")


@pytest.fixture
def terminal(database: str, redis_url: str, tmp_path: Path) -> Terminal:
    """A terminal on the demo world."""
    return Terminal(outside(database, redis_url), tmp_path)


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """What a command said that stopped with exit status 1: a sentence, and no stack trace."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.rstrip().endswith((".", ".'"))
    return done.stderr.removeprefix("Error: ").rstrip()
