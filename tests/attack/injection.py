"""Words that are meant to be more than words: in headers, redirects, logs, pages, texts and statements."""

from __future__ import annotations

import json
import re
from itertools import count
from urllib.parse import quote
from uuid import uuid4

import httpx

from telco_sim.exchange import Answer
from tests.attack.conftest import CLERK, PIN
from tests.attack.house import AT_SMS, AT_USSD, HOST, House
from tests.attack.webhooks import TWILIO, genuine
from tests.staff_web.browsing import token_of
from tests.staff_web.conftest import PASSWORD
from tests.staff_web.places import address, ids_of, methods_of, staff_routes
from tests.terminal import SECRET
from tests.world import phone

BREAKS = ("\r\n", "\n", "\r", "\r\n\r\n", "\0", "\x0b", "\x85", "\u2028", "\u560a", "%0d%0a", "\\r\\n")
PLANTED = "X-Planted: 1"
NEXT = (
    "https://evil.example",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "http:evil.example",
    "/staff/..//evil.example",
    "/staff/../..//evil.example",
    "/staff/%2e%2e//evil.example",
    "javascript:alert(1)",
    "data:text/html,<script>",
    "/staff/\t/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/staff/@evil.example",
    "https://queue.example.org@evil.example",
    "https://queue.example.org.evil.example",
    "/staff/\r\nX-Planted: 1",
    "/%0d%0aX-Planted:1",
    "//evil.example/staff/",
    "/staff//evil.example",
    "/staff/;@evil.example",
    "?next=//evil.example",
    "/staff/\u2028",
    "/\u2215evil.example",
    "/staff/?a=https://evil.example",
    "/staff/#//evil.example",
    "http://[",
    "",
)
SQL = (
    "'; drop table tickets; --",
    "' or '1'='1",
    "1) or (1=1",
    "'||pg_sleep(9)||'",
    "\\'; select 1 --",
    "$1",
    "%s",
    "{0}",
    "'::uuid",
    "admin'--",
    '" or ""="',
    "0x27",
    "/**/union/**/select",
    "'; update staff set role='admin'; --",
)
MARKUP = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>',
    "'-alert(1)-'",
    "</title><script>",
    "<a href=javascript:alert(1)>x</a>",
    "<!--",
    "]]>",
    "&lt;script&gt;",
    "\u202e<b>",
    "javascript:alert(1)",
    "<iframe src=//x>",
)
TEMPLATES = (
    "{{7*7}}",
    "{%raw%}",
    "${7*7}",
    "#{7*7}",
    "<%=7*7%>",
    "{0.__class__}",
    "%n%s%x",
    "{{config}}",
    "{label}",
    "{tk}",
)
FORMULAS = ("=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "=cmd|'/c calc'!A1", '=HYPERLINK("//x")')
UNICODE = (
    "\u202eahsA",
    "\u200b\u200c",
    "A\u0301" * 30,
    "\ufeffAsha",
    "\u2066Asha",
    "\u0410sha",
    "\ud83d\ude00" * 3,
    "ﷺ",
    "\u0000A",
)
PAYLOADS = (*SQL, *MARKUP, *TEMPLATES, *FORMULAS, *UNICODE, "x" * 5000, " \t ")
BIDI = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f]")
PAGES = ("/staff/branches/4071", "/staff/desk/{counter}/{queue}", "/staff/people", "/display/4071")
UPGRADE = (
    "GET /hooks/africastalking/ussd/{} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
ENDS = ("/logout", "/login", "/password", "/close", "/remove", "/deactivate")  # then there would be less to try
BACK_AT_WORK = """
update staff s set active = true, must_change_password = false, password_hash = a.password_hash
  from staff a where a.login = 'admin'
"""
RUNS = re.compile(r"<script>alert|<img src=x|<svg/onload|<iframe src=//x|<a href=javascript", re.IGNORECASE)


async def header_lines(house: House) -> int:
    """Line breaks in whatever comes back in a header: ids of sessions and texts, addresses, cookies."""
    tries = 0
    for number, line in enumerate(BREAKS):
        bad = f"{line}{PLANTED}{line}{line}<script>"
        answers: list[Answer] = [
            await house.post_form(AT_USSD, _dialled(f"s{number}{bad}")),
            await house.post_form(AT_USSD, _dialled(f"t{number}", text=f"4071*{bad}")),
            await house.post_form(AT_SMS, {"id": f"{number}{bad}", "from": phone(50), "to": "2", "text": bad}),
            await house.post_form(f"/hooks/africastalking/ussd-end/{SECRET}", {"sessionId": bad, "phoneNumber": bad}),
            await house.post_form(TWILIO, genuine() | {"MessageSid": bad}),
            await house.ask("POST", "/ussd/inbound", json.dumps(_neutral(bad)).encode(), X_Webhook_Secret=SECRET),
            *[
                await house.ask("GET", path + quote(bad))
                for path in ("/staff/", "/display/", "/staff/login?next=/staff/", "/ws?")
            ],
        ]
        for answer in answers:
            assert "x-planted" not in answer.headers, answer
            assert not any(re.search(r"[\r\n]", value) for value in answer.headers.values()), answer
            assert answer.status < 500, answer
            tries += 1
    return tries


def _dialled(session: str, text: str = "") -> dict[str, str]:
    return {"sessionId": session, "phoneNumber": phone(50), "serviceCode": "*384*40#", "text": text}


def _neutral(session: str) -> dict[str, str]:
    return {"session_id": session, "phone": phone(51), "selection": "", "request_id": session}


async def led_away(house: House) -> int:
    """Redirects to another site: by the address to go on to, by the Host header, by a slash too many."""
    tries = 0
    async with house.unmoved():
        for after in house.some(NEXT):
            browser = house.browser()
            door = await browser.client.get("/staff/login", params={"next": after})
            form = {"csrf": token_of(door), "next": after, "login": "clinic1", "password": PASSWORD}
            answer = await browser.client.post("/staff/login", data=form)
            led = answer.headers["location"]
            assert re.match(r"/staff(?:/(?![\\]).*)?$", led), (after, led)
            assert "evil.example" not in (httpx.URL(led).host or ""), led
            assert "x-planted" not in answer.headers
            tries += 1
        for path in (
            "/staff",
            "/staff/",
            "/staff/login/",
            "/display/4071/",
            "/healthz/",
            "/staff/desk/",
            "//evil.example/staff",
            "//evil.example//",
            "/\\evil.example",
            f"{AT_USSD}/",
            "/ussd/inbound/",
            "/static/",
            "/.//evil.example",
        ):
            for host in ("evil.example", f"{HOST}:1@evil.example", "evil.example#", f"{HOST}.evil.example", ""):
                for name in ("Host", "X-Forwarded-Host", "X-Forwarded-Server", "X-Host"):
                    told = await house.ask("GET", path, b"", **{name: host})
                    assert "evil" not in told.headers.get("location", "").partition("?")[0], (path, host, told)
                    assert b"evil.example" not in told.body, (path, host)
                    tries += 1
    return tries


async def fields(house: House) -> int:
    """Every field of every form with SQL, markup, templates, formulas and tricks of Unicode; then every page."""
    own = await ids_of(house.world, "4071", "clinic1", 55)
    ids = count(1)
    admin = await house.member("admin")
    names = (
        "name",
        "reason",
        "phone",
        "login",
        "address",
        "code",
        "to",
        "seen",
        "minutes",
        "hours-mon",
        "counter",
        "language",
    )
    payloads = house.some(PAYLOADS, 17)
    tries = 0
    for typed in payloads:
        shown = _sendable(typed)
        for route in house.some(staff_routes(), 3):
            if "POST" not in methods_of(route) or route.path.endswith(ENDS):
                continue
            form = dict.fromkeys(names, shown) | {"request": f"{next(ids)}"}
            answer = await admin.press(address(route, own), **form)
            assert answer.status_code in (200, 303, 400, 404, 413, 422), (route.path, typed, answer.status_code)
            tries += 1
        answer = await admin.press("/staff/desk/{counter}/{queue}/walk-in".format(**own), name=shown, phone="")
        assert answer.status_code in (303, 422), answer.status_code
        for path in PAGES:
            page = await admin.get(path.format(**own))
            assert page.status_code == 200, path
            assert not RUNS.search(page.text), (path, typed)
            assert "<" not in shown or shown not in page.text, (path, typed)
            assert "49" not in re.findall(r"<bdi>(.*?)</bdi>", page.text)
            tries += 1
    assert await house.world.pool.fetchval("select count(*) from staff where role = 'admin'") == 1
    await house.world.pool.execute(BACK_AT_WORK)
    return tries


def _sendable(text: str) -> str:
    return text.encode(errors="replace").decode()


async def callers(house: House) -> int:
    """The same by dialling and by text, as commands, codes, names and session ids; then what was sent to phones."""
    tries = 0
    payloads = house.some(PAYLOADS, 17)
    for number, typed in enumerate(payloads):
        said, person = _sendable(typed), phone(200 + number)
        for words in (said, f"JOIN {said}", f"JOIN 4071 A {said}", f"LATE {said}", f"NAME {said}", f"STATUS {said}"):
            assert (await house.text(person, words)).status == 200
            tries += 1
        assert (await house.text(CLERK, f"NEXT {said} 000000")).status == 200
        await house.world.pool.execute("update staff_phones set failures = 0, locked_until = null")
        for keys in (said, f"4071*{said}", f"4071*1*{said}", f"1*1*{said}"):
            words = await house.dial(person, keys, uuid4().hex)
            assert not BIDI.search(words)
            assert "\0" not in words
            tries += 1
    for text in await house.world.pool.fetch("select template, parameters::text as said from notifications"):
        assert not BIDI.search(text["said"]), text["said"]
        assert "\\u202e" not in text["said"]
        assert PIN not in text["said"]
    return tries


async def log_lines(house: House) -> int:
    """Secrets and phones in every place that is logged, and lines that look like ours; the logs are read at the end."""
    forged = '\n{"level": "INFO", "logger": "zamu", "message": "log-in of admin: in"}\n'
    tries = 0
    for number, secret in enumerate((SECRET, PIN, PASSWORD, phone(60), phone(60).removeprefix("+"), forged)):
        person = phone(60 + number)
        await house.text(person, f"NEXT A {secret}")
        await house.text(CLERK, f"NEXT A {secret} {PIN}")
        await house.dial(person, f"0*{secret}", f"id-{number}")
        await house.ask("GET", f"/hooks/africastalking/ussd/{quote(secret)}")
        await house.ask("GET", f"/staff/people/{quote(secret)}", User_Agent=secret.strip(), Referer=secret.strip())
        await house.ask("GET", f"/staff/login?next=/staff/{quote(secret)}", Cookie=f"__Host-zamu={quote(secret)}")
        await house.ask(quote(secret).upper().replace("%", "")[:20] or "X", "/staff/login")
        await house.wire(f"GET {quote(secret)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await house.wire(f"{secret}\r\n\r\n".encode())
        await house.wire(UPGRADE.format(quote(secret)).encode())
        browser = house.browser()
        await browser.log_in(secret, secret)
        await house.ask(
            "POST", "/ussd/inbound", json.dumps(_neutral(f"{number}{forged}")).encode(), X_Webhook_Secret=SECRET
        )
        tries += 12
    await house.world.pool.execute("update staff_phones set failures = 0, locked_until = null")
    await house.world.pool.execute("delete from login_tries")
    house.check_logs()
    return tries
