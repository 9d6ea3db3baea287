"""What gateways of calls and of texts send: recorded requests, and conversations of their phones with us."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from multidict import MultiDict
from twilio.request_validator import RequestValidator

from tests.fuzz.place import CLERK, PIN
from tests.fuzz.wire import Asked
from tests.ussd.gateways.dialects import DIALECTS, JsonPhone, Phone, Sent
from tests.webhooks.conftest import PUBLIC_URL, SECRET, TWILIO_TOKEN, USSD_SECRETS
from tests.world import phone

GOLDEN: Final = Path(__file__).parents[1] / "golden"
SIGNATURE: Final = b"x-twilio-signature"
HOST: Final = (b"host", PUBLIC_URL.removeprefix("https://").encode())
FORM_TYPE: Final = (b"content-type", b"application/x-www-form-urlencoded")
KEYS: Final = (("1", "4071", "1", "1"), ("4071*1*1",), ("3",), ("2", "1", "3", "2"), ("1", "2", "kili", "98", "0"))
STAFF_KEYS: Final = (PIN, "1", "1", "4", "5")
TEXTS: Final = ("JOIN 4071 A", "join 5084 c", "STATUS", "LATE 10", "LEAVE A004", "FORGET ME", "5", "STOP", "START")
STAFF_TEXTS: Final = (
    f"NEXT A {PIN}",
    f"SKIP A {PIN}",
    f"PAUSE A {PIN}",
    "STATS A",
    f"DONE {PIN}",
    "BLOCK",
    "NEXT A 000000",
)

Talk = tuple[Asked, ...]  # in this order; the last is the one that matters


def talks() -> Iterator[Talk]:
    """All of them, as far as each step of theirs."""
    for conversation in (*_golden(), *_conversations(), *_texts()):
        for length in range(1, len(conversation) + 1):
            yield conversation[:length]


def sealed(asked: Asked) -> Asked:
    """As Twilio signs it, whatever is in it, unless something stands there already."""
    if not asked.path.startswith(b"/hooks/twilio/") or asked.header(SIGNATURE):
        return asked
    try:
        fields = MultiDict(parse_qsl(asked.body.decode(errors="replace"), keep_blank_values=True, max_num_fields=100))
    except ValueError:
        return asked
    query = f"?{asked.query.decode()}" if asked.query else ""
    url = f"{PUBLIC_URL}{asked.path.decode()}{query}"
    signature = RequestValidator(TWILIO_TOKEN).compute_signature(url, fields).encode()
    return replace(asked, headers=(*asked.headers, (SIGNATURE, signature)))


def _secret_of(code: str) -> str:
    return USSD_SECRETS.get(code, SECRET)


def _golden() -> Iterator[Talk]:
    """Each by itself, and each file of calls once more after those before it."""
    for folder in sorted(GOLDEN.iterdir()):
        requests = tuple(_read(file.read_bytes(), folder.name) for file in sorted(folder.glob("*.http")))
        yield from ((request,) for request in requests)
        yield requests


def _read(raw: bytes, folder: str) -> Asked:
    head, _, body = raw.partition(b"\n\n")
    method, target, _ = head.split(b"\n")[0].split()
    if folder == "twilio_webhooks":  # recorded with names of their own
        kind, _, reference = target.partition(b"?m=")
        hook = b"sms" if kind == b"/twilio/sms" else b"delivery"
        target = b"/hooks/twilio/%s/SECRET" % hook + (b"?m=%032x" % int(reference) if reference else b"")
    path, _, query = target.replace(b"SECRET", _secret_of(folder).encode()).partition(b"?")
    return Asked(method.decode(), path, query, (HOST, FORM_TYPE), body.removesuffix(b"\n"))


class Neutral(JsonPhone):
    """A phone on the neutral contract."""

    code, number = "neutral", phone(20)

    def first(self) -> Sent:
        return self.again(f"*384*40*{self.path}#" if self.path else "")

    def again(self, key: str) -> Sent:
        step = f"{self.session}-{len(self.pressed)}"
        return self.post(session_id=self.session, phone=self.number, selection=key, request_id=step)

    def shown(self, answer: dict[str, Any]) -> Any:
        raise NotImplementedError


def _conversations() -> Iterator[Talk]:
    """A stranger, and on the two contracts that are ours in line: a person with a ticket, and one of the staff."""
    dialects: list[type[Phone]] = [*DIALECTS, Neutral]
    for dialect in dialects:
        for keys in KEYS:
            yield tuple(_conversation(dialect(), "", keys))
        yield tuple(_conversation(dialect(), "4071*1", ("1",)))
        if dialect.code == "infobip":  # whose other requests all have more in their addresses
            path = f"/hooks/infobip/ussd/{_secret_of('infobip')}".encode()
            yield tuple(replace(asked, path=path) for asked in _conversation(dialect(), "", KEYS[0]))
        if dialect.code in {"africastalking", "neutral"}:
            clerk = dialect()
            clerk.number = phone(CLERK)  # type: ignore[misc]
            yield tuple(_conversation(clerk, "0", STAFF_KEYS))


def _conversation(caller: Phone, path: str, keys: tuple[str, ...]) -> Iterator[Asked]:
    yield _asked(caller, caller.dial(path))
    for key in keys:
        yield _asked(caller, caller.press(key))
    if gone := caller.gone():
        yield _asked(caller, gone)


def _asked(caller: Phone, sent: Sent) -> Asked:
    if caller.code == "neutral":
        return Asked(
            sent.method, b"/ussd/inbound", headers=(HOST, (b"x-webhook-secret", SECRET.encode())), body=sent.data
        )
    path = f"/hooks/{caller.code}/ussd/{_secret_of(caller.code)}{sent.path}".encode()
    if sent.method == "GET":
        return Asked("GET", path, sent.data, (HOST,))
    return Asked(sent.method, path, headers=(HOST, FORM_TYPE), body=sent.data)


def _texts() -> Iterator[Talk]:
    """Of somebody who waits, and of a clerk, by both providers."""
    for person, texts in ((4, TEXTS), (CLERK, STAFF_TEXTS)):
        for number, text in enumerate(texts):
            ours = {"id": f"fuzz-{number}", "from": phone(person), "to": "20880", "text": text}
            yield (_form("africastalking/sms", ours),)
            theirs = {"MessageSid": f"SM{number:032x}", "From": phone(person), "To": "+15005550006", "Body": text}
            yield (_form("twilio/sms", theirs),)


def _form(hook: str, fields: dict[str, str]) -> Asked:
    path = f"/hooks/{hook}/{SECRET}".encode()
    return Asked("POST", path, headers=(HOST, FORM_TYPE), body=urlencode(fields).encode())
