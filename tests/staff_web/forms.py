"""The forms of a page, as a browser would send them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass(slots=True)
class Button:
    """What is pressed. `sends` is its own name and value, where it has them."""

    words: str = ""
    disabled: bool = False
    sends: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Form:
    """Where it goes, and what is in it before anybody types: of a choice the first, of a box nothing."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[Button] = field(default_factory=list)
    choices: dict[str, list[str]] = field(default_factory=dict)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._inside = False
        self._button: Button | None = None
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(facts["action"]))
            self._inside = True
        elif self._inside:
            self._take(tag, facts)

    def _take(self, tag: str, facts: dict[str, str]) -> None:
        form = self.forms[-1]
        if tag == "input" and (facts.get("type") != "checkbox" or "checked" in facts):
            form.fields[facts["name"]] = facts.get("value", "")
        elif tag == "select":
            self._select = facts["name"]
            form.choices[self._select] = []
        elif tag == "option":
            self._offer(facts["value"])
        elif tag == "button":
            self._button = Button(disabled="disabled" in facts)
            if "name" in facts:
                self._button.sends = {facts["name"]: facts["value"]}
            form.buttons.append(self._button)

    def _offer(self, value: str) -> None:
        self.forms[-1].choices[self._select].append(value)
        self.forms[-1].fields.setdefault(self._select, value)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "button":
            self._button = None

    def handle_data(self, data: str) -> None:
        if self._button:
            self._button.words = " ".join(f"{self._button.words} {data}".split())


def forms_on(html: str) -> list[Form]:
    """All forms of a page."""
    reader = _Reader()
    reader.feed(html)
    return reader.forms


def form_of(html: str, words: str) -> Form:
    """The form of the button that begins with these words and can be pressed, with what that button sends."""
    for form in forms_on(html):
        for button in form.buttons:
            if button.words.startswith(words) and not button.disabled:
                form.fields |= button.sends
                return form
    raise AssertionError((words, [[button.words for button in form.buttons] for form in forms_on(html)]))
