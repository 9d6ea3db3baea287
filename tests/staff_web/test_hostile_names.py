"""F59: whatever is typed into whatever field is either refused in words, or shown as the text that it is."""

from __future__ import annotations

import re
from html import escape

import pytest

from tests.staff_web.browsing import Browser
from tests.staff_web.conftest import Open, Staff
from tests.staff_web.places import FORM, address, ids_of, methods_of, staff_routes
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
# The fields of the forms of each part; `csrf` is another test's.
FIELDS = {
    "/staff/desk": "request seen at_id at_version finish first to minutes ahead name phone reason how",
    "/staff/branches": "request seen name phone address asks_name hours-mon reason code line_code grace daily_limit",
    "/staff/people": "request login name role branch reason phone counter code pin",
    "/staff/organization": "request name language",
    "/staff/totp": "password code",
}
ISOLATED = re.compile(r"<bdi>.*?</bdi>")
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


async def _press_all(browser: Browser, own: dict[str, str], part: str, field: str, typed: str) -> list[tuple[str, int]]:
    """Each button of a part with one hostile field, and what no form of ours should be answered."""
    faults = []
    for number, route in enumerate(staff_routes()):
        if "POST" not in methods_of(route) or not route.path.startswith(part):
            continue
        value = f"{number}{typed}" if field == "request" else typed  # the name of one press, never of two
        form = FORM | {"code": "4071", "branch": "4071", "to": own["queue"], field: value}
        body = "&".join(f"{name}={_quoted(value)}" for name, value in ({"csrf": browser.csrf} | form).items())
        kind = {"content-type": "application/x-www-form-urlencoded"}
        answer = await browser.client.post(address(route, own), content=body.encode(), headers=kind)
        if answer.status_code not in (200, 303, 400, 404, 422) or "\n" in answer.headers.get("location", ""):
            faults.append((route.path, answer.status_code))
        assert "stolen" not in answer.cookies
        if answer.status_code == 422:
            assert typed not in answer.text or escape(typed) == typed
        if answer.status_code == 303:
            said = await browser.get(answer.headers["location"])
            faults += [(route.path, said.status_code)] if said.status_code not in (200, 303) else []
            assert typed not in said.text or escape(typed) == typed
    return faults


def _quoted(value: str) -> str:
    """As a browser would, and worse: half a character travels too."""
    return "".join(f"%{byte:02X}" for byte in value.encode(errors="surrogatepass"))


def test_every_part_with_a_button_is_tried() -> None:
    own = ("/staff/login", "/staff/logout", "/staff/password")  # a test of their own, and nothing that is shown
    buttons = [route.path for route in staff_routes() if "POST" in methods_of(route)]
    assert [path for path in buttons if not path.startswith((*FIELDS, *own))] == []


@pytest.mark.parametrize("kind", HOSTILE)
async def test_what_is_typed_is_never_more_than_text(world: World, staff: Staff, kind: str) -> None:
    await world.line(1, 2, 3)
    own = await ids_of(world, "4071", "clinic1", 4)
    typed = HOSTILE[kind]
    browser = await staff("admin")
    every = 1 if kind in FOR_ALL else 3  # each field gets a third of the others, each of these a third of the fields
    turn = list(HOSTILE).index(kind) % every
    for part, fields in FIELDS.items():
        for field in fields.split()[turn::every]:
            assert await _press_all(browser, own, part, field, typed) == [], field
    await world.pool.execute("update staff set active = true where login = 'clinic1'")
    for path in LOOKS:
        page = await browser.get(path.format(**own))
        assert page.status_code in (200, 404), path
        assert "<script>alert" not in page.text, path
        assert "<b onfocus" not in page.text, path
        # What turns letters round may do so to itself alone.
        assert path.endswith("{ticket}") or "\u202e" not in ISOLATED.sub("", page.text), path
    assert await world.pool.fetchval("select count(*) from tickets") >= 4


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
