"""What a screen is, the check of all screens together, and the one machine that says which follows which."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from hashlib import blake2b
from typing import ClassVar

from transitions import Machine

from ussd.catalogue import FALLBACK, catalogues, words
from ussd.paging import pack, room_for_choices
from ussd.typed import clean
from ussd.visit import View, Visit

MOST_PAGES = 3

# Where these outcomes lead from every screen that takes an answer, unless it says otherwise.
EVERYWHERE = {
    "home": "home",
    "stopped": "stopped",
    "join": "code",
    "status": "mine",
    "leave": "leave",
    "late": "late",
    "language": "language",
    "help": "help",
    "alerts": "alerts",
}

Answer = Callable[[Visit, str], Awaitable[str | None]]


class Screen:
    """What is shown, which keys it takes, and where they lead.

    A key means an action; an action is a method `on_<action>(visit, key)` that awaits the queue and returns
    an outcome, or is the outcome itself; an outcome leads to the next screen.
    `code` is its number in the copy deck, `texts` its keys in the catalogues, the usual one first. `joining`:
    a caller who was cut off here may continue when he dials again.
    """

    name: ClassVar[str]
    code: ClassVar[str]
    texts: ClassVar[tuple[str, ...]] = ()
    keys: ClassVar[Mapping[str, str]] = {}
    leads: ClassVar[Mapping[str, str]] = {}
    ends: ClassVar[bool] = False
    joining: ClassVar[bool] = False
    takes_names: ClassVar[bool] = False

    async def show(self, visit: Visit) -> View | str:
        """The screen with the facts of this moment, or an outcome if the caller needs another screen."""
        return visit.view(self.texts[0])

    async def take(self, visit: Visit, typed: str) -> str | None:
        """The outcome of what was typed; None shows the screen again."""
        key = typed if typed in self.keys else clean(typed)
        if not self._stands_for_itself(visit, key):
            key = self._labels(visit).get(key.casefold(), key)
        if key in self.keys:
            return await self._do(self.keys[key], visit, key)
        if key in ("0", "00", "98"):
            return await self._move(visit, key)
        if chosen := self._choice(visit, key):
            return await self.chosen(visit, chosen)
        return self._word(visit, key) or await self.typed(visit, key)

    async def typed(self, visit: Visit, _text: str) -> str | None:
        """What was typed and is no key, no label and no word that we know."""
        visit.wrong()
        return None

    async def chosen(self, visit: Visit, _value: str) -> str | None:
        """An entry of the list on this screen."""
        visit.wrong()
        return None

    async def more(self, _visit: Visit) -> str | None:
        """98: there is no more, so the same again."""
        return None

    async def _do(self, action: str, visit: Visit, key: str) -> str | None:
        method: Answer | None = getattr(self, f"on_{action}", None)
        return await method(visit, key) if method else action

    async def _move(self, visit: Visit, key: str) -> str | None:
        if key == "98":
            return await self.more(visit)
        return "back" if key == "0" and "back" in self.leads else "home"

    def _stands_for_itself(self, visit: Visit, key: str) -> bool:
        return key in self.keys or key in ("0", "00", "98") or self._choice(visit, key) is not None

    def _choice(self, visit: Visit, key: str) -> str | None:
        return None

    def _labels(self, visit: Visit) -> Mapping[str, str]:
        return visit.template(self.texts[0]).labels

    def _word(self, visit: Visit, text: str) -> str | None:
        """A word that people text us; digits after it are pressed next (JOIN 4071, LATE 10)."""
        word, _, rest = text.casefold().partition(" ")
        if self.takes_names or (rest and not any(char.isdigit() for char in rest)):
            return None
        outcome = words().get(word)
        if outcome and rest.isdigit():
            visit.inputs.appendleft((rest, visit.step))
        return outcome


class Listing(Screen):
    """A screen with a list of any length. What stood there is kept: a key means what the caller saw."""

    async def entries(self, visit: Visit) -> list[tuple[str, str]] | str:
        """(value, label) of every entry, or an outcome instead."""
        raise NotImplementedError

    async def show(self, visit: Visit) -> View | str:
        entries = await self.entries(visit)
        return entries if isinstance(entries, str) else self._page(visit, entries)

    def fields(self, visit: Visit) -> dict[str, object]:
        """What else stands on the screen."""
        return {}

    def _page(self, visit: Visit, entries: list[tuple[str, str]]) -> View:
        data, text, fields = visit.session.data, self.texts[0], self.fields(visit)
        template = visit.template(text)
        bare = visit.view(text, more=True, fields=fields)
        room = room_for_choices(bare.body, bare.moves, template.phrases.not_a_choice, visit.request.screen)
        pages = pack([label for _, label in entries], room)[:MOST_PAGES]
        number = 0 if visit.arrived else min(data.get("page", 0), len(pages) - 1)
        shown = entries[pages[number]]
        data |= {"page": number, "pages": len(pages), "choices": shown}
        lines = [f"{key} {label}" for key, (_, label) in enumerate(shown, 1)]
        return visit.view(text, choices=lines, more=number + 1 < len(pages), fields=fields)

    async def more(self, visit: Visit) -> str | None:
        data = visit.session.data
        data["page"] = data.get("page", 0) + 1
        if data["page"] < data.get("pages", 0):
            return None
        data["page"] = 0
        return "enough" if "enough" in self.leads else None

    def _choice(self, visit: Visit, key: str) -> str | None:
        shown = visit.session.data.get("choices", ())
        if not key.isdecimal() or not 1 <= int(key) <= len(shown):
            return None
        value: str = shown[int(key) - 1][0]
        return value

    def _labels(self, visit: Visit) -> Mapping[str, str]:
        shown = visit.session.data.get("choices", ())
        labels = {label.casefold(): str(key) for key, (_, label) in enumerate(shown, 1)}
        names = {label.partition(" (")[0]: key for label, key in labels.items()}
        return {**super()._labels(visit), **names, **labels}


def registry(*screens: type[Screen]) -> dict[str, Screen]:
    """The screens by name. Raises ValueError for a key, a lead or a text that leads nowhere."""
    by_name = {screen.name: screen() for screen in screens}
    if len(by_name) != len(screens):
        raise ValueError("Two screens have the same name.")
    problems = [problem for screen in by_name.values() for problem in _problems(screen, by_name)]
    if problems:
        raise ValueError("\n".join(problems))
    return by_name


def _problems(screen: Screen, screens: Mapping[str, Screen]) -> Iterable[str]:
    texts = catalogues()[FALLBACK].texts
    for outcome, lead in screen.leads.items():
        if lead not in screens:
            yield f"{screen.name}: {outcome!r} leads to {lead!r}, and there is no such screen."
    for key, action in screen.keys.items():
        if not hasattr(screen, f"on_{action}") and action not in leads_of(screen):
            yield f"{screen.name}: key {key} means {action!r}, which is no method and leads nowhere."
    for text in screen.texts:
        if text not in texts:
            yield f"{screen.name}: there is no text {text!r}."


def leads_of(screen: Screen) -> Mapping[str, str]:
    return {} if screen.ends else {**EVERYWHERE, **screen.leads}


def build_machine(screens: Mapping[str, Screen]) -> Machine:
    """The machine that all sessions share; none of them is ever registered with it."""
    return Machine(
        model=None,
        states=list(screens),
        initial="dialled",
        transitions=[
            {"trigger": outcome, "source": name, "dest": lead}
            for name, screen in screens.items()
            for outcome, lead in leads_of(screen).items()
        ],
        auto_transitions=False,
        send_event=True,
    )


def version_of(screens: Mapping[str, Screen]) -> str:
    """Changes with every key and every lead: a session stays with the menu that it began in."""
    menu = [(name, sorted(screen.keys.items()), sorted(leads_of(screen).items())) for name, screen in screens.items()]
    return blake2b(repr(menu).encode(), digest_size=4).hexdigest()
