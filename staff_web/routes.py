"""Every page and every button of the panel."""

from __future__ import annotations

from functools import partial

from starlette.routing import Route

from staff_web import branches, desk, health, login, organization, people
from staff_web.branches import BRANCH, SETTINGS
from staff_web.desk import DESK
from staff_web.guard import Endpoint, Guard, Handler
from staff_web.health import HEALTH
from staff_web.organization import ORGANIZATION
from staff_web.people import PEOPLE, PERSON

PLACE = "/staff/desk/{counter:uuid}/{queue:uuid}"
TICKET = PLACE + "/tickets/{ticket:uuid}"


def routes(secret: bytes, public_url: str) -> list[Route]:
    """`secret` makes the tokens of forms; `public_url` is the origin that they must come from."""
    guard = Guard(secret, public_url)
    return [*_own(guard), *_desk(guard), *_branches(guard), *_people(guard, secret)]


def _own(guard: Guard) -> list[Route]:
    """A person's own log-in."""
    door = login.Door(guard)
    password = partial(guard.action, needs=None, back="/staff/password", while_new=True)
    totp = partial(guard.action, back="/staff/totp")
    return [
        look("/staff/login", door.show),
        press("/staff/login", door.log_in),
        look("/staff", guard.page(login.home, "own_branch")),
        look("/staff/", guard.page(login.home, "own_branch")),
        press("/staff/logout", guard.action(login.log_out, needs=None, while_new=True)),
        look("/staff/password", guard.page(login.show_password, needs=None, while_new=True)),
        press("/staff/password", password(login.change_password)),
        look("/staff/totp", guard.page(login.show_totp, "own_branch")),
        press("/staff/totp", totp(login.new_totp, "own_branch")),
        press("/staff/totp/confirm", totp(login.confirm_totp, "own_branch")),
        press("/staff/totp/end", totp(login.end_totp, "own_branch")),
    ]


def _desk(guard: Guard) -> list[Route]:
    def button(path: str, handler: Handler) -> Route:
        return press(path, guard.action(handler, back=DESK))

    return [
        look("/staff/desk", guard.page(desk.choose)),
        look(PLACE, guard.page(desk.show)),
        button(PLACE + "/call-next", desk.call_next),
        button(PLACE + "/walk-in", desk.walk_in),
        button(PLACE + "/pause", desk.pause),
        button(PLACE + "/open", desk.open_),
        look(PLACE + "/close", guard.page(desk.ask_close)),
        press(PLACE + "/close", guard.action(desk.close, back=DESK + "/close")),
        look(TICKET, guard.page(desk.show_ticket)),
        button(TICKET + "/defer", desk.defer),
        button(TICKET + "/move", desk.move),
        button(TICKET + "/rename", desk.rename),
        button(TICKET + "/transfer", desk.transfer),
        button(TICKET + "/call", desk.call_named),
        button(TICKET + "/{verb}", desk.change),
    ]


def _branches(guard: Guard) -> list[Route]:
    """How the day goes is for all who work there, what may be set for managers, new branches for admins."""

    def button(path: str, handler: Handler) -> Route:
        return press(path, guard.action(handler, "schedule", back=branches.show_settings))

    line, counter = BRANCH + "/lines/{queue:uuid}", BRANCH + "/counters/{counter:uuid}"
    return [
        look("/staff/branches", guard.page(branches.show_all, "own_branch")),
        press("/staff/branches", guard.action(branches.add, "every_branch", back=branches.show_all)),
        look(BRANCH, guard.page(branches.show, "own_branch")),
        press(BRANCH + "/open", guard.action(branches.open_, "schedule", back=BRANCH)),
        press(BRANCH + "/close", guard.action(branches.close, "schedule", back=BRANCH)),
        look(SETTINGS, guard.page(branches.show_settings, "schedule")),
        button(SETTINGS, branches.change),
        button(BRANCH + "/lines", branches.add_line),
        button(line, branches.change_line),
        button(BRANCH + "/counters", branches.add_counter),
        button(counter, branches.change_counter),
        button(counter + "/remove", branches.remove_counter),
        look(HEALTH, guard.page(health.show, "system")),
        look(ORGANIZATION, guard.page(organization.show, "system")),
        press(ORGANIZATION, guard.action(organization.change, "system", back=organization.show)),
    ]


def _people(guard: Guard, pepper: bytes) -> list[Route]:
    """`pepper` is what the PINs of staff phones are hashed with."""

    def button(path: str, handler: Handler) -> Route:
        return press(path, guard.action(handler, "people", back=people.show))

    return [
        look(PEOPLE, guard.page(people.show_all, "people")),
        press(PEOPLE, guard.action(people.add, "people", back=people.show_all)),
        look(PERSON, guard.page(people.show, "people")),
        button(PERSON, people.change),
        button(PERSON + "/deactivate", people.deactivate),
        button(PERSON + "/activate", people.activate),
        button(PERSON + "/password", people.reset_password),
        button(PERSON + "/phone", people.enrol),
        button(PERSON + "/phone/confirm", partial(people.confirm, pepper)),
        button(PERSON + "/phone/unlock", people.unlock),
    ]


def look(path: str, endpoint: Endpoint) -> Route:
    return Route(path, endpoint, methods=["GET"])


def press(path: str, endpoint: Endpoint) -> Route:
    return Route(path, endpoint, methods=["POST"])
