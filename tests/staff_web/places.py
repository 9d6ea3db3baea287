"""What lies in one branch, and a third organization whose name nobody in the demo world knows."""

from __future__ import annotations

import re
from collections.abc import Iterator

from starlette.routing import Route

from queue_core import demo, staff, tickets
from queue_core.staff import Role
from staff_web.routes import routes
from tests.staff_web.browsing import Browser
from tests.staff_web.conftest import HOME
from tests.world import World, phone

ELSEWHERE = {
    "code": "6093",
    "name": "Elsewhere",
    "phone": "0700999999",
    "hours": {},
    "queues": [["E", "Elders"]],
    "counters": ["Desk 1"],
}
PARAMETER = re.compile(r"\{(\w+)(?::uuid)?\}")
Ids = dict[str, str]

NOWHERE: Ids = {"code": "9999", "login": "nobody", "verb": "leave"}
NAMED = {"counter", "queue", "ticket", "code", "login"}

# For every field of every form something that its own page would take.
FORM = {
    "minutes": "10",
    "ahead": "0",
    "name": "Someone",
    "phone": "0711 555 555",
    "reason": "It is so",
    "how": "serve-out",
    "role": "staff",
    "login": "someone",
    "line_code": "Q",
    "alert_threshold": "3",
    "call_expiry": "5",
    "grace": "15",
    "max_skips": "2",
    "pin": "135792",
    "language": "en",
}


def staff_routes() -> list[Route]:
    """Every page and button of the panel."""
    return routes(b"k" * 32, HOME)


def methods_of(route: Route) -> Iterator[str]:
    yield from (method for method in sorted(route.methods or ()) if method != "HEAD")


def parameters_of(route: Route) -> list[str]:
    return PARAMETER.findall(route.path)


def address(route: Route, ids: Ids) -> str:
    return PARAMETER.sub(lambda found: ids[found[1]], route.path)


async def third_house(world: World) -> None:
    """An organization of its own, with a branch, a line, a desk and a clerk."""
    await world.pool.execute(demo.SQL.seed, "Third House", [ELSEWHERE])
    role: Role = "staff"
    await staff.add(world.core, "Third House", "6093", role, "elder1", "Eshe")


async def ids_of(world: World, code: str, login: str, person: int | None = None) -> Ids:
    """A counter, its line, somebody who waits there, the code and a person of a branch."""
    queue = await world.pool.fetchval(
        "select q.id::text from queues q join branches b on b.id = branch_id where b.code = $1 order by q.created_at",
        code,
    )
    counter = await world.pool.fetchval(
        "select c.id::text from counters c join branches b on b.id = branch_id where b.code = $1 order by c.name", code
    )
    joined = await tickets.join(world.core, world.customer(), queue, None if person is None else phone(person))
    ids = {"counter": counter, "queue": queue, "ticket": joined.ticket.id, "code": code, "login": login}
    return ids | {"verb": "leave"}


async def changes(world: World) -> int:
    """How much the history has grown."""
    count: int = await world.pool.fetchval("select count(*) from audit_log")
    return count


async def answers(browser: Browser, own: Ids, foreign: Ids) -> list[tuple[str, str, int, str]]:
    """What every page and button says where one thing in its address is foreign: (method, address, status, words)."""
    told = []
    for route in staff_routes():
        for method in methods_of(route):
            for name in NAMED.intersection(parameters_of(route)):
                path = address(route, own | {name: foreign[name]})
                form = FORM | {"code": own["code"], "to": own["queue"], "branch": own["code"]}
                answer = await (browser.get(path) if method == "GET" else browser.press(path, **form))
                told.append((method, path, answer.status_code, answer.text))
    return told
