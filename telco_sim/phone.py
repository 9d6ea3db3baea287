"""The handset in a terminal: dial, press keys, and read the texts that arrive meanwhile."""

from __future__ import annotations

import asyncio
import re
import sys
from typing import Any

from telco_sim.control import WAIT_SECONDS, Control, TelcoGoneError, TelcoRefusedError, line_to
from telco_sim.drawing import drawn_screen, drawn_sent, drawn_text, plain_screen, plain_sent, plain_text
from telco_sim.keypad import Keypad

NO_SESSION: dict[str, Any] = {"open": False, "session": "", "seconds": 0.0}
LONGEST_WAIT_SECONDS = 10.0
CODE = re.compile(r"\*[0-9*]+#")
TEXTING = re.compile(r"sms\s+(\+?\d{3,15})(?:\s+(.*))?")
HELP = """\
  {code}dial; any code that begins with * and ends with #
  1, 2 ...     answer the screen, and press Enter
  send WORDS   answer with words that mean something here, or with nothing
  sms {number} WORDS
               text WORDS to a number: sms {number} JOIN 4071
  sms          read the inbox
  wait         wait for the next text
  h            hang up
  q            put the phone away"""


def main(phone: str, telco_url: str) -> int:
    """Hold the phone until it is put away; returns the exit status, 1 when no telco answers."""
    try:
        return asyncio.run(_hold(phone, telco_url))
    except KeyboardInterrupt:
        return 0
    except (TelcoGoneError, TelcoRefusedError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


async def _hold(phone: str, telco_url: str) -> int:
    keypad = Keypad()
    async with line_to(telco_url) as control:
        health = await control.health()
        handset = _Handset(phone, control, keypad, health)
        await handset.switch_on()
        with keypad.listening():
            await handset.hold()
    return 0


class _Handset:
    def __init__(self, phone: str, control: Control, keypad: Keypad, health: dict[str, Any]) -> None:
        self._phone = phone
        self._control = control
        self._keypad = keypad
        self._code = health["code"]
        self._network = health["network"]
        self._number = next(iter(health["numbers"]), "NUMBER")
        self._screen = NO_SESSION
        self._deadline: float | None = None
        self._inbox: list[dict[str, Any]] = []
        self._unread = 0
        self._arrivals: asyncio.Queue[None] = asyncio.Queue()

    async def switch_on(self) -> None:
        """Greet, and count the texts that came while nobody held the phone."""
        self._inbox = await self._control.texts(self._phone, after=0, wait=0)
        self._unread = len(self._inbox)
        self._say(f"{self._phone} on {self._network}. Dial {self._code} and press Enter; ? for help, q to leave.")
        if self._unread:
            self._say(f"{self._unread} unread: type sms to read.")

    async def hold(self) -> None:
        """Obey one line after the other until the phone is put away."""
        watcher = asyncio.create_task(self._watch())
        try:
            while (line := await self._next_line(watcher)) not in {None, "q"}:
                await self._obey(str(line))
        finally:
            watcher.cancel()
        if self._screen["open"]:
            await self._control.hang_up(self._screen["session"])

    async def _next_line(self, watcher: asyncio.Task[None]) -> str | None:
        """Return what is typed; raises TelcoGoneError when the telco disappears while nobody types."""
        ask = asyncio.create_task(self._keypad.ask("reply> " if self._screen["open"] else "dial> "))
        now = asyncio.get_running_loop().time()
        patience = max(0.0, self._deadline - now) if self._deadline else None
        done, _ = await asyncio.wait({ask, watcher}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        if ask in done:
            return ask.result()
        ask.cancel()
        if watcher in done:
            watcher.result()
        self._say(f"The network ended the session: nobody answered for {self._screen['seconds']:.0f} s.")
        self._close()
        return ""

    async def _obey(self, line: str) -> None:
        word, _, rest = line.strip().partition(" ")
        if word == "?":
            self._say(HELP.format(code=self._code.ljust(13), number=self._number))
        elif word == "sms" and not rest:
            self._read_inbox()
        elif texting := TEXTING.fullmatch(line.strip()):
            await self._send(texting[1], texting[2] or "")
        elif word == "wait" and not rest:
            await self._wait()
        elif word == "h" and not rest:
            await self._hang_up()
        elif CODE.fullmatch(line.strip()):
            await self._dial(line.strip())
        elif line:
            await self._answer(rest if word == "send" else line)

    async def _dial(self, code: str) -> None:
        if self._screen["open"]:
            await self._control.hang_up(self._screen["session"])
        self._show(await self._control.dial(self._phone, code))

    async def _answer(self, keys: str) -> None:
        if not self._screen["open"]:
            self._say(f"Dial a code first, such as {self._code}.")
            return
        self._show(await self._control.press(self._screen["session"], keys))

    async def _send(self, number: str, words: str) -> None:
        """Text a number; what is wrong with the application is for the developer, as on a screen."""
        if not words:
            self._say(f"Write the words after the number: sms {number} JOIN 4071")
            return
        self._say((drawn_sent if self._keypad.interactive else plain_sent)(number, words))
        try:
            answers = await self._control.text(self._phone, number, words)
        except TelcoRefusedError as refused:
            self._say(str(refused))
            return
        for error in dict.fromkeys(answer["error"] for answer in answers if answer["error"]):
            self._say(f"! {error}")

    async def _hang_up(self) -> None:
        if not self._screen["open"]:
            self._say("No session is open.")
            return
        await self._control.hang_up(self._screen["session"])
        self._close()
        self._say("You hung up.")

    async def _watch(self) -> None:
        """Show each text as it arrives, for ever."""
        while True:
            after = self._inbox[-1]["number"] if self._inbox else 0
            for text in await self._control.texts(self._phone, after, WAIT_SECONDS):
                self._inbox.append(text)
                self._unread += 1
                self._say(self._text(text), bell=True)
                self._arrivals.put_nowait(None)

    async def _wait(self) -> None:
        """Return once there was one more text than there were waits."""
        try:
            await asyncio.wait_for(self._arrivals.get(), LONGEST_WAIT_SECONDS)
        except TimeoutError:
            self._say(f"No text came within {LONGEST_WAIT_SECONDS:.0f} s.")

    def _read_inbox(self) -> None:
        self._unread = 0
        self._say("\n".join(self._text(text) for text in self._inbox) or "No texts yet.")

    def _close(self) -> None:
        self._screen, self._deadline = NO_SESSION, None

    def _show(self, screen: dict[str, Any]) -> None:
        self._close()
        if screen["open"]:
            self._screen = screen
            self._deadline = asyncio.get_running_loop().time() + screen["seconds"]
        drawn = drawn_screen(screen, self._network, self._unread) if self._keypad.interactive else plain_screen(screen)
        self._say(drawn)

    def _text(self, text: dict[str, Any]) -> str:
        return drawn_text(text) if self._keypad.interactive else plain_text(text)

    def _say(self, text: str, *, bell: bool = False) -> None:
        self._keypad.say(text, bell=bell)
