"""The wild day once more, against a real server: every join is a conversation over HTTP."""

from __future__ import annotations

from tests import terminal as terminals
from tests.chaos.day import Day
from tests.chaos.driver import CoreDriver
from tests.chaos.http_driver import HttpDriver
from tests.invariants import LOST, broken
from tests.terminal import Terminal
from tests.world import CLINIC, World

database, terminal = terminals.database, terminals.terminal  # nobody else here needs them

BREAKS = {f"refused: {line} at Kilimani Clinic is on a break." for line in ("Doctor", "Pharmacy")}


async def test_every_invariant_holds_through_a_wild_day_over_http(world: World, terminal: Terminal) -> None:
    core = CoreDriver(world.core, {f"{CLINIC}/{code}": queue for code, queue in world.queue_ids.items()})
    with terminal.serving() as server:
        answers = await Day(HttpDriver(server.url, core), seed=55).run()
        assert "Traceback" not in server.said
    # On a machine so slow that Redis is given up, a refused session may be kept nowhere. Nothing was done in it.
    starved = "Redis is away" in server.said
    firm = [answer for answer in answers if not (starved and answer.outcome in BREAKS)]
    assert await broken(world.pool, answers=firm) == [], server.said
    assert [answer.said for answer in answers if answer.outcome == LOST] == []
    joins = [answer for answer in answers if answer.verb == "join"]
    assert {answer.outcome for answer in joins} <= {"joined", "already", *BREAKS}
    assert len({answer.phone for answer in joins if answer.outcome == "joined"}) > 150  # so it was no idle day
