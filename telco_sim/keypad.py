"""Lines typed by a person or piped by a script; what is half typed survives what is printed meanwhile."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
import re
import sys
import termios
import threading
import tty
from collections.abc import Iterator

ESCAPE_SEQUENCE = re.compile(r"\x1b(\[[0-9;?]*[@-~]|O.|.)?")
ERASE = frozenset("\x7f\b")
ENTER = frozenset("\r\n")
END_OF_INPUT, ERASE_LINE = "\x04", "\x15"
READ_SIZE = 4096


class Keypad:
    """Standard input as lines. On a terminal it does its own echo, so that it can move the prompt."""

    def __init__(self) -> None:
        self.interactive = sys.stdin.isatty() and sys.stdout.isatty()
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._prompt = ""
        self._typed = ""

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Read until the block ends; a terminal is left as it was found."""
        fileno, loop = sys.stdin.fileno(), asyncio.get_running_loop()
        if not self.interactive:
            # A daemon thread with no lock of sys.stdin: one that blocks for ever does not keep the process.
            threading.Thread(target=self._pump, args=(fileno, loop), daemon=True).start()
            yield
            return
        before = termios.tcgetattr(fileno)
        tty.setcbreak(fileno, termios.TCSADRAIN)  # and keep what was typed too early
        loop.add_reader(fileno, lambda: self._feed(os.read(fileno, READ_SIZE)))
        try:
            yield
        finally:
            self._write("\r\x1b[J")
            loop.remove_reader(fileno)
            termios.tcsetattr(fileno, termios.TCSADRAIN, before)

    async def ask(self, prompt: str) -> str | None:
        """Return the next line, None at the end of the input."""
        self._prompt = prompt
        self._redraw()
        try:
            line = await self._lines.get()
        finally:
            self._prompt = ""
        if not self.interactive and line is not None:
            self._write(f"{prompt}{line}\n")
        return line

    def say(self, text: str, *, bell: bool = False) -> None:
        """Print above the line that is being typed."""
        if self.interactive:
            self._write("\r\x1b[J" + ("\a" if bell else ""))
        self._write(f"{text}\n")
        self._redraw()

    def _pump(self, fileno: int, loop: asyncio.AbstractEventLoop) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            while data := os.read(fileno, READ_SIZE):
                loop.call_soon_threadsafe(self._feed, data)
            loop.call_soon_threadsafe(self._feed, b"")

    def _feed(self, data: bytes) -> None:
        if not data:
            if self._typed:
                self._lines.put_nowait(self._typed)
            self._lines.put_nowait(None)
        typed = self._decoder.decode(data)
        for char in ESCAPE_SEQUENCE.sub("", typed) if self.interactive else typed:
            self._key(char)
        self._redraw()

    def _key(self, char: str) -> None:
        if char in ENTER:
            self._write_if_interactive(f"\r\x1b[J{self._prompt}{self._typed}\n")
            self._lines.put_nowait(self._typed)
            self._typed = self._prompt = ""
        elif char in ERASE:
            self._typed = self._typed[:-1]
        elif char == ERASE_LINE:
            self._typed = ""
        elif char == END_OF_INPUT and not self._typed:
            self._lines.put_nowait(None)
        elif char.isprintable():
            self._typed += char

    def _redraw(self) -> None:
        self._write_if_interactive(f"\r\x1b[J{self._prompt}{self._typed}")

    def _write_if_interactive(self, text: str) -> None:
        if self.interactive:
            self._write(text)

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()
