"""A clerk at a counter of the demo clinic, who looks at pages and presses what is on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from queue_core.tickets import Ticket
from tests.staff_web.browsing import Browser, said_on
from tests.staff_web.conftest import Staff
from tests.staff_web.forms import Form, form_of
from tests.world import World

COUNTER = """
select format('/staff/desk/%s/%s', c.id, q.id) from counters c join queues q using (branch_id)
 where c.name = $1 and q.code = $2
"""
SEEN = """
select jsonb_object_agg(label(q.code, t.number), array[t.status::text, t.version::text, c.name])
  from tickets t join queues q on q.id = t.queue_id left join counters c on c.id = t.counter_id
"""


@dataclass(slots=True)
class Counter:
    """`base` is the address of the desk."""

    browser: Browser
    base: str

    async def look(self, path: str = "", **headers: str) -> httpx.Response:
        """The desk, or a page under it."""
        page = await self.browser.get(self.base + path, **headers)
        assert page.status_code in (httpx.codes.OK, httpx.codes.NOT_MODIFIED), (page.status_code, page.text)
        return page

    async def form(self, words: str, path: str = "") -> Form:
        """The form with that button, as the page has it now."""
        return form_of((await self.look(path)).text, words)

    async def send(self, form: Form, **fields: str) -> httpx.Response:
        """Press; no redirect is followed."""
        return await self.browser.client.post(form.action, data=form.fields | fields)

    async def told(self, form: Form, **fields: str) -> str:
        """Press; what the page after it says."""
        answer = await self.send(form, **fields)
        assert answer.status_code == httpx.codes.SEE_OTHER, (answer.status_code, answer.text)
        return said_on(await self.browser.get(answer.headers["location"]))

    async def press(self, words: str, path: str = "", **fields: str) -> str:
        """Look, and press that button."""
        return await self.told(await self.form(words, path), **fields)


def of(ticket: Ticket) -> str:
    """The page of a ticket, under the desk."""
    return f"/tickets/{ticket.id}"


def trouble_on(answer: httpx.Response) -> tuple[int, str]:
    """Why there is no page: the status, and what is said to whoever did not ask for HTML."""
    assert answer.headers["content-type"].startswith("text/plain")
    return answer.status_code, answer.text


async def counter_at(world: World, browser: Browser, room: str = "Room 1", queue: str = "A") -> Counter:
    return Counter(browser, await world.pool.fetchval(COUNTER, room, queue))


async def tickets_of(world: World) -> dict[str, Any]:
    """Every ticket by its label: status, version and counter. What a press that changes nothing leaves as it was."""
    return dict(await world.pool.fetchval(SEEN) or {})


@pytest.fixture
async def counter(world: World, staff: Staff) -> Counter:
    """Amina at Room 1, with the doctor's line."""
    return await counter_at(world, await staff("clinic1"))
