"""A whole town in one test: `zamu demo` as a person starts it, phones to hold, an operator's terminal."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

ZAMU = Path(__file__).parents[2] / ".venv/bin/zamu"
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("ZAMU_", "TELCO_"))}


def free_port() -> int:
    """Below the ports that systems give to clients: a crowd of them could take it before the server does."""
    while True:
        port = random.randint(10_000, 30_000)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


@dataclass(frozen=True, slots=True)
class Town:
    """The running demo. `said` is what its terminal shows; errors go there too."""

    data: Path
    port: int
    telco_port: int
    process: subprocess.Popen[bytes]
    output: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def said(self) -> str:
        return self.output.read_text()

    @property
    def secret(self) -> str:
        return str(json.loads((self.data / "secrets.json").read_text())["webhook_secret"])

    def zamu(self, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """A command in the second terminal."""
        return subprocess.run(
            [ZAMU, *words],
            env=CLEAN | {"ZAMU_DATA_DIR": str(self.data)},
            input=typed,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def ask(self, *words: str) -> dict[str, Any]:
        """A command with --json, which must be done."""
        done = self.zamu(*words, "--json")
        assert done.returncode == 0, done.stderr + done.stdout
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def phone(self, number: str, *typed: str) -> str:
        """What a handset shows while somebody types; a text that comes meanwhile is left out, see `texts`."""
        shown = self.zamu(
            "phone", number, "--telco", f"http://127.0.0.1:{self.telco_port}", typed="\n".join([*typed, "q\n"])
        ).stdout
        return "".join(line for line in shown.splitlines(keepends=True) if not line.startswith("SMS from"))

    def texts(self, number: str, *, at_least: int = 0) -> list[str]:
        """The phone's inbox, once it holds so many texts."""
        url = f"http://127.0.0.1:{self.telco_port}/telco/inbox/{number}"
        texts: list[str] = []
        for _ in range(100):
            texts = [text["text"] for text in httpx.get(url).json()["texts"]]
            if len(texts) >= at_least:
                return texts
            time.sleep(0.1)
        raise AssertionError(f"{number} got only {texts}")


@contextmanager
def town(folder: Path) -> Iterator[Town]:
    """Start everything with one command, and end it as Ctrl-C does."""
    port, telco_port, output = free_port(), free_port(), folder / "output"
    with output.open("wb") as terminal:
        process = subprocess.Popen(
            [ZAMU, "demo", "--port", str(port), "--telco-port", str(telco_port)],
            env=CLEAN | {"ZAMU_DATA_DIR": str(folder / "data")},
            stdout=terminal,
            stderr=terminal,
        )
    made = Town(folder / "data", port, telco_port, process, output)
    try:
        _wait(made)
        yield made
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)


def _wait(made: Town) -> None:
    for _ in range(300):
        if made.process.poll() is not None:
            break
        try:
            if httpx.get(f"{made.url}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(made.said)
