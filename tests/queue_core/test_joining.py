"""Rule 1: one active ticket per phone, in the whole system, by any channel."""

from __future__ import annotations

import asyncio
import itertools
from datetime import datetime

import pytest

from queue_core import customers, queues, tickets
from queue_core.core import Act, Channel
from queue_core.errors import Refused
from tests.world import CLINIC, World, phone


async def test_a_newcomer_gets_a_number_and_knows_his_place(world: World) -> None:
    await world.line(1, 2)
    joined = await world.join(3, name="Amina", language="sw")
    ticket = joined.ticket
    assert joined.new
    assert (ticket.label, ticket.number, ticket.status, ticket.version) == ("A003", 3, "waiting", 1)
    assert (ticket.phone, ticket.name, ticket.language) == (phone(3), "Amina", "sw")
    assert (ticket.queue, ticket.branch, ticket.branch_code) == ("Doctor", "Kilimani Clinic", CLINIC)
    assert (ticket.ahead, ticket.minutes, ticket.today, ticket.near) == (2, None, True, True)
    assert await world.ticket(3) == ticket
    assert world.announced == [world.queue_ids["A"]] * 3


async def test_a_second_join_by_any_channel_answers_with_the_first_ticket(world: World) -> None:
    first = await world.join(1)
    for act in (world.customer("sms"), world.customer("web"), world.customer("api"), world.clerk()):
        again = await world.join(1, act=act)
        assert not again.new
        assert again.ticket == first.ticket


async def test_a_phone_in_one_line_does_not_get_a_place_in_another(world: World) -> None:
    first = await world.join(1, "A")
    for queue in ("P", "C"):
        again = await world.join(1, queue)
        assert (again.new, again.ticket) == (False, first.ticket)


async def test_one_phone_on_three_channels_at_once_gets_one_ticket(world: World) -> None:
    """F40."""
    channels: tuple[Channel, ...] = ("ussd", "sms", "web")
    ways = itertools.product(channels, ("A", "P", "C"))
    answers = await asyncio.gather(*(world.join(1, queue, act=Act("customer", channel)) for channel, queue in ways))
    assert sorted(answer.new for answer in answers) == [False] * 8 + [True]
    assert len({answer.ticket.id for answer in answers}) == 1


@pytest.mark.parametrize("verb", ["called", "serving", "skipped"])
async def test_who_is_called_served_or_skipped_still_has_that_ticket(world: World, verb: str) -> None:
    await world.line(1)
    ticket = await world.called()
    if verb == "serving":
        await world.do("start", ticket)
    if verb == "skipped":
        await world.do("skip", ticket)
    again = await world.join(1, "P")
    assert (again.new, again.ticket.id, again.ticket.status) == (False, ticket.id, verb)


async def test_whose_ticket_ended_may_join_again_with_a_new_number(world: World) -> None:
    await world.line(1)
    await world.serve()
    again = await world.join(1)
    assert (again.new, again.ticket.label) == (True, "A002")


async def test_a_walk_in_without_a_phone_gets_a_number_and_no_text(world: World) -> None:
    first = await world.join(None, act=world.clerk(), name="Baraka")
    second = await world.join(None, act=world.clerk())
    assert [first.ticket.label, second.ticket.label] == ["A001", "A002"]
    assert (first.ticket.phone, first.ticket.name) == (None, "Baraka")
    assert await world.pool.fetchval("select count(*) from notifications") == 0


async def test_a_phone_without_a_ticket_has_none(world: World) -> None:
    assert await world.ticket(1) is None


async def test_a_closed_line_takes_nobody_and_says_when_the_place_opens(world: World) -> None:
    await world.close()
    with pytest.raises(Refused) as refusal:
        await world.join(1)
    assert refusal.value.code == "closed"
    assert refusal.value.facts["branch"] == "Kilimani Clinic"
    assert refusal.value.facts["queue"] == "Doctor"
    opens_at = queues.opening_of(refusal.value)
    assert opens_at
    assert f"{opens_at:%H:%M}" in ("08:30", "09:00")
    assert await world.ticket(1) is None


async def test_a_branch_that_is_not_open_takes_nobody_in_any_line(world: World) -> None:
    await world.pool.execute("update branches set is_open = false where code = $1", CLINIC)
    for queue in ("A", "P", "L"):
        with pytest.raises(Refused) as refusal:
            await world.join(1, queue)
        assert refusal.value.code == "closed"
    assert (await world.join(1, "C")).new


async def test_a_paused_line_takes_nobody_and_says_when_it_is_back(world: World) -> None:
    until = datetime.fromisoformat("2030-01-01T10:30:00+03:00")
    await queues.pause(world.core, world.clerk(), world.queue_ids["A"], until)
    with pytest.raises(Refused) as refusal:
        await world.join(1)
    assert refusal.value.code == "paused"
    assert datetime.fromisoformat(refusal.value.facts["paused_until"]) == until


async def test_a_full_line_takes_nobody_even_after_people_have_left(world: World) -> None:
    await world.set(daily_limit=2)
    await world.line(1, 2)
    await world.leave(1)
    with pytest.raises(Refused) as refusal:
        await world.join(3)
    assert refusal.value.code == "full"
    assert refusal.value.facts["queue"] == "Doctor"


async def test_a_line_that_does_not_exist_is_refused(world: World) -> None:
    with pytest.raises(Refused) as refusal:
        await tickets.join(world.core, world.customer(), "00000000-0000-4000-8000-000000000000", phone(1))
    assert refusal.value.code == "no_queue"


async def test_a_refused_join_leaves_nothing_behind(world: World) -> None:
    await world.close()
    with pytest.raises(Refused):
        await world.join(1)
    for table in ("tickets", "queue_days", "notifications", "customers", "waiting_blocks"):
        assert await world.pool.fetchval(f"select count(*) from {table}") == 0, table  # noqa: S608


async def test_a_ticket_speaks_the_language_that_the_phone_chose_before(world: World) -> None:
    await customers.set_language(world.core, phone(1), "sw")
    assert (await world.join(1)).ticket.language == "sw"
    assert (await world.join(2)).ticket.language == "en"
    await world.pool.execute("update organizations set language = 'fr'")
    assert (await world.join(3)).ticket.language == "fr"
    assert (await world.join(None, act=Act("staff", "staff"))).ticket.language == "fr"


async def test_a_ticket_shows_times_on_the_wall_clock_of_its_branch(world: World) -> None:
    await world.pool.execute("update branches set timezone = 'Africa/Lagos'")
    ticket = (await world.join(1)).ticket
    noon = datetime.fromisoformat("2026-03-02T12:00:00+00:00")
    assert f"{ticket.local(noon):%H:%M}" == "13:00"
