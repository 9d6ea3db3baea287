"""The demo world: one organization, a clinic and a bank, so that a newcomer has somewhere to dial."""

from __future__ import annotations

from db.queries import load
from queue_core import staff
from queue_core.core import Core

SQL = load("demo")

ORGANIZATION = "Afya Bora"
WEEKDAYS = {day: [["08:30", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
SATURDAY = {"sat": [["09:00", "13:00"]]}

BRANCHES = [
    {
        "code": "4071",
        "name": "Kilimani Clinic",
        "phone": "0700123456",
        "hours": WEEKDAYS | SATURDAY,
        "queues": [["A", "Doctor"], ["P", "Pharmacy"], ["L", "Laboratory"]],
        "counters": ["Room 1", "Room 2", "Room 3", "Room 4"],
    },
    {
        "code": "5084",
        "name": "Moi Avenue Bank",
        "phone": "0700654321",
        "hours": WEEKDAYS,
        "queues": [["C", "Cash"], ["N", "Loans"]],
        "counters": ["Window 1", "Window 2", "Window 3"],
    },
]

STAFF: list[tuple[str | None, staff.Role, str, str]] = [
    (None, "admin", "admin", "Wanjiru"),
    ("4071", "manager", "manager", "Otieno"),
    ("4071", "staff", "clinic1", "Amina"),
    ("5084", "staff", "bank1", "Kamau"),
]


async def seed(core: Core) -> dict[str, str]:
    """Make the demo world; again changes nothing. Returns login -> first password of whoever is new."""
    await core.pool.execute(SQL.seed, ORGANIZATION, BRANCHES)
    passwords = {
        login: await staff.add(core, ORGANIZATION, branch, role, login, name) for branch, role, login, name in STAFF
    }
    return {login: password for login, password in passwords.items() if password}
