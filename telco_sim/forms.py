"""Presses buttons of web pages as a person without scripts does: a form, its hidden fields, whatever was filled in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx


@dataclass(slots=True)
class Form:
    """`buttons` are the words on those that can be pressed, and what each one adds to the fields."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, dict[str, str]] = field(default_factory=dict)


class _Page(HTMLParser):
    """Finds forms that are posted, and links by their words."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self._words: list[str] | None = None
        self._tag: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(told.get("action", "")))
        elif tag in ("button", "a"):
            self._words, self._tag = [], told
        elif tag == "input" and self.forms and "name" in told:
            self.forms[-1].fields[told["name"]] = told.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._words is not None:
            self._words.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("button", "a") or self._words is None:
            return
        words, self._words = " ".join("".join(self._words).split()), None
        if tag == "a":
            self.links.setdefault(words, self._tag.get("href", ""))
        elif self.forms and "disabled" not in self._tag:
            name = self._tag.get("name")
            self.forms[-1].buttons[words] = {name: self._tag.get("value", "")} if name else {}


def client(site: str, seconds: float) -> httpx.AsyncClient:
    """A browser without scripts. It keeps secure cookies for this machine's own http addresses, as others do."""

    async def keep(_response: httpx.Response) -> None:
        for cookie in http.cookies.jar:
            cookie.secure = False

    http = httpx.AsyncClient(base_url=site, trust_env=False, timeout=seconds, event_hooks={"response": [keep]})
    return http


async def press(
    http: httpx.AsyncClient,
    url: str,
    button: str,
    *,
    links: Iterable[str] = (),
    fields: Mapping[str, str] | None = None,
) -> httpx.Response | None:
    """Open a page, follow links from there by their words, and press the button whose words begin so.

    Returns what came of it, None when there is no such link or button.
    """
    page = await http.get(url, follow_redirects=True)
    for words in links:
        found = _read(page).links.get(words)
        if found is None:
            return None
        page = await http.get(page.url.join(found), follow_redirects=True)
    for form in _read(page).forms:
        for words, added in form.buttons.items():
            if words.startswith(button):
                filled = {**form.fields, **(fields or {}), **added}
                return await http.post(page.url.join(form.action), data=filled, follow_redirects=True)
    return None


def links(page: httpx.Response) -> dict[str, str]:
    """Where the links of a page lead, by their words."""
    return _read(page).links


def _read(page: httpx.Response) -> _Page:
    found = _Page()
    found.feed(page.text)
    return found
