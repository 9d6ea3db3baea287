"""USSD hops of the real server against the bare handler: one worker each, the same crowd, turn about."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

import uvloop

from bench.crowd import Conversation, call

CALLERS = 64
ROUNDS = 5
HOPS = 6000  # of each kind a round
MENU = ["", "1", "1*0", "1*0*3", "1*0*3*0", "1*0*3*0*3", "1*0*3*0*3*1", "1*0*3*0*3*1*0"]
JOIN = ["4071", "4071*1", "4071*1*1"]

_serial = itertools.count()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(command: list[str], environ: dict[str, str], ready: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server of its own, from its start to the first answer of `ready` and to its end."""
    quiet = subprocess.DEVNULL
    child = subprocess.Popen(command, env=os.environ | environ, stderr=quiet, stdout=quiet)  # noqa: S603
    try:
        _wait(ready, child)
        yield child
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(20)


def _wait(url: str, child: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(url, timeout=1).close()  # noqa: S310 - our own address
            return
        except urllib.error.HTTPError:  # it answers, if only that there is nothing here
            return
        except OSError:
            if child.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start: {child.args!r}") from None
            time.sleep(0.01)


def zamu(data: Path, port: int, secret: str, **changed: str) -> tuple[list[str], dict[str, str], str]:
    """The command, environment and first question of a real server with embedded databases."""
    environ = {"ZAMU_DATA_DIR": str(data), "ZAMU_WEBHOOK_SECRET": secret, "ZAMU_SMS_GATEWAYS": "console", **changed}
    return (
        [sys.executable, "-m", "cli", "serve", "--port", str(port)],
        environ,
        f"http://127.0.0.1:{port}/readyz",
    )


def seed(data: Path) -> None:
    """The demo world, in a server that runs already."""
    subprocess.run(
        [sys.executable, "-m", "cli", "seed"],
        env=os.environ | {"ZAMU_DATA_DIR": str(data)},
        check=True,
        stdout=subprocess.DEVNULL,
    )


def resident_mb(pid: int) -> float:
    said = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)  # noqa: S603, S607
    return int(said.stdout) / 1024


def conversation(transcripts: list[str], hops: int) -> Callable[[int], Conversation]:
    """Whole sessions, each by a phone that never called before, until one caller's share of `hops` is done."""

    def bodies(_caller: int) -> Conversation:
        for _ in range(max(1, hops // CALLERS // len(transcripts))):
            number = next(_serial)
            for text in transcripts:
                yield urlencode(
                    {
                        "sessionId": f"ATUid_{number:032x}",
                        "phoneNumber": f"+2547{number:08}",
                        "networkCode": "63902",
                        "serviceCode": "*384*40#",
                        "text": text,
                    }
                ).encode()

    return bodies


def ratios(port: int, secret: str, bare_port: int) -> dict[str, float]:
    """Throughput of menu hops, and of the hops of a two-key join, each divided by the bare handler's beside it."""
    path = f"/hooks/africastalking/ussd/{secret}"
    menu, join = [], []
    for turn in range(ROUNDS + 1):
        bare = uvloop.run(call(bare_port, "/hop", CALLERS, conversation(MENU, HOPS)))
        ours = uvloop.run(call(port, path, CALLERS, conversation(MENU, HOPS)))
        joins = uvloop.run(call(port, path, CALLERS, conversation(JOIN, HOPS // 2)))
        if turn:  # the first is for warming up
            menu.append(ours / bare)
            join.append(joins / bare)
            print(f"  bare {bare:6.0f}/s   menu hops {ours:6.0f}/s   hops of joins {joins:6.0f}/s")
    return {"ussd_menu_ratio": median(menu), "ussd_join_ratio": median(join)}
