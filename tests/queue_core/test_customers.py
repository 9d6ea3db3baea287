"""Language, opt-out, rating, and the wish to be forgotten."""

from __future__ import annotations

import pytest

from queue_core import customers, tickets
from queue_core.errors import Refused
from tests.world import KEY, World, phone

TRACES = """
select (select count(*) from tickets where phone = $1 or name = 'Amina')
     + (select count(*) from notifications where phone = $1 and template <> 'data_gone')
     + (select count(*) from notifications where parameters::text like '%A001%')
     + (select count(*) from customers where phone = $1)
     + (select count(*) from ussd_sessions where phone = $1)
     + (select count(*) from inbound_messages where phone = $1 or text like '%Amina%')
     + (select count(*) from audit_log where audit_log::text like '%' || $1 || '%' or audit_log::text like '%Amina%')
"""


async def test_a_language_is_remembered_and_a_ticket_in_hand_speaks_it(world: World) -> None:
    await world.line(1)
    await customers.set_language(world.core, phone(1), "sw")
    dialled = await tickets.dial_in(world.core, phone(1))
    assert dialled.language == "sw"
    assert dialled.ticket
    assert dialled.ticket.language == "sw"
    await customers.set_language(world.core, phone(1), "en")
    assert (await tickets.dial_in(world.core, phone(1))).language == "en"


async def test_opting_out_keeps_the_ticket_and_opting_in_ends_it(world: World) -> None:
    await world.line(1)
    await customers.opt_out(world.core, phone(1))
    first = await world.pool.fetchval("select opted_out_at from customers where phone = $1", phone(1))
    await customers.opt_out(world.core, phone(1))
    assert await world.pool.fetchval("select opted_out_at from customers where phone = $1", phone(1)) == first
    dialled = await tickets.dial_in(world.core, phone(1))
    assert dialled.opted_out
    assert dialled.ticket
    await customers.opt_in(world.core, phone(1))
    assert not (await tickets.dial_in(world.core, phone(1))).opted_out


async def test_a_stranger_may_opt_out_before_any_text(world: World) -> None:
    await customers.opt_out(world.core, phone(9))
    assert (await tickets.dial_in(world.core, phone(9))).opted_out


async def test_a_stranger_dials_in_to_nothing(world: World) -> None:
    dialled = await tickets.dial_in(world.core, phone(9))
    assert (dialled.ticket, dialled.shut, dialled.ratable) == (None, None, None)
    assert (dialled.language, dialled.opted_out) == (None, False)


async def test_the_last_visit_may_be_rated_once(world: World) -> None:
    await world.line(1)
    served = await world.serve()
    ratable = (await tickets.dial_in(world.core, phone(1))).ratable
    assert ratable
    assert ratable.id == served.id
    await customers.rate(world.core, world.customer(), phone(1), 4)
    assert await world.pool.fetchval("select rating from tickets") == 4
    assert (await tickets.dial_in(world.core, phone(1))).ratable is None
    with pytest.raises(Refused) as refusal:
        await customers.rate(world.core, world.customer(), phone(1), 1)
    assert refusal.value.code == "no_ticket"
    assert await world.pool.fetchval("select rating from tickets") == 4


async def test_the_question_is_put_once_and_may_be_answered_later(world: World) -> None:
    await world.line(1)
    await customers.rating_asked(world.core, (await world.serve()).id)
    assert (await tickets.dial_in(world.core, phone(1))).ratable is None
    await customers.rate(world.core, world.customer(), phone(1), 5)
    assert await world.pool.fetchval("select rating from tickets") == 5


@pytest.mark.parametrize("why", ["a day has passed", "not served", "not the last visit", "the place does not ask"])
async def test_other_visits_are_not_rated(world: World, why: str) -> None:
    await world.line(1)
    match why:
        case "not served":
            await world.leave(1)
        case "a day has passed":
            await world.serve()
            await world.later(24 * 60 + 1)
        case "not the last visit":
            await world.serve()
            await world.line(1)
            await world.leave(1)
        case _:
            await world.serve()
            await world.pool.execute("update branches set asks_rating = false")
    assert (await tickets.dial_in(world.core, phone(1))).ratable is None
    with pytest.raises(Refused):
        await customers.rate(world.core, world.customer(), phone(1), 3)


async def test_a_person_who_asks_to_be_forgotten_leaves_the_line_and_every_table(world: World) -> None:
    await world.join(1, name="Amina")
    await world.serve()
    await world.join(1, name="Amina", language="sw")
    await world.pool.execute(
        "insert into ussd_sessions (gateway, session_key, phone, state, data) values ('at', 's', $1, 'home', '{}')",
        phone(1),
    )
    await world.pool.execute(
        "insert into inbound_messages (gateway, provider_id, phone, text) values ('at', '1', $1, 'JOIN 4071 A Amina')",
        phone(1),
    )
    await customers.erase(world.core, world.customer(), phone(1), KEY)
    assert await world.pool.fetchval(TRACES, phone(1)) == 0
    assert await world.ticket(1) is None
    assert await world.order() == []
    assert await world.texts(1) == ["data_gone"]
    last = await world.row("select language, branch_id from notifications where template = 'data_gone'")
    assert (last["language"], str(last["branch_id"])) == ("sw", world.branches["4071"])
    states = await world.pool.fetch("select status from tickets order by number")
    assert [row["status"] for row in states] == ["completed", "cancelled"]


async def test_texts_that_were_to_come_are_not_sent_to_who_is_forgotten(world: World) -> None:
    await world.line(1)
    await world.pool.execute("update notifications set status = 'sent'")
    await world.called()
    await customers.erase(world.core, world.customer(), phone(1), KEY)
    rows = await world.pool.fetch("select status, phone, parameters from notifications where template <> 'data_gone'")
    assert sorted(row["status"] for row in rows) == ["sent", "suppressed"]
    assert all((row["phone"], row["parameters"]) == (None, {}) for row in rows)


async def test_whoever_stood_behind_the_forgotten_moves_up(world: World) -> None:
    await world.line(1, 2, 3, 4, 5)
    await customers.erase(world.core, world.customer(), phone(1), KEY)
    assert await world.texts(5) == ["joined", "near"]


async def test_a_stranger_can_be_forgotten_too_and_may_come_again(world: World) -> None:
    await customers.erase(world.core, world.customer(), phone(9), KEY)
    assert await world.texts(9) == ["data_gone"]
    assert (await world.join(9)).new
