"""What is kept about a person beyond the ticket: language, opt-out, rating, the wish to be forgotten."""

from __future__ import annotations

from db.queries import load
from queue_core.core import Act, Core, perform

SQL = load("customers")


async def set_language(core: Core, phone: str, language: str) -> None:
    """Remembered per phone; a ticket in hand speaks it from now on."""
    await core.pool.execute(SQL.set_language, phone, language)


async def opt_out(core: Core, phone: str) -> None:
    """No more texts. The ticket lives on, and staff call by name."""
    await core.pool.execute(SQL.opt_out, phone)


async def opt_in(core: Core, phone: str) -> None:
    await core.pool.execute(SQL.opt_in, phone)


async def rating_asked(core: Core, ticket_id: str) -> None:
    """The question is put once per visit, answered or not."""
    await core.pool.execute(SQL.rating_asked, ticket_id)


async def rate(core: Core, act: Act, phone: str, stars: int) -> None:
    """Rate the last visit of the past 24 hours, 1 (very bad) to 5 (very good). Raises Refused: no_ticket."""
    await perform(core, SQL.rate, act, phone, stars)


async def shut_answered(core: Core, ticket_id: str) -> None:
    """The answer is "No thank you" to the first place of another day."""
    await core.pool.execute(SQL.shut_answered, ticket_id)


async def erase(core: Core, act: Act, phone: str) -> None:
    """Leave the line and take the phone and the name off everything that is kept. One last text says so."""
    await perform(core, SQL.erase, act, phone)
