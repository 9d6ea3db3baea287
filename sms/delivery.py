"""Delivery reports: early, late, doubled or reversed, they bring a text to the same end."""

from __future__ import annotations

from db.pool import Pool
from db.queries import load
from sms.sending import Report

SQL = load("outbox")


async def record(pool: Pool, gateway: str, report: Report) -> None:
    """Keep a report and apply it. One that names no text of ours waits for the text to be marked.

    Keeping and applying are two statements on purpose, as are marking a text and `settle`: whichever side
    comes second sees what the other committed, so no report is missed.
    """
    await pool.execute(
        SQL.keep_report,
        gateway,
        report.provider_id,
        report.phone,
        report.status,
        report.reason,
        report.raw,
    )
    if not await settle(pool, gateway, report.provider_id) and report.phone:
        await find_lost(pool, gateway, report.phone)


async def settle(pool: Pool, gateway: str, provider_id: str) -> bool:
    """Apply the reports so far to the text of this id. False where no text has it."""
    known: bool = await pool.fetchval(SQL.settle, gateway, provider_id)
    return known


async def find_lost(pool: Pool, gateway: str, phone: str) -> None:
    """Settle a text to this phone whose answer was lost, when a report to it came meanwhile."""
    if provider_id := await pool.fetchval(SQL.find_lost, gateway, phone):
        await settle(pool, gateway, provider_id)
