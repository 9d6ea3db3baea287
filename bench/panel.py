"""The desk's page, with its session, its one question to the database and 20 people, against a bare Jinja2 page."""

from __future__ import annotations

from statistics import median

import uvloop

from bench.crowd import Conversation, call
from db.pool import connect
from queue_core import accounts, panel, tickets
from queue_core.core import Act, Core
from queue_core.hashing import hash_of

CLERKS = 16
ROUNDS = 5
PAGES = 800  # of each kind a round
PEOPLE = 20
PASSWORD = "a password for nobody but this bench"  # noqa: S105


def ratio(port: int, bare_port: int, database_url: str) -> dict[str, float]:
    """Pages a second of the panel divided by those of the bare handler beside it."""
    path, cookie = uvloop.run(_log_in(database_url))
    found = []
    for turn in range(ROUNDS + 1):
        bare = uvloop.run(call(bare_port, "/page", CLERKS, _looks, "GET"))
        ours = uvloop.run(call(port, path, CLERKS, _looks, "GET", cookie))
        if turn:  # the first is for warming up
            found.append(ours / bare)
            print(f"  bare {bare:6.0f}/s   desk pages {ours:6.0f}/s")
    return {"panel_ratio": median(found)}


def _looks(_caller: int) -> Conversation:
    return iter([b""] * (PAGES // CLERKS))


async def _log_in(database_url: str) -> tuple[str, str]:
    """A desk at the bank with people in line: its path, and the header of somebody who is logged in."""
    pool = await connect(database_url, size=2)
    core = Core(pool)
    await pool.execute(
        "update staff set must_change_password = false, password_hash = $1 where login = 'bank1'",
        await hash_of(PASSWORD.encode()),
    )
    token = await accounts.log_in(core, "bank1", PASSWORD, "", "127.0.0.1")
    session = await accounts.session(core, token, active=True)
    if session is None:
        raise RuntimeError("nobody is logged in, so nothing can be measured")
    (branch,) = await panel.choices(core, session.member.act())
    counter = branch.counters[0]
    line = counter.lines[0].id
    for number in range(PEOPLE):
        await tickets.join(core, Act("customer", "api"), line, f"+2548{number:08}", name=f"Person {number}")
    await pool.close()
    return f"/staff/desk/{counter.id}/{line}", f"cookie: __Host-zamu={token}\r\n"
