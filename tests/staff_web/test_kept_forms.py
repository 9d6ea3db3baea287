"""A form that is refused is answered with the page itself, and nothing that was typed has to be typed again."""

from __future__ import annotations

import httpx
import pytest

from tests.staff_web.browsing import said_on
from tests.staff_web.conftest import Staff
from tests.staff_web.forms import Form, forms_on
from tests.staff_web.test_branches import FACTS, SETTINGS
from tests.world import World

LINE = {"alert_threshold": "4", "call_expiry": "6", "grace": "16", "max_skips": "1", "daily_limit": "99"}
NEW_PERSON = {"login": "Ämani", "name": "Amani", "role": "staff", "branch": "4071"}
NEW_BRANCH = {"code": "40", "name": "Upper Hill", "phone": "0700123456"}

# Who, where the button is, and what is typed, of which one field is refused.
REFUSED = {
    "a branch": ("manager", SETTINGS, FACTS | {"address": "Typed with care", "hours-mon": "8-17", "reason": "so"}),
    "a new line": ("manager", "/staff/branches/4071/lines", {"line_code": "S", "name": "X-ray"}),
    "somebody new": ("manager", "/staff/people", NEW_PERSON),
    "a person": ("manager", "/staff/people/clinic1", {"name": "A" * 41, "role": "staff", "branch": "4071"}),
    "a phone": ("manager", "/staff/people/clinic1/phone", {"phone": "call me", "counter": "Room 2"}),
    "a new branch": ("admin", "/staff/branches", NEW_BRANCH),
    "the organization": ("admin", "/staff/organization", {"name": "", "language": "sw"}),
}


def _form(page: httpx.Response, action: str) -> Form:
    return next(form for form in forms_on(page.text) if form.action == action)


def _chosen(page: httpx.Response, value: str) -> bool:
    return f'value="{value}" selected' in page.text


@pytest.mark.parametrize("kind", REFUSED)
async def test_what_was_typed_is_still_there(staff: Staff, kind: str) -> None:
    login, path, typed = REFUSED[kind]
    answer = await (await staff(login)).press(path, **typed)
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert said_on(answer)
    form = _form(answer, path)
    for name, value in typed.items():
        assert _chosen(answer, value) if name in form.choices else form.fields.get(name) == value, name


async def test_the_fields_of_one_line_are_not_those_of_another(world: World, staff: Staff) -> None:
    line, other = (f"/staff/branches/4071/lines/{world.queue_ids[code]}" for code in "AP")
    answer = await (await staff("manager")).press(line, **LINE | {"name": "Doctors", "grace": "-1"})
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    typed = _form(answer, line).fields
    assert (typed["name"], typed["grace"], typed["daily_limit"]) == ("Doctors", "-1", "99")
    assert _form(answer, other).fields["name"] == "Pharmacy"


async def test_boxes_that_were_emptied_stay_empty(staff: Staff) -> None:
    manager = await staff("manager")
    answer = await manager.press("/staff/branches/4071/counters", name="")
    ticked = [name for name in _form(answer, "/staff/branches/4071/counters").fields if name.startswith("serves-")]
    assert (answer.status_code, ticked) == (httpx.codes.UNPROCESSABLE_ENTITY, [])


async def test_the_next_press_is_another_one(staff: Staff) -> None:
    """Else it would be answered with the refusal of the first."""
    manager = await staff("manager")
    answer = await manager.press("/staff/branches/4071/lines", line_code="S", name="X-ray")
    form = _form(answer, "/staff/branches/4071/lines")
    again = await manager.client.post(form.action, data=form.fields | {"line_code": "X"})
    assert again.status_code == httpx.codes.SEE_OTHER


async def test_where_somebody_else_changed_it_meanwhile_what_is_true_is_shown(staff: Staff) -> None:
    manager = await staff("manager")
    seen = _form(await manager.get(SETTINGS), SETTINGS).fields["seen"]
    await manager.told(SETTINGS, **FACTS | {"seen": seen, "name": "Kilimani"})
    answer = await manager.press(SETTINGS, **FACTS | {"seen": seen, "name": "Old"})
    assert said_on(answer).endswith("This is how they are now.")
    assert _form(answer, SETTINGS).fields["name"] == "Kilimani"
