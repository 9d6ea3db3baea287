"""More than anybody needs, as fast as it goes: the answers stay honest, and the memory stays flat."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from websockets.exceptions import InvalidStatus

from staff_web.hub import MOST_OF_ONE_ADDRESS
from tests.attack.house import House
from tests.staff_web.conftest import HOME
from tests.staff_web.sockets import opened
from tests.world import phone
from ussd.limits import Limit

AT_ONCE = 40
WORKERS = 2
MOST_GROWTH = 40_000_000  # bytes of all processes, after a first round: sockets, pools and caches are there by then
BYTES_OF_A_SOCKET = 50_000
FIRST_PHONE = 10_000
SWITCHED, NOT_OURS, FULL = 101, 403, 503


async def in_parallel(times: int, ask: Callable[[int], Awaitable[object]]) -> None:
    """So often, so many at once."""
    numbers = iter(range(times))

    async def one_after_the_other() -> None:
        for number in numbers:
            await ask(number)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(one_after_the_other())


@asynccontextmanager
async def flat(house: House, what: str, most: int = MOST_GROWTH) -> AsyncIterator[None]:
    """The memory of all processes grows by no more than a little; how much is noted."""
    before = house.resident()
    yield
    after = house.resident()
    assert after - before < most, (before, after)
    house.noted.append(f"{what}: {before / 1e6:.0f} MB before, {after / 1e6:.0f} MB after")


async def one_phone(house: House) -> int:
    """One phone, dialling as fast as it goes."""
    said: Counter[str] = Counter()

    async def dial(_: int) -> None:
        said[(await house.dial(phone(1))).partition("\n")[0]] += 1

    times = house.times(3000, 60)
    async with house.unmoved():
        await in_parallel(times // 3, dial)
        async with flat(house, "memory"):
            await in_parallel(times - times // 3, dial)
    begun = await house.world.pool.fetchval("select count(*) from ussd_sessions")
    assert begun < times, said
    house.noted.append(f"{begun} sessions of {times} dials were begun; {Limit().a_minute} a minute are meant")
    return times


async def many_phones(house: House) -> int:
    """A crowd that nobody knows, each with a session of its own that it does not end."""
    times = house.times(12_000, 60)

    async def dial(number: int) -> None:
        assert (await house.dial(phone(FIRST_PHONE + number), "4071")).startswith("CON ")

    async with house.unmoved():
        await in_parallel(times // 3, dial)
        async with flat(house, "memory"):
            await in_parallel(times - times // 3, lambda number: dial(times + number))
    return times


async def pages(house: House) -> int:
    """Log-in pages, boards, pages that are not there."""
    paths = ("/staff/login", "/display/4071", "/display/9999", "/nowhere", "/staff/login?next=/staff/desk", "/ws")
    statuses: Counter[int] = Counter()

    async def look(number: int) -> None:
        statuses[
            (await house.ask("GET", paths[number % len(paths)] + ("" if number % 2 else f"?{number}"))).status
        ] += 1

    times = house.times(9000, 60)
    async with house.unmoved():
        await in_parallel(times // 3, look)
        async with flat(house, "memory"):
            await in_parallel(times - times // 3, look)
    assert set(statuses) <= {200, 404}, statuses
    return times


async def sockets(house: House) -> int:
    """Public sockets, from one address and from many, that stay open and follow a branch."""
    most = MOST_OF_ONE_ADDRESS * WORKERS
    addresses = house.times(3, 0)
    tries = refused = 0
    room = MOST_GROWTH + most * (addresses + 1) * BYTES_OF_A_SOCKET
    async with AsyncExitStack() as stack, flat(house, "memory with all of them open", room):
        for address in range(addresses + 1):
            for _ in range(most + 50 if address and house.many else 20):
                tries += 1
                refused += await knock(stack, house, "/ws", address=f"198.51.100.{address}") == FULL
        assert refused >= addresses * 50
        assert (await house.ask("GET", "/display/4071")).status == 200
        for origin in ("", "https://evil.example", "null", HOME + ".evil.example"):
            tries += 1
            assert await knock(stack, house, "/ws", origin=origin) == NOT_OURS
    house.noted.append(f"{refused} of {tries} refused")
    return tries


async def knock(stack: AsyncExitStack, house: House, path: str, **whose: str) -> int:
    """What is answered to who wants a socket; an open one stays so."""
    try:
        await stack.enter_async_context(opened(house.server.url, path, **{"origin": HOME, **whose}))
    except InvalidStatus as refused:
        return refused.response.status_code
    return SWITCHED
