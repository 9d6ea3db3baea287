"""Whoever is not the gateway: without its signature, or without its secret."""

from __future__ import annotations

import base64
import hashlib
import hmac
import statistics
import time
from collections.abc import Iterator
from urllib.parse import quote, urlencode
from uuid import uuid4

from telco_sim.exchange import Answer
from telco_sim.twilio.signing import signature
from tests.attack.conftest import TWILIO_TOKEN, USSD_SECRETS
from tests.attack.house import HOST, House
from tests.staff_web.conftest import HOME
from tests.terminal import SECRET
from tests.ussd.gateways.dialects import DIALECTS
from tests.world import phone

TWILIO = f"/hooks/twilio/sms/{SECRET}"
TWILIO_DELIVERY = f"/hooks/twilio/delivery/{SECRET}"
HOOKS = ("ussd-end", "delivery", "sms", "opt-out")
ANY_HOOK = [f"/hooks/africastalking/{hook}/" for hook in HOOKS] + ["/hooks/twilio/sms/", "/hooks/twilio/delivery/"]
CALL = b'{"session_id": "1", "phone": "+254711000001", "selection": ""}'
ELSEWHERE = "evil.example"
FORWARDED = (
    {"Host": ELSEWHERE},
    {"X-Forwarded-Host": ELSEWHERE},
    {"X-Forwarded-Host": HOST, "X-Forwarded-Proto": "https", "X-Forwarded-Port": "8443"},
    {"X-Forwarded-Proto": "http"},
    {"Forwarded": f"host={ELSEWHERE};proto=https"},
    {"X-Original-URL": "/healthz"},
    {"X-Rewrite-URL": TWILIO_DELIVERY},
    {"X-Forwarded-Prefix": "/other"},
)


def genuine(text: str = "JOIN 4071 A") -> dict[str, str]:
    """A text as Twilio posts it."""
    sid = f"SM{uuid4().hex}"
    fields = {"MessageSid": sid, "SmsSid": sid, "SmsMessageSid": sid, "SmsStatus": "received", "NumMedia": "0"}
    return fields | {"From": phone(1), "FromCity": "", "To": "+15005550006", "Body": text, "ApiVersion": "2010-04-01"}


def signatures(fields: dict[str, str]) -> Iterator[tuple[str | None, dict[str, str]]]:
    """A header that is not Twilio's, and other headers beside it."""
    good = signature(TWILIO_TOKEN, HOME + TWILIO, fields)
    for token in (TWILIO_TOKEN[:-1], TWILIO_TOKEN.upper(), f" {TWILIO_TOKEN}", SECRET, "AC" + "0" * 32, "", "key"):
        yield signature(token, HOME + TWILIO, fields), {}
    for origin in (f"http://{HOST}", f"https://{ELSEWHERE}", f"{HOME}:8443", f"{HOME}.", "http://127.0.0.1", ""):
        for headers in ({}, *FORWARDED):
            yield signature(TWILIO_TOKEN, origin + TWILIO, fields), headers
    for path in (TWILIO_DELIVERY, TWILIO + "/", TWILIO + "?m=1", TWILIO.upper(), "/" + TWILIO):
        yield signature(TWILIO_TOKEN, HOME + path, fields), {}
    for wrong in (
        None,
        "",
        "null",
        "=",
        "A" * 28,
        good[:-1],
        good[:-2],
        good[1:],
        good + "=",
        good.swapcase(),
        good * 2,
    ):
        yield wrong, {}
    for wrong in (f"sha1={good}", f'"{good}"', base64.b64decode(good).hex(), f"{good},{good}", good[::-1]):
        yield wrong, {}
    for algorithm in ("none", "HMAC_MD5", "HMAC_SHA256", "hmac_sha1,algorithm=none", ""):
        yield (
            hashlib.md5(TWILIO.encode(), usedforsecurity=False).hexdigest(),
            {"X-Twilio-Webhooks-Signature-Settings": f"algorithm={algorithm}"},
        )
    unkeyed = base64.b64encode(hmac.digest(b"", (HOME + TWILIO).encode(), "sha256")).decode()
    yield unkeyed, {"X-Twilio-Webhooks-Signature-Settings": "key=,algorithm=HMAC_SHA256"}


def altered(fields: dict[str, str]) -> Iterator[tuple[str, bytes]]:
    """Under a good signature: another address, or a form that says something else."""
    whole = urlencode(fields)
    for name, value in fields.items():
        yield TWILIO, urlencode(fields | {name: f"{value}1"}).encode()
        yield TWILIO, urlencode({other: kept for other, kept in fields.items() if other != name}).encode() + b"&x=1"
        yield TWILIO, f"{whole}&{name}=other".encode()
        yield TWILIO, f"{name}=other&{whole}".encode()
    yield TWILIO, f"{whole}&OptOutType=STOP".encode()
    yield TWILIO, b""
    yield TWILIO, b'{"Body": "LEAVE"}'
    yield TWILIO, whole.encode() + b"%00"
    yield f"{TWILIO}?m=1", whole.encode()
    yield TWILIO_DELIVERY, whole.encode()


def shifted(fields: dict[str, str]) -> Iterator[dict[str, str]]:
    """The row of names and values is the same, and so is the signature; the fields are others."""
    names = sorted(fields)
    for at, name in enumerate(names[:-1]):
        after = names[at + 1]
        rest = {other: value for other, value in fields.items() if other not in (name, after)}
        yield rest | {name: fields[name] + after + fields[after]}
        if value := fields[name]:
            yield {other: text for other, text in fields.items() if other != name} | {name + value[0]: value[1:]}


async def forged(house: House) -> int:
    """Signatures that Twilio did not make, and forms that it did not sign."""
    tries = 0
    async with house.unmoved():
        for round_ in range(house.times(10, 1)):
            fields = genuine(f"JOIN 4071 {'APL'[round_ % 3]}")
            for wrong, headers in signatures(fields):
                given = {} if wrong is None else {"X-Twilio-Signature": wrong}
                answer = await house.post_form(TWILIO, fields, **headers, **given)
                assert answer.status == 403, (wrong, headers, answer.status)
                tries += 1
            good = signature(TWILIO_TOKEN, HOME + TWILIO, fields)
            for path, body in altered(fields):
                answer = await house.ask("POST", path, body, X_Twilio_Signature=good)
                assert answer.status == 403, (path, body, answer.status)
                tries += 1
    return tries


async def replayed(house: House) -> int:
    """A request that Twilio did sign, again and again: as it is, from elsewhere, and cut at other places."""
    fields = genuine()
    good = signature(TWILIO_TOKEN, HOME + TWILIO, fields)
    assert (await house.post_form(TWILIO, fields, X_Twilio_Signature=good)).status == 200
    assert await house.world.ticket(1)
    tries = 0
    await house.world.leave(1)
    async with house.unmoved():
        for _ in range(house.times(100, 2)):
            for headers in ({}, *FORWARDED):
                answer = await house.post_form(TWILIO, fields, X_Twilio_Signature=good, **headers)
                assert answer.status == 200
                tries += 1
        for other in shifted(fields):
            await house.post_form(TWILIO, other, X_Twilio_Signature=good)
            tries += 1
    return tries


def guesses(secret: str, others: list[str]) -> Iterator[str]:
    """What is nearly the secret, or gets round it."""
    yield from (
        "",
        "x",
        "null",
        "undefined",
        "*",
        "%",
        "SECRET",
        "{secret}",
        "..",
        "%2e%2e",
        "%00",
        "'or'1'='1",
        "a" * 999,
    )
    for at in range(len(secret)):
        yield secret[:at] + ("X" if secret[at] != "X" else "Y") + secret[at + 1 :]
        yield secret[:at]
    yield from (secret + more for more in ("x", "%20", "%00", "%0a", ";x", ",", "%23", "%3f", "=", ".", "\u0301"))
    yield from (more + secret for more in ("x", "%20", "%00", "./", "%2e/", "%2e%2e%2f", "a%2f..%2f", "%ef%bb%bf"))
    yield from (secret.upper(), secret.title(), secret.swapcase(), secret[::-1], secret * 2, f"{secret},{secret}")
    yield from (quote(quote(secret.replace("-", "%2d"), safe="%"), safe=""), secret.replace("-", "%E2%80%90"))
    yield from (secret.replace("e", "%D0%B5"), secret.replace("-", "_"), secret.replace("t", "%2574"))
    yield from others


async def guessed(house: House) -> int:
    """Secrets that are not, at every door; each is answered like a page that was never there."""
    tries = 0
    doors = [*((path, SECRET) for path in ANY_HOOK), ("/hooks/africastalking/ussd/", SECRET)]
    doors += [(f"/hooks/{code}/ussd/", secret) for code, secret in USSD_SECRETS.items()]
    sent = {dialect.code: dialect() for dialect in DIALECTS}
    async with house.unmoved():
        for path, secret in doors:
            code = path.split("/")[2]
            first = sent[code].dial("4071") if code in sent else None
            others = [other for other in (SECRET, *USSD_SECRETS.values()) if other != secret]
            tried = list(guesses(secret, others))
            for guess in tried if house.many else tried[::9]:
                method, data = (first.method, first.data) if first and "/ussd/" in path else ("POST", b"")
                query = f"?{data.decode()}" if method == "GET" else ""
                answer = await _knock(house, method, path + guess.encode().decode("latin-1") + query, data)
                assert (answer.status, answer.body) in (
                    (404, b"Not Found"),
                    (400, b"Invalid HTTP request received."),
                ), (
                    path,
                    guess,
                    answer,
                )
                tries += 1
        for given in ("", "x", SECRET[:-1], SECRET.upper(), f"Bearer {SECRET}", SECRET + "x"):
            answer = await house.ask("POST", "/ussd/inbound", CALL, X_Webhook_Secret=given)  # fmt: skip
            assert answer.status == 401
            tries += 1
    return tries


async def _knock(house: House, method: str, path: str, data: bytes) -> Answer:
    return await house.ask(method, path, b"" if method == "GET" else data)


async def timed(house: House) -> int:
    """Whether the time tells how much of a guess is right. Reported, and judged by nobody: a machine has its moods."""
    first, last = "X" + SECRET[1:], SECRET[:-1] + "X"
    took: dict[str, list[float]] = {first: [], last: []}
    rounds = house.times(3000, 20)
    for turn in range(rounds):
        for guess in (first, last) if turn % 2 else (last, first):
            began = time.perf_counter()
            answer = await house.ask("POST", f"/hooks/africastalking/ussd-end/{guess}")
            took[guess].append((time.perf_counter() - began) * 1000)
            assert answer.status == 404
    ways = [("first", took[first]), ("last", took[last])]
    house.noted.append("; ".join(f"wrong {way} byte: {spread(times)}" for way, times in ways))
    return 2 * rounds


def spread(times: list[float]) -> str:
    """Three quarters of milliseconds."""
    low, middle, high = statistics.quantiles(times, n=4)
    return f"{low:.2f}, {middle:.2f}, {high:.2f} ms"
