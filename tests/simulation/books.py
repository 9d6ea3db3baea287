"""The provider's books against our rows, once nothing is to be sent any more (I14, I15, I17, I18)."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator

from db.pool import Pool
from tests.faults.ledger import SEEN, UNENDED, fell
from tests.simulation.provider import Provider

TEXTS = """
select n.id, n.template, n.status, n.provider_id,
       exists (select from notification_attempts a where a.notification_id = n.id and a.outcome = 'unknown') as lost
  from notifications n
"""


async def wrong(pool: Pool, provider: Provider) -> list[str]:
    """What does not hold; empty when all is well."""
    return [
        *[f"I14: {row[0]}" for row in await pool.fetch(UNENDED)],
        *[finding async for finding in _compared(pool, provider)],
        *[f"I18: a text was {row[0]}" for row in await pool.fetch(SEEN) if fell(row[0])],
    ]


async def _compared(pool: Pool, provider: Provider) -> AsyncIterator[str]:
    taken = Counter(text.reference for text in provider.books)
    for row in await pool.fetch(TEXTS):
        times = taken.pop(row["id"], 0)
        if row["status"] in ("sent", "delivered") and not times:
            yield f"I15: {row['template']} is {row['status']}, and the provider never had it"
        if times > 1:
            yield f"I15: {row['template']} was sent {times} times and is {row['status']}"
        if times and row["status"] in ("suppressed", "dead") and not row["lost"]:
            yield f"I15: the provider has {row['template']}, which is {row['status']}"
    for reference in taken:
        yield f"I15: the provider has {reference}, and we have not"
