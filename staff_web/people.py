"""Who works here: adding people, what each is, first passwords, and the phones that they work from."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from queue_core import panel, people, staff_phones
from queue_core.accounts import Member
from queue_core.errors import Refused
from queue_core.people import MOST_NAME, Person
from queue_core.staff import Role
from staff_web import said
from staff_web.guard import Visit
from staff_web.pages import page

PEOPLE: Final = "/staff/people"
PERSON: Final = PEOPLE + "/{login}"
ROLES: Final[dict[Role, str]] = {"staff": "Staff", "manager": "Manager", "admin": "Admin"}


async def show_all(visit: Visit) -> Response:
    """Whom this person manages, and a form for a new one."""
    found = await people.people(visit.core, visit.member.act())
    places = await panel.choices(visit.core, visit.member.act())
    return page(visit, "people.html", people=found, places=places, roles=_roles(visit.member), names=ROLES)


async def add(visit: Visit) -> Response:
    """The first password is on the page that answers, once, and nowhere else."""
    role, branch = _role_and_branch(visit)
    login, name = visit.text("login"), visit.text("name")
    try:
        password = await people.add_person(visit.core, visit.act(), login, name, role, branch)
    except Refused as refusal:
        raise _of_a_person(refusal) from None
    return page(visit, "secret.html", person=name, login=login.lower(), password=password, pin=None)


async def show(visit: Visit) -> Response:
    person = await _person(visit)
    places = await panel.choices(visit.core, visit.member.act())
    return page(visit, "person.html", person=person, places=places, roles=_roles(visit.member, person), names=ROLES)


async def change(visit: Visit) -> Response:
    """Another role or branch logs the person out."""
    person = await _person(visit)
    role, branch = _role_and_branch(visit)
    try:
        await people.change_person(visit.core, visit.act(), person.login, visit.text("name"), role, branch)
    except Refused as refusal:
        raise _of_a_person(refusal) from None
    return _back(visit, f"{visit.text('name')} was saved.")


async def activate(visit: Visit) -> Response:
    person = await _person(visit)
    await people.set_active(visit.core, visit.act(), person.login, active=True)
    return _back(visit, f"{person.name} may log in again.")


async def deactivate(visit: Visit) -> Response:
    person = await _person(visit)
    await people.set_active(visit.core, visit.act(), person.login, active=False)
    return _back(visit, f"{person.name} is logged out everywhere and may not log in, nor work by phone.")


async def reset_password(visit: Visit) -> Response:
    person = await _person(visit)
    password = await people.reset_password(visit.core, visit.act(), person.login)
    return page(visit, "secret.html", person=person.name, login=person.login, password=password, pin=None)


async def enrol(visit: Visit) -> Response:
    """Sends the phone a code, which the person reads out."""
    person, phone = await _person(visit), visit.text("phone")
    counter = visit.text("counter") or None
    await staff_phones.enrol(visit.core, visit.act(), person.login, phone, counter)
    return _back(visit, "An SMS with a code is on its way to the phone. Type the code here within ten minutes.")


async def confirm(pepper: bytes, visit: Visit) -> Response:
    """The PIN is on the page that answers, once. A press that comes twice finds the code used: no other PIN shows."""
    person = await _person(visit)
    act = visit.member.act()
    chosen = visit.text("pin") or None
    pin = await staff_phones.confirm(visit.core, act, person.login, visit.text("code")[:16], chosen, pepper)
    return page(visit, "secret.html", person=person.name, login=person.login, password=None, pin=pin)


async def unlock(visit: Visit) -> Response:
    person = await _person(visit)
    await staff_phones.unlock(visit.core, visit.act(), person.login)
    return _back(visit, f"The phone of {person.name} may be used again.")


async def _person(visit: Visit) -> Person:
    """Somebody whom this person manages: who else works here does not exist for him."""
    found = await people.people(visit.core, visit.member.act())
    person = next((person for person in found if person.login == visit.path("login")), None)
    if person is None:
        raise Refused("no_staff")
    return person


def _roles(member: Member, person: Person | None = None) -> list[Role]:
    """What the member may make of somebody."""
    if member.may("every_branch"):
        return list(ROLES)
    return [person.role] if person else ["staff"]


def _role_and_branch(visit: Visit) -> tuple[Role, str | None]:
    """Every role may be asked for: the core knows who may give it."""
    role = visit.text("role")
    if role not in ROLES:
        raise Refused("not_allowed")
    return role, visit.text("branch")[:16] or None


def _of_a_person(refusal: Refused) -> Refused:
    """Staff have longer names than people in a line."""
    return Refused("bad_staff_name", {"most": MOST_NAME}) if refusal.code == "bad_name" else refusal


def _back(visit: Visit, words: str) -> Response:
    return said.then(PERSON.format(**visit.request.path_params), words)
