"""Texts at our cost: to whoever owns a range of numbers, to expensive ones, to one person without end."""

from __future__ import annotations

from collections import Counter
from uuid import uuid4

from tests.attack.floods import in_parallel
from tests.attack.house import House
from tests.world import phone

RANGE = "+25471107"
MOST_IN_AN_HOUR = 100
MOST_IN_A_DAY = 12
CALLS = 2  # his turn, and the last call, which a person gets in any case
PREMIUM = ("+254900223456", "+19005551234", "+449098790000", "+33899123456", "+4990012345678", "+8821612345678")
ABROAD = ("+255711000001", "+14155550101", "+447700900123", "+2348031234567", "+8613800138000", "+37126123456")
SENT = "select count(*) from notifications where attempts > 0 and phone = any ($1)"
LATER = "update inbound_messages set received_at = received_at - interval '11 minutes'"


async def of_a_range(house: House) -> int:
    """Ten thousand numbers of one range, all given a place by whoever knows a gateway's secret."""
    numbers = house.times(10_000, 120)
    await house.world.pool.execute("update queues set daily_limit = 9999")

    async def join(number: int) -> None:
        await house.dial(f"{RANGE}{number:04}", f"4071*{number % 3 + 1}*1")

    await in_parallel(numbers, join)
    joined = await house.world.pool.fetchval("select count(*) from tickets")
    await house.all_sent()
    texts = Counter(row.phone[:-3] for row in house.telco.ledger.of("sms.message") if row.phone.startswith(RANGE))
    assert sum(texts.values()) > 0
    assert max(texts.values()) <= MOST_IN_AN_HOUR, texts
    house.noted.append(
        f"{joined} got a place, {sum(texts.values())} a text: {max(texts.values())} of a thousand numbers"
    )
    return numbers


async def abroad(house: House) -> int:
    """Premium numbers, satellites, and countries that were not named."""
    tries = 0
    for number in (*PREMIUM, *ABROAD):
        for _ in range(house.times(10, 1)):
            await house.dial(number, f"4071*{tries % 3 + 1}*1")
            await house.text(number, "JOIN 5084 B")
            tries += 2
    await house.all_sent()
    wanted = [*PREMIUM, *ABROAD]
    got = [row.phone for row in house.telco.ledger.of("sms.message") if row.phone in wanted]
    assert got == [], got
    assert await house.world.pool.fetchval(SENT, wanted) == 0
    return tries


async def of_one_person(house: House) -> int:
    """One number that joins, asks, leaves and joins again all day."""
    number, tries = phone(1), 0
    words = ("JOIN 4071 A", "STATUS", "LATE 10", "LEAVE", "HELP", "nonsense", "JOIN 9999", "START")
    await house.all_sent()
    for round_ in range(house.times(40, 3)):
        for text in words:
            await house.text(number, text)
            tries += 1
        await house.dial(number, f"4071*{round_ % 3 + 1}*1", uuid4().hex)
        await house.dial(number, "2*3*1", uuid4().hex)
        tries += 2
        await house.world.pool.execute(LATER)
    await house.all_sent()
    got = house.telco.ledger.of("sms.message", number)
    answers = await house.world.pool.fetchval(
        "select count(*) from notifications where phone = $1 and attempts > 0 and template in ('stop', 'start')", number
    )
    assert len(got) - answers <= MOST_IN_A_DAY + CALLS, Counter(await house.told(number))
    house.noted.append(f"{len(got)} texts went out")
    return tries
