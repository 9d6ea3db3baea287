"""Whoever is logged in, or was, and wants what is not his."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from uuid import uuid4

import httpx

from staff_web.guard import COOKIE
from tests.attack.floods import NOT_OURS, knock
from tests.attack.house import HOST, House
from tests.staff_web.browsing import Browser
from tests.staff_web.conftest import HOME, PASSWORD
from tests.staff_web.places import (
    FORM,
    NOWHERE,
    Ids,
    address,
    answers,
    ids_of,
    methods_of,
    staff_routes,
    third_house,
)
from tests.staff_web.sockets import opened

REFUSED = (403, 404)
THEIRS = {"manager": ("5084", "bank1"), "clinic1": ("5084", "bank1"), "admin": ("6093", "elder1")}
MORE = {
    "role": "admin",
    "is_admin": "1",
    "admin": "true",
    "must_change_password": "",
    "organization": "Elsewhere",
    "organization_id": str(uuid4()),
    "branch_id": str(uuid4()),
    "branches": "5084",
    "branch": "5084",
    "staff_id": str(uuid4()),
    "actor": "operator",
    "actor_id": "",
    "version": "999999",
    "id": str(uuid4()),
    "_method": "PUT",
}
SITES = (
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": f"http://{HOST}"},
    {"origin": f"{HOME}.evil.example"},
    {"origin": f"https://evil-{HOST}"},
    {"origin": f"{HOME}:8443"},
    {"origin": HOME.upper()},
    {"origin": "http://127.0.0.1", "host": HOST},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"origin": HOME, "sec-fetch-site": "cross-site"},
)
METHODS = ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND")
# But for a newcomer whom a manager may make.
ROLES = """
select md5(string_agg(login || role || coalesce(branch_id::text, '') || organization_id, ',' order by login)) from staff
 where login <> 'someone' or role <> 'staff' or branch_id is distinct from (select id from branches where code = '4071')
"""
OVER = "/staff/login"


async def elsewhere(house: House) -> int:
    """Ids of another branch and of another organization in every address and every form of the panel."""
    await third_house(house.world)
    own = await ids_of(house.world, "4071", "clinic1", 1)
    tries, person = 0, 2
    for login, (code, theirs) in house.some([*THEIRS.items()]):
        foreign = await ids_of(house.world, code, theirs, person)
        person += 1
        browser = await house.member(login)
        nowhere = NOWHERE | {name: str(uuid4()) for name in ("counter", "queue", "ticket")}
        async with house.unmoved():
            for ids in (foreign, nowhere) if house.many else (foreign,):
                told = await answers(browser, own, ids)
                wrong = [answer for answer in told if answer[2] not in ((404,) if login != "clinic1" else REFUSED)]
                assert wrong == []
                tries += len(told)
        if login != "clinic1":
            tries += await _mixed(house, browser, own, foreign)
    return tries


async def _mixed(house: House, browser: Browser, own: Ids, foreign: Ids) -> int:
    """An address of one's own, and in the form what is elsewhere."""
    ticket = "/staff/desk/{counter}/{queue}/tickets/{ticket}".format(**own)
    tries = 0
    async with house.unmoved():
        for path, fields in (
            (f"{ticket}/transfer", {"to": foreign["queue"]}),
            ("/staff/people", {"login": "newcomer", "name": "New", "role": "staff", "branch": foreign["code"]}),
            ("/staff/people/clinic1", {"name": "Amina", "role": "staff", "branch": foreign["code"]}),
            (f"/staff/desk/{own['counter']}/{foreign['queue']}/call-next", {}),
            (f"/staff/desk/{foreign['counter']}/{own['queue']}/call-next", {}),
        ):
            answer = await browser.press(path, **fields)
            assert answer.status_code in REFUSED, (path, answer.status_code)
            tries += 1
        for seen in ("2", "999999", "-1", "1e3", "\u0662", "0x1", "null", "9" * 40):
            answer = await browser.press(f"{ticket}/leave", seen=seen, request=f"r{seen}")
            assert answer.status_code == httpx.codes.SEE_OTHER, (seen, answer.status_code)
            tries += 1
    return tries


async def roles(house: House) -> int:
    """More than one's role may: every button of managers and admins, and fields that no form has."""
    own = await ids_of(house.world, "4071", "clinic1", 1)
    own["login"] = "clinic1"
    tries, before = 0, await house.world.pool.fetchval(ROLES)
    for login in ("clinic1", "manager"):
        browser = await house.member(login)
        for route in house.some(staff_routes()):
            if "POST" not in methods_of(route) or route.path in ("/staff/logout", "/staff/login"):
                continue
            for more in (MORE, *({name: value} for name, value in MORE.items() if house.many)):
                form = FORM | {"code": "4071", "to": own["queue"], "branch": "4071", "password": "no", "old": "no"}
                answer = await browser.press(address(route, own), **form | more)
                assert answer.status_code < 500
                tries += 1
                assert await house.world.pool.fetchval(ROLES) == before, (route.path, more)
                # What a manager may do to his own people is not the attack.
                await house.world.pool.execute("update staff set active = true")
        await house.world.pool.execute("delete from login_tries")
    return tries


async def other_sites(house: House) -> int:
    """Buttons pressed by another site in the browser of somebody who is logged in."""
    own = await ids_of(house.world, "4071", "clinic1", 1)
    victim, other = await house.member("admin"), await house.member("clinic1")
    tokens = ("", other.csrf, victim.csrf[:-1], victim.csrf.upper(), "x" * 64, "\0", "null")
    tries = 0
    async with house.unmoved():
        for route in house.some(staff_routes()):
            if "POST" not in methods_of(route) or route.path == "/staff/login":
                continue
            path, form = address(route, own), FORM | {"code": "4071", "to": own["queue"], "branch": "4071"}
            for token in tokens:
                answer = await victim.client.post(path, data=form | {"csrf": token})
                assert answer.status_code == 403, (path, token, answer.status_code)
                tries += 1
            for site in house.some(SITES, 4):
                answer = await victim.client.post(path, data=form | {"csrf": victim.csrf}, headers=site)
                assert answer.status_code == 403, (path, site, answer.status_code)
                tries += 1
            answer = await victim.client.post(path, json=form | {"csrf": victim.csrf})
            assert answer.status_code == 403
            tries += 1
    return tries


async def without_pressing(house: House) -> int:
    """Whatever is not a press of a button: each button asked for by every other method, with all that it wants."""
    own = await ids_of(house.world, "4071", "clinic1", 1)
    victim, tries = await house.member("admin"), 0
    async with house.unmoved():
        for route in house.some(staff_routes()):
            if "POST" not in methods_of(route) or route.path == "/staff/login":
                continue
            path, form = address(route, own), FORM | {"code": "4071", "csrf": victim.csrf, "request": uuid4().hex}
            for method in METHODS:
                for headers in ({}, {"x-http-method-override": "POST"}) if house.many else ({},):
                    answer = await victim.client.request(method, path, params=form, data=form, headers=headers)
                    assert answer.status_code in (200, 303, 400, 404, 405, 422), (method, path, answer.status_code)
                    tries += 1
    return tries


def cookies(mine: str, theirs: str) -> Iterator[bytes]:
    """What is nearly the session of somebody, or only looks like it."""
    for value in (
        mine[:-1],
        mine[1:],
        mine + "x",
        mine.swapcase(),
        mine[:20] + theirs[20:],
        theirs[:20] + mine[20:],
        mine[::-1],
        "",
        "null",
        "0" * 43,
        "%00" + mine,
        mine + "\xa0",
        mine.encode().hex(),
    ):
        yield f"{COOKIE}={value}".encode("latin-1")
    for name in (
        "__host-zamu",
        "__HOST-ZAMU",
        "__Secure-zamu",
        "zamu",
        "__Host-zamu-door",
        "\xa0__Host-zamu",
        "\x85__Host-zamu",
        "\x1f__Host-zamu",
        "__Host-zamu[]",
        "$Version=1; __Host-zam",
        "\x0b__Host-zamu",
    ):
        yield f"{name}={mine}".encode("latin-1")
    yield f"{COOKIE}={mine}; {COOKIE}={theirs}".encode()
    yield f"{COOKIE}={mine},{COOKIE}={theirs}".encode()
    yield f'{COOKIE}="{mine}\\"; {COOKIE}={theirs}'.encode()


async def sessions(house: House) -> int:
    """Sessions that were planted, cut, mixed, ended."""
    tries = 0
    mine, theirs = [(await house.member(login)).client.cookies[COOKIE] for login in ("clinic1", "bank1")]
    async with house.unmoved():
        for cookie in cookies(mine, theirs):
            for path in ("/staff/desk", "/staff/branches", "/staff/password"):
                answer = await house.ask("GET", path, Cookie=cookie.decode("latin-1"))
                assert answer.status == 400 or answer.headers["location"].startswith(OVER), (cookie, answer)
                tries += 1
        for planted in (theirs, "chosen-by-the-attacker", "a" * 43):
            victim = house.browser()
            victim.client.cookies.set(COOKIE, planted, domain=HOST)
            await victim.log_in("clinic1", PASSWORD)
            assert victim.client.cookies[COOKIE] != planted
            page = await house.browser().client.get("/staff/desk", headers={"cookie": f"{COOKIE}={planted}"})
            assert page.headers["location"].startswith(OVER)
            tries += 1
    return tries + await _ended(house)


async def _ended(house: House) -> int:
    """By the person, by his manager, by a new password: over for pages, buttons and open sockets."""
    ends = ("/staff/logout", "/staff/people/clinic1/password", "/staff/people/clinic1/deactivate")
    hashed = await house.world.pool.fetchval("select password_hash from staff where login = 'admin'")
    tries = 0
    async with AsyncExitStack() as stack:
        sockets = []
        for end in ends:
            person = await house.member("clinic1")
            token = person.client.cookies[COOKIE]
            cookie = f"{COOKIE}={token}"
            if house.many:
                sockets.append(
                    await stack.enter_async_context(opened(house.server.url, "/staff/ws", origin=HOME, cookie=cookie))
                )
            await (person if end == "/staff/logout" else await house.member("admin")).press(end)
            thief = house.browser()
            for seen in (
                await thief.client.get("/staff/desk", headers={"cookie": cookie}),
                await thief.client.post("/staff/totp", data={"csrf": person.csrf}, headers={"cookie": cookie}),
            ):
                assert seen.headers["location"].startswith(OVER)
                tries += 1
            assert await knock(stack, house, "/staff/ws", cookie=cookie) == NOT_OURS
            tries += 1
            await house.world.pool.execute(
                "update staff set active = true, must_change_password = false, password_hash = $1", hashed
            )
        for ended in await asyncio.gather(*(socket.ended() for socket in sockets)):
            assert ended[0] == 1008
            tries += 1
    return tries
