"""What browsers send: every page that there is, and every form on it as its page fills it in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Final
from urllib.parse import parse_qsl, urlencode

from starlette.routing import Route

from staff_web.guard import COOKIE, Guard
from staff_web.login import DOOR
from tests.fuzz.doors import parameters_of, routes
from tests.fuzz.place import METRICS_TOKEN, Person, Place
from tests.fuzz.recorded import FORM_TYPE, HOST, Talk
from tests.fuzz.wire import Answer, Asked, ask
from tests.members import PASSWORD
from tests.staff_web.forms import Form, forms_on
from tests.staff_web.places import FORM
from tests.webhooks.conftest import PUBLIC_URL
from tests.world import KEY

LIVE: Final = ((b"x-live", b"1"), (b"if-none-match", b"*"))
ORIGIN: Final = (b"origin", PUBLIC_URL.encode())
DOOR_ID: Final = "the-id-of-a-browser-that-is-new-here"
# Whose press it is, whoever saw the form: mostly somebody's who may.
WHO: Final = ("admin", "admin", "manager", "manager", "clinic1", "clinic1", "bank1", "nobody")


async def things(place: Place) -> dict[str, list[str]]:
    """What stands for the parts of addresses, by their names."""

    async def ids(question: str) -> list[str]:
        return [str(row[0]) for row in await place.world.pool.fetch(question)]

    return {
        "counter": await ids("select id from counters where name in ('Room 1', 'Room 2') order by name"),
        "queue": await ids("select id from queues where code in ('A', 'L') order by code"),
        "ticket": await ids("select distinct on (status) id from tickets order by status, number"),
        "code": await ids("select code from branches order by code"),
        "login": await ids("select login from staff order by login"),
        "name": ["panel.js", "panel.css", "none.js"],
    }


async def talks(place: Place) -> list[Talk]:
    """All pages and presses. Raises KeyError for a part of an address that `things` does not know."""
    known = await things(place)
    looks = list(_looks(known))
    presses: dict[tuple[str, bytes], Asked] = {}
    for look in looks:
        for name in ("admin", "clinic1"):
            if not look.path.startswith(b"/staff"):
                continue
            page = await ask(place.url, _as(place.people[name], look))
            presses |= {(form.path.decode(), form.body): form for form in _presses(page)}
    presses |= {(form.path.decode(), form.body): form for form in _hidden()}
    await place.kept.put_back()
    found = [*looks, *(replace(look, headers=(*look.headers, *LIVE)) for look in looks), *presses.values()]
    return [(_as(place.people[name], asked),) for asked in found for name in (WHO if _is_staffs(asked) else ["nobody"])]


def _looks(known: dict[str, list[str]]) -> Iterator[Asked]:
    for route in routes():
        if isinstance(route, Route) and "GET" in (route.methods or ()) and not route.path.startswith("/hooks"):
            names = parameters_of(route)
            for values in product(*(known[name] for name in names)):
                path = route.path
                for name, value in zip(names, values, strict=True):
                    path = path.replace(f"{{{name}:uuid}}", value).replace(f"{{{name}}}", value)
                yield Asked("GET", path.encode(), headers=(HOST,))
    yield Asked(
        "GET", b"/metrics", headers=(HOST, (b"via", b"x"), (b"authorization", f"Bearer {METRICS_TOKEN}".encode()))
    )


def _is_staffs(asked: Asked) -> bool:
    return asked.path.startswith(b"/staff")


def _presses(page: Answer) -> Iterator[Asked]:
    for form in forms_on(page.text) if page.status == 200 else ():
        for button in form.buttons:
            yield _press(Form(form.action, _filled(form) | button.sends))


def _filled(form: Form) -> dict[str, str]:
    """Whoever fills it in leaves nothing blank. The name of the press is that of no other."""
    typed = {name: value or FORM.get(name, "") for name, value in form.fields.items()}
    chosen = {name: values[-1] for name, values in form.choices.items() if not typed[name]}
    return typed | chosen | {"csrf": "", "request": "1"}


def _hidden() -> Iterator[Asked]:
    """Forms that only the answer to another press holds, and what nobody leaves blank."""
    yield _press(Form("/staff/totp/confirm", {"csrf": "", "password": PASSWORD, "code": "000000"}))
    yield _press(Form("/staff/totp/end", {"csrf": "", "password": PASSWORD}))
    new = "seven green lorries on a hill"
    yield _press(Form("/staff/password", {"csrf": "", "old": PASSWORD, "new": new, "again": new}))
    for login in ("manager", "clinic1", "gone", "nobody"):
        fields = {"csrf": "", "next": "/staff/desk", "login": login, "password": PASSWORD, "code": ""}
        yield _press(Form("/staff/login", fields))


def _press(form: Form) -> Asked:
    return Asked("POST", form.action.encode(), headers=(HOST, FORM_TYPE, ORIGIN), body=urlencode(form.fields).encode())


def _as(person: Person, asked: Asked) -> Asked:
    """In this person's browser: with his cookies, and with his token in the form."""
    if not _is_staffs(asked):
        return asked
    csrf = Guard(KEY, PUBLIC_URL).csrf(DOOR_ID) if asked.path == b"/staff/login" else person.csrf
    cookies = f"{DOOR}={DOOR_ID}" + (f"; {COOKIE}={person.token}" if person.token else "")
    body = asked.body
    if asked.method == "POST":
        body = urlencode(dict(parse_qsl(body.decode(), keep_blank_values=True)) | {"csrf": csrf}).encode()
    return replace(asked, headers=asked.with_header(b"cookie", cookies.encode()), body=body)
