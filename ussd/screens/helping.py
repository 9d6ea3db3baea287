"""Help, money, alerts, a person's data, and a person to talk to."""

from __future__ import annotations

from typing import ClassVar

from queue_core import customers
from ussd.screen import Screen
from ussd.visit import View, Visit


class Help(Screen):
    name = "help"
    code = "U26"
    texts = ("help",)
    keys: ClassVar = {"1": "how", "2": "cost", "3": "alerts", "4": "data", "5": "call", "0": "back"}
    leads: ClassVar = {"how": "how", "cost": "cost", "data": "data", "call": "call", "back": "hub"}


class How(Screen):
    name = "how"
    code = "U27"
    texts = ("how",)
    keys: ClassVar = {"0": "help"}


class Cost(How):
    name = "cost"
    code = "U28"
    texts = ("cost",)


class Alerts(Screen):
    """Never seen: whether texts are on or off for this phone."""

    name = "alerts"
    code = "U29 or U30"
    leads: ClassVar = {"on": "alerts_on", "off": "alerts_off"}

    async def show(self, visit: Visit) -> View | str:
        return "off" if (await visit.dial_in()).opted_out else "on"


class AlertsOn(Screen):
    name = "alerts_on"
    code = "U29"
    texts = ("alerts_on",)
    keys: ClassVar = {"1": "help", "2": "turn_off", "0": "help"}
    leads: ClassVar = {"off": "alerts_off"}

    async def on_turn_off(self, visit: Visit, _key: str) -> str | None:
        await customers.opt_out(visit.core, visit.session.phone)
        return "off"


class AlertsOff(Screen):
    name = "alerts_off"
    code = "U30"
    texts = ("alerts_off",)
    keys: ClassVar = {"1": "turn_on", "2": "help", "0": "help"}
    leads: ClassVar = {"on": "alerts_on"}

    async def on_turn_on(self, visit: Visit, _key: str) -> str | None:
        await customers.opt_in(visit.core, visit.session.phone)
        return "on"


class Data(Screen):
    name = "data"
    code = "U31"
    texts = ("data",)
    keys: ClassVar = {"1": "help", "2": "erase", "0": "help"}
    leads: ClassVar = {"erase": "erase"}


class Erase(Screen):
    name = "erase"
    code = "U32"
    texts = ("erase",)
    keys: ClassVar = {"1": "help", "2": "yes", "0": "data"}
    leads: ClassVar = {"data": "data", "erased": "erased"}

    async def on_yes(self, visit: Visit, _key: str) -> str | None:
        await customers.erase(visit.core, visit.act, visit.session.phone, visit.pepper)
        return "erased"


class Erased(Screen):
    name = "erased"
    code = "U33"
    texts = ("erased",)
    ends = True

    async def show(self, visit: Visit) -> View | str:
        visit.session.forgotten = True  # or this very session would be kept with the phone in it
        return visit.view("erased")


class Call(Screen):
    """There is always a person."""

    name = "call"
    code = "U34"
    texts = ("call", "call_anyone")
    ends = True

    async def show(self, visit: Visit) -> View | str:
        ticket = await visit.ticket()
        return visit.view("call", ticket) if ticket else visit.view("call_anyone")


class Stopped(Screen):
    """The third mistake in a row, or more than any caller types."""

    name = "stopped"
    code = "U38"
    texts = ("stopped",)
    ends = True
