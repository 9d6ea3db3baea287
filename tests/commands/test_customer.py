"""`zamu customer`: all that is kept of a phone, shown and erased."""

from __future__ import annotations

import json
from pathlib import Path

from queue_core import customers
from tests.personal import everywhere, leave_traces
from tests.terminal import Terminal, refused
from tests.world import KEY, World, phone

NAME = "Zawadi"
SETTLED = "update notifications set status = 'delivered', finished_at = now() where template = 'data_gone'"


async def visit(world: World) -> None:
    await world.join(1, name=NAME)
    await world.serve()
    await leave_traces(world, phone(1), NAME)
    await world.join(1, name=NAME)


async def test_an_export_holds_each_row_of_each_table_that_knows_the_phone(terminal: Terminal, world: World) -> None:
    await visit(world)
    found = await everywhere(world.pool, phone(1))
    exported = terminal.ask("customer", "export", "0711000001")
    assert {table for table, rows in exported.items() if rows} == found
    assert [row["label"] for row in exported["tickets"]] == ["A001", "A002"]
    assert [step["action"] for step in exported["tickets"][0]["history"]] == ["join", "call", "start", "complete"]
    told = terminal.zamu("customer", "export", phone(1)).stdout
    assert f"  text: JOIN 4071 A {NAME}" in told
    assert "tickets (2)" in told
    assert terminal.zamu("customer", "export", phone(9)).stdout == "Nothing is kept.\n"
    audited = await world.pool.fetch("select actor, details from audit_log where action = 'export'")
    assert [tuple(row.values()) for row in audited] == [("staff", {})] * 3


async def test_an_erased_phone_is_nowhere_once_its_last_text_is_settled(terminal: Terminal, world: World) -> None:
    await visit(world)
    done = terminal.ask("customer", "erase", phone(1), "--yes")
    assert done == {"erased": "+2547*****001"}
    assert await world.order() == []
    assert await everywhere(world.pool, NAME) == set()
    assert await everywhere(world.pool, phone(1)) == {"notifications"}
    assert await world.texts(1) == ["data_gone"]
    await world.pool.execute(SETTLED)
    await world.pool.execute(
        "insert into delivery_reports (gateway, provider_id, phone, status, raw)"
        " values ('at', 'last', $1, 'delivered', $2)",
        phone(1),
        {"phoneNumber": phone(1)},
    )
    await world.sweep()
    assert await everywhere(world.pool, phone(1)) == set()


async def test_no_answer_that_is_kept_names_the_person_and_a_repeat_hears_it_all_the_same(world: World) -> None:
    act = world.customer()
    first = await world.join(1, act=act, name=NAME)
    assert await everywhere(world.pool, NAME) == {"tickets"}
    assert await world.join(1, act=act, name=NAME) == first
    await customers.erase(world.core, world.customer(), phone(1), KEY)
    again = (await world.join(1, act=act, name=NAME)).ticket
    assert (again.id, again.phone, again.name) == (first.ticket.id, None, None)


async def test_nothing_is_erased_unless_somebody_says_yes(terminal: Terminal, world: World) -> None:
    await world.line(1)
    asked = terminal.zamu("customer", "erase", phone(1))
    assert asked.returncode == 1
    assert "Erase +2547*****001? This cannot be undone." in asked.stderr
    assert await world.order() == ["A001"]
    assert refused(terminal.zamu("customer", "erase", "12", "--yes")).startswith("This is not a phone number")


async def test_who_was_erased_is_erased_again_from_an_older_copy_and_who_came_again_stays(
    terminal: Terminal, world: World, tmp_path: Path
) -> None:
    await visit(world)
    await world.line(2, 3)
    await customers.erase(world.core, world.customer(), phone(2), KEY)  # before the copy was made
    await world.line(2)
    marks = json.loads(terminal.zamu("customer", "erased").stdout)
    assert list(marks) == [customers.mark(phone(2), KEY)]
    kept = tmp_path / "erased.json"
    kept.write_text(json.dumps(marks | {customers.mark(phone(1), KEY): "2026-03-21T14:05:09+00:00"}))
    assert terminal.ask("customer", "erase-again", str(kept)) == {"erased": 1}
    assert await everywhere(world.pool, phone(1), NAME) == set()
    assert await world.ticket(2)
    assert await world.ticket(3)
    assert terminal.ask("customer", "erase-again", str(kept)) == {"erased": 0}
    kept.write_text("[]")
    wrong = terminal.zamu("customer", "erase-again", str(kept))
    assert (wrong.returncode, "not what `zamu customer erased` prints" in wrong.stderr) == (2, True)


async def test_the_text_of_the_mark_tells_nothing_without_the_key() -> None:
    assert customers.mark(phone(1), KEY) != customers.mark(phone(1), b"x" * 32)
    assert phone(1)[1:] not in customers.mark(phone(1), KEY)
