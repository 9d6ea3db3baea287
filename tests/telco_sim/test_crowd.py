from __future__ import annotations

import asyncio

from telco_sim.faults import Faults, UssdFault
from telco_sim.testing import RunningTelco
from tests.telco_sim.conftest import SHORT_CODE, Application


async def test_three_hundred_phones_dial_at_once_and_each_gets_its_own_screens(
    telco: RunningTelco, application: Application
) -> None:
    telco.set_faults(Faults(ussd=[UssdFault(deliver=2, at_once=True)]))

    async def call(number: int) -> str:
        handset = telco.phone(f"+254711{number:06}")
        await handset.dial(SHORT_CODE)
        return (await handset.press(f"own {number}")).text

    texts = await asyncio.gather(*(call(number) for number in range(300)))
    assert texts == [f"You said own {number}" for number in range(300)]
    assert len(application.got("/ussd")) == 300 * 2 * 2
    assert len({row.data["sessionId"] for row in telco.ledger.of("ussd.request")}) == 300
