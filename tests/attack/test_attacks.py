"""Every attack gets nothing: a few tries of each at every run, all that an attacker would do in `make attack`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.attack.attacks import ATTACKS
from tests.attack.house import House

Record = Callable[[str, object], None]


async def test_a_few_tries_of_each_attack_get_nothing(house: House) -> None:
    house.many = False
    for attack in ATTACKS.values():
        assert await attack(house) > 0


@pytest.mark.long
@pytest.mark.parametrize("name", ATTACKS)
async def test_nothing_gets_through(house: House, name: str, record_property: Record) -> None:
    record_property("times", await ATTACKS[name](house))
    if house.noted:
        record_property("noted", "; ".join(house.noted))
