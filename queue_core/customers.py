"""What is kept about a person beyond the ticket: language, opt-out, rating, the wish to know it or to be forgotten."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from db.pool import once_more
from db.queries import load
from queue_core.core import Act, Core, perform

SQL = load("customers")
SEARCH_SECONDS = 600  # through all tables, in a database that serves nobody yet


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


async def export(core: Core, act: Act, phone: str) -> dict[str, list[dict[str, Any]]]:
    """All that is kept of a phone, by table. That somebody looked is audited, not at whom."""
    found: dict[str, list[dict[str, Any]]] = await once_more(
        core.pool, lambda conn: conn.fetchval(SQL.export, act.as_json(), phone)
    )
    return found


async def erase(core: Core, act: Act, phone: str, key: bytes) -> None:
    """Leave the line and take the phone and the name off everything that is kept. One last text says so.

    A mark of the phone, made with the secret `key`, stays for 90 days: a backup of before is to be erased as well.
    """
    await perform(core, SQL.erase, act, phone, mark(phone, key))


def mark(phone: str, key: bytes) -> str:
    """What tells that a phone was erased to whoever has the phone and the key, and to nobody else anything."""
    return hmac.digest(key, b"erased:" + phone.encode(), "sha256").hex()


async def erased(core: Core) -> dict[str, datetime]:
    """The marks of the phones that were erased, and when."""
    return {row["mark"]: row["erased_at"] for row in await core.pool.fetch(SQL.erased)}


async def erase_again(core: Core, act: Act, marks: Mapping[str, datetime], key: bytes) -> int:
    """Erase whoever was erased, as `marks` say, after the moment that this database was restored to; how many.

    Nobody is told: they were, then. Who was erased before that moment may have come again since, and stays.
    """
    known = await erased(core)
    later = {made: at for made, at in marks.items() if known.get(made) != at}
    async with core.pool.acquire() as conn, conn.transaction():
        await conn.execute(SQL.take_time)
        phones = [row["phone"] for row in await conn.fetch(SQL.phones, timeout=SEARCH_SECONDS)]
    found = [(phone, made) for phone in phones if (made := mark(phone, key)) in later]
    for phone, made in found:
        await core.pool.execute(SQL.erase_again, act.as_json(), phone, made, later[made])
    return len(found)
