"""F59: a strange name that is taken is shown as the text that it is; tests/fuzz types such into every field."""

from __future__ import annotations

from html import escape

import pytest

from tests.staff_web.conftest import Open, Staff
from tests.staff_web.places import FORM, ids_of
from tests.world import World

HOSTILE = {
    "a script": "<script>alert(1)</script>",
    "the end of an attribute": "\"'><b onfocus=alert(1)>",
    "a template": "{{ 7 * 7 }}{% raw %}",
    "a format": "{0.__class__}%s%n",
    "a formula": "=cmd|'/c calc'!A1",
    "two lines": "Asha\r\nSet-Cookie: stolen=1",
    "an emoji of four bytes": "😀" * 5,
    "half a character": "\ud83d",
    "a zero": "As\0ha",
    "SQL": "'; drop table tickets; --",
    "letters that turn the line round": "\u202eahsA",
    "very much": "A" * 5000,
    "nothing but blanks": " \u2003\t ",
}
FOR_ALL = ("a script", "the end of an attribute")
LOOKS = (
    "/staff/branches",
    "/staff/branches/4071",
    "/staff/branches/4071/settings",
    "/staff/people",
    "/staff/people/clinic1",
    "/staff/organization",
    "/staff/desk",
    "/staff/desk/{counter}/{queue}",
    "/staff/desk/{counter}/{queue}/tickets/{ticket}",
)


@pytest.mark.parametrize("kind", HOSTILE)
async def test_nobody_is_logged_in_by_a_strange_login(world: World, browser: Open, kind: str) -> None:
    opened = browser()
    door = await opened.get("/staff/login")
    assert door.status_code == 200
    typed = HOSTILE[kind].encode(errors="replace").decode()
    for login, password in ((typed, "x"), ("admin", typed)):
        answer = await opened.log_in(login, password)
        assert answer.status_code == 422
        assert "<script>alert" not in answer.text
    assert await world.pool.fetchval("select count(*) from staff_sessions") == 0


NAMES = ["<i>Asha</i>", "Asha & 'Ali'", '"Asha"', "=1+1", "{{ 7*7 }}", "Ürün Ğül", "王小明"]


@pytest.mark.parametrize("name", NAMES)
async def test_a_strange_name_of_a_colleague_is_shown_as_it_is(staff: Staff, name: str) -> None:
    browser = await staff("admin")
    assert await browser.told("/staff/people/clinic1", name=name, role="staff", branch="4071") == f"{name} was saved."
    for path in ("/staff/people", "/staff/people/clinic1", "/staff/branches/4071"):
        page = await browser.get(path)
        assert str(escape(name, quote=False)) in page.text.replace("&#39;", "'").replace("&#34;", '"'), path
        assert "<i>Asha" not in page.text


@pytest.mark.parametrize("name", ["<b>x</b>", "A & B's", '="A"'])
async def test_a_strange_name_of_a_line_is_shown_as_it_is(world: World, staff: Staff, name: str) -> None:
    """It is plain ASCII, so any phone can show it; a page must, too."""
    own = await ids_of(world, "4071", "clinic1", 1)
    browser = await staff("admin")
    path = "/staff/branches/4071/lines/{queue}".format(**own)
    assert await browser.told(path, **FORM | {"name": name}) == f"{name} was saved."
    for look in LOOKS:
        page = await browser.get(look.format(**own))
        assert page.status_code == 200
        assert "<b>x" not in page.text
    assert await world.pool.fetchval("select name from queues where id = $1", own["queue"]) == name
