"""The page of health says to admins what `zamu doctor` says in a terminal, in the same words."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest

from tests.staff_web.conftest import HOME, Staff
from tests.terminal import Terminal, terminal
from tests.world import World, phone

__all__ = ["terminal"]

HEALTH = "/staff/health"
FINDING = re.compile(r'class="card finding (\w+)">\s*<dt>.*? · (.*?)</dt>\s*<dd>(.*?)</dd>', re.DOTALL)


def findings(html: str) -> set[tuple[str, str, str]]:
    return {(state, about, unescape(sentence)) for state, about, sentence in FINDING.findall(html)}


async def test_page_and_doctor_find_the_same(staff: Staff, world: World, terminal: Terminal) -> None:
    await world.line(1, 2)
    await world.pool.execute("update notifications set status = 'dead' where phone = $1", phone(1))
    page = await (await staff("admin")).get(HEALTH)
    told = json.loads(terminal.zamu("doctor", "--json", ZAMU_PUBLIC_URL=HOME).stdout)["findings"]
    assert findings(page.text) == {(one["state"], one["about"], one["sentence"]) for one in told}
    assert (
        "warning",
        "texts",
        "1 texts of today could not be sent. The column `error` of notifications says why.",
    ) in (findings(page.text))
    assert "All runs. Something wants a look." in page.text
    assert phone(1) not in page.text


async def test_what_is_wrong_stands_first_and_is_told_as_wrong(staff: Staff, world: World) -> None:
    await world.line(1)
    await world.later(2)
    await world.pool.execute("insert into heartbeats values ('sweeper', now() - interval '10 minutes')")
    page = (await (await staff("admin")).get(HEALTH)).text
    assert "Something is wrong, and people feel it." in page
    states = [state for state, _, _ in FINDING.findall(page)]
    assert states == sorted(states, key=("wrong", "warning", "ok").index)
    assert (
        "wrong",
        "worker",
        "No worker was here for 10 min: no text is sent, no call expires. Start `zamu worker`.",
    ) in (findings(page))


@pytest.mark.parametrize("login", ["manager", "clinic1"])
async def test_the_health_of_the_house_is_for_admins_alone(staff: Staff, login: str) -> None:
    browser = await staff(login)
    assert (await browser.get(HEALTH)).status_code == 403
    assert HEALTH not in (await browser.get("/staff/branches")).text
    assert HEALTH in (await (await staff("admin")).get("/staff/branches")).text
