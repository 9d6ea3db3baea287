"""Plays a scene against a telco: phones, texts, faults, and the staff's side by HTTP or by command."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import httpx

from telco_sim import forms
from telco_sim.control import Control, TelcoRefusedError, line_to
from telco_sim.scene import Scene, Step, arguments

PATIENCE = 10.0
LOOK_SECONDS = 0.2
Acts = dict[str, Callable[..., Coroutine[Any, Any, None]]]


@dataclass(slots=True)
class Played:
    """What came of a scene: how many expectations held, a sentence for each that did not, the ledger."""

    scene: str
    held: int = 0
    broken: list[str] = field(default_factory=list)
    ledger: list[dict[str, Any]] = field(default_factory=list)


class _NotHeldError(Exception):
    """An expectation does not hold."""


class Player:
    """One performance. `speed` divides every pause; how long a wait is given does not change."""

    def __init__(self, scene: Scene, control: Control, http: httpx.AsyncClient, speed: float) -> None:
        self._scene = scene
        self._control = control
        self._http = http
        self._speed = speed
        self._screens: dict[str, dict[str, Any]] = {}
        self._seen: dict[str, int] = {}
        self.played = Played(scene.name)

    async def play(self) -> Played:
        """Take every step; only a telco that is gone stops a scene."""
        start = await self._control.last()
        self._seen = dict.fromkeys(self._scene.phones, start)
        self._start = start
        await self._take(self._scene.steps, "")
        self.played.ledger = await self._control.rows(start)
        return self.played

    async def _take(self, steps: list[Step], where: str) -> None:
        for index, step in enumerate(steps, 1):
            [(kind, what)] = step.items()
            here = f"{where}{index}"
            if kind == "together":
                tracks = enumerate(what, 1)
                await asyncio.gather(*(self._take(track, f"{here}.{number}.") for number, track in tracks))
                continue
            try:
                await getattr(self, kind)(**arguments(what))
            except (_NotHeldError, TelcoRefusedError) as wrong:
                self.played.broken.append(f"Step {here}, {kind}: {wrong}")

    async def dial(self, phone: str, code: str) -> None:
        sim = {name: each for name, each in self._scene.phones.get(phone, {}).items() if name != "number"}
        self._screens[phone] = await self._control.dial(self._scene.number(phone), code, **sim)

    async def press(self, phone: str, keys: str | int) -> None:
        if not self._screens.get(phone, {}).get("open"):
            raise _NotHeldError(f"The last screen of {phone} took no answer, so {keys!r} was not sent.")
        self._screens[phone] = await self._control.press(self._screens[phone]["session"], str(keys))

    async def hangup(self, phone: str) -> None:
        if self._screens.get(phone, {}).get("open"):
            self._screens[phone] = await self._control.hang_up(self._screens[phone]["session"])

    async def switch_off(self, phone: str) -> None:
        await self._control.power(self._scene.number(phone), on=False)

    async def switch_on(self, phone: str) -> None:
        await self._control.power(self._scene.number(phone), on=True)

    async def text(self, phone: str, to: str | int, text: str) -> None:
        await self._control.text(self._scene.number(phone), str(to), text)

    async def faults(self, **faults: Any) -> None:
        await self._control.set_faults(faults)

    async def pause(self, value: float) -> None:
        await asyncio.sleep(value / self._speed)

    async def expect(self, phone: str, screen: str | None = None, *, open: bool | None = None) -> None:  # noqa: A002
        """The last screen has these words, and takes an answer or not."""
        shown = self._screens.get(phone, {"text": "", "open": False, "error": "nothing was dialled"})
        said = f"{phone} showed {shown['text']!r}{f' ({why})' if (why := shown['error']) else ''}"
        if screen is not None and screen not in shown["text"]:
            self._hold(f"{said}, without {screen!r}.")
        takes = "takes an" if shown["open"] else "takes no"
        self._hold("" if open in (None, shown["open"]) else f"{said}, which {takes} answer.")

    async def wait(self, phone: str, text: str, within: float = PATIENCE) -> None:
        """Until a text with these words arrives, later than the last one that was waited for."""
        number, seen = self._scene.number(phone), self._seen.get(phone, self._start)
        deadline = asyncio.get_running_loop().time() + within
        came: list[str] = []
        while (left := deadline - asyncio.get_running_loop().time()) > 0:
            for each in await self._control.texts(number, seen, min(left, PATIENCE)):
                seen = each["number"]
                came.append(each["text"])
                if text in each["text"]:
                    self._seen[phone] = seen
                    return self._hold("")
        return self._hold(f"No text with {text!r} reached {phone} in {within:g} s, but: {came}.")

    async def http(
        self,
        url: str,
        method: str = "POST",
        form: dict[str, Any] | None = None,
        json: Any = None,
        headers: dict[str, str] | None = None,
        *,
        status: int | None = None,
        contains: str = "",
        within: float = 0.0,
    ) -> None:
        """A request, asked again and again until it holds when there is time. Cookies are kept for the next one."""

        async def ask() -> str:
            reply = await self._http.request(method, url, data=form, json=json, headers=headers)
            return _unlike(reply.status_code, reply.text, status, contains)

        await self._insist(ask, within)

    async def click(
        self,
        url: str,
        button: str,
        links: list[str] | None = None,
        fields: dict[str, str] | None = None,
        contains: str = "",
        within: float = 0.0,
    ) -> None:
        """A button of a web page, pressed again and again until the page after it holds when there is time.

        `links` lead, one after the other, from the page at `url` to that of the button.
        """

        async def press() -> str:
            page = await forms.press(self._http, url, button, links=links or (), fields=fields)
            return _unlike(page.status_code, page.text, None, contains) if page else f"there was no {button!r}"

        await self._insist(press, within)

    async def _insist(self, attempt: Callable[[], Awaitable[str]], within: float) -> None:
        """Try until nothing is wrong. An address may hold a secret, so it is not repeated."""
        deadline = asyncio.get_running_loop().time() + within
        while True:
            try:
                wrong = await attempt()
            except httpx.HTTPError as error:
                wrong = f"no answer ({type(error).__name__})"
            if not wrong or asyncio.get_running_loop().time() >= deadline:
                break
            await asyncio.sleep(LOOK_SECONDS)
        self._hold(wrong and f"{wrong}.")

    async def run(self, command: list[str], status: int = 0, contains: str = "") -> None:
        """A command, such as one of the staff's; it inherits the environment."""
        try:
            process = await asyncio.create_subprocess_exec(
                *map(str, command), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=os.environ
            )
        except OSError as error:
            raise _NotHeldError(f"{command[0]} cannot be run: {error.strerror}.") from None
        said = (await process.communicate())[0].decode(errors="replace")
        wrong = _unlike(process.returncode or 0, said, status, contains)
        self._hold(wrong and f"{wrong}: {said.strip()}")

    def _hold(self, wrong: str) -> None:
        if wrong:
            raise _NotHeldError(wrong)
        self.played.held += 1


def _unlike(got: int, said: str, status: int | None, contains: str) -> str:
    if status not in (None, got):
        return f"it answered {got} instead of {status}"
    return "" if contains in said else f"it answered {got} without {contains!r}"


ACTS: Acts = {
    name: getattr(Player, name)
    for name in (
        "dial",
        "press",
        "hangup",
        "switch_off",
        "switch_on",
        "text",
        "faults",
        "pause",
        "expect",
        "wait",
        "http",
        "click",
        "run",
    )
}


async def play(scene: Scene, telco_url: str, *, speed: float = 1.0, site: str = "") -> Played:
    """Play on the telco at this address; addresses of `http` steps that begin with / are those of `site`."""
    async with line_to(telco_url) as control, forms.client(site, PATIENCE) as http:
        await control.health()
        return await Player(scene, control, http, speed).play()
