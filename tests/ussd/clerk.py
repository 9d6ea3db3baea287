"""A clerk with a phone: whose it is, and how he gets to his desk with it."""

from __future__ import annotations

from queue_core import staff_phones
from queue_core.core import Act
from tests.ussd.caller import Caller
from tests.world import World, phone

PIN = "483920"
DESK = "*384*40*0#"
CLERK = 900
PEPPER = b"nobody knows this one"


async def enrol(
    world: World, login: str = "clinic1", person: int = CLERK, counter: str | None = "Room 1", *lines: str
) -> None:
    """Makes the phone a staff member's; its counter serves the given lines, or all of them."""
    await staff_phones.enrol(world.core, Act("staff", "staff"), login, phone(person), counter)
    row = await world.row(
        "select parameters from notifications where template = 'staff_code' and phone = $1", phone(person)
    )
    await staff_phones.confirm(world.core, Act("staff", "staff"), login, row["parameters"]["otp"], PIN, PEPPER)
    if lines:
        await world.pool.execute(
            """delete from counter_queues cq using counters c, queues q
                where c.id = counter_id and q.id = queue_id and c.name = $1 and q.code <> all ($2)""",
            counter,
            lines,
        )


async def at_desk(clerk: Caller) -> Caller:
    await clerk.dial(DESK)
    await clerk.press(PIN)
    clerk.is_at("staff_desk")
    return clerk


async def statuses(world: World) -> list[str]:
    return [row["status"] for row in await world.pool.fetch("select status from tickets order by number")]
