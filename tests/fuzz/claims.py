"""What must hold of every answer to every request."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from http.cookies import SimpleCookie
from typing import Any, Final, NoReturn

from queue_core.text import units
from staff_web.said import COOKIE as SAID
from tests.fuzz.place import SECRETS
from tests.fuzz.wire import Answer, Asked
from ussd.request import SORRY

# All that anybody may be told. Nothing of ours is broken or away meanwhile, so nothing may be 500 or more.
STATUSES: Final = {200, 303, 304, 307, 400, 401, 403, 404, 405, 408, 413, 422}
TRACES: Final = ("Traceback", 'File "', "asyncpg", "site-packages", "NoneType", "<script>alert")
CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
POLICY: Final = re.compile(r"script-src ('none'|'nonce-[\w-]{22}');")
TAG: Final = re.compile(r"<(/?)([a-z][a-z0-9]*)")
ISOLATED: Final = re.compile(r"<bdi>.*?</bdi>")
VOID: Final = ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]

# What each gateway reads in our answers, and how many units its phones show.
Shape = dict[str, Any]
SHAPES: Final[dict[str, Shape]] = {
    "arkesel": {"sessionID": str, "userID": str, "msisdn": str, "message": str, "continueSession": bool},
    "beem": {"msisdn": str, "operator": str, "session_id": str, "command": str,
             "payload": {"request_id": int, "request": str}},
    "hubtel": {"Type": str, "Message": str},
    "infobip": {"responseExitCode": int, "responseMessage": str},
    "mtn": {"statusCode": str, "transactionId": str, "data": {"inboundResponse": str, "userInputRequired": bool}},
    "nalo": {"USERID": str, "MSISDN": str, "MSG": str, "MSGTYPE": bool},
    "neutral": {"text": str, "end": bool},
}  # fmt: skip
SHOWN: Final = {"message", "request", "Message", "ussdMenu", "inboundResponse", "MSG", "text"}
SCREENS: Final = {"nalo": 120}
SCREEN: Final = 160


def well_formed(asked: Asked, answer: Answer, door: str) -> None:
    """An orderly answer, whatever it says."""
    assert answer.status in STATUSES
    for name, value in answer.headers:
        assert not CONTROL.search(name + value), (name, value)
        assert not value.startswith("stolen"), (name, value)
    if asked.method == "HEAD" or not answer.body:
        return
    text = answer.text
    assert not [trace for trace in TRACES if trace in text]
    assert not [secret for secret in SECRETS if secret in text]
    kind = answer.header("content-type").partition(";")[0]
    if kind == "application/json":
        _json(text)
    elif kind == "text/html":
        _page(answer)
        # What turns letters round may do so to itself alone.
        assert asked.method == "POST" or "\u202e" not in ISOLATED.sub("", text)
    if answer.status == 200:
        _promised(door, kind, answer)


def refused(answer: Answer) -> bool:
    """Whether it says, to a machine or to a person, that nothing was done."""
    if answer.status >= 400 or b"Nothing was changed" in answer.body or SORRY.encode() in answer.body:
        return True
    cookie = SimpleCookie(next((value for _, value in answer.headers if value.startswith(SAID)), "")).get(SAID)
    return bool(cookie and cookie.value and json.loads(urlsafe_b64decode(cookie.value))[1])


def _promised(door: str, kind: str, answer: Answer) -> None:
    """A 200 of each route is what its reader reads."""
    if found := re.match(r"/hooks/(\w+)/ussd/", door):
        _call(found[1], kind, answer)
    elif door == "POST /ussd/inbound":
        _call("neutral", kind, answer)
    elif "/twilio/sms/" in door:
        assert answer.text == '<?xml version="1.0" encoding="UTF-8"?><Response/>'
    elif "/hooks/" in door:
        raise AssertionError("a provider reads no words of ours here")
    elif door.startswith(("GET /staff", "POST /staff", "GET /display")):
        assert kind == "text/html"
    elif door in ("GET /healthz", "GET /readyz"):
        assert kind == "application/json"


def _call(code: str, kind: str, answer: Answer) -> None:
    """What a phone shows, in the words of its gateway."""
    if code not in SHAPES:
        assert kind == "text/plain"
        is_said = answer.text[:4] in {"CON ", "END "} and len(answer.text) > 4
        assert is_said or answer.header("freeflow") in {"FC", "FB"}
        assert units(answer.text) <= SCREEN, answer.text
        return
    assert kind == "application/json"
    _shaped(_json(answer.text), SHAPES[code], SCREENS.get(code, SCREEN))


def _shaped(told: Any, shape: Shape, screen: int) -> None:
    assert isinstance(told, dict), told
    for name, wanted in shape.items():
        if isinstance(wanted, dict):
            _shaped(told[name], wanted, screen)
        else:
            assert type(told[name]) is wanted, (name, told)
    for name in SHOWN & told.keys():
        assert units(told[name]) <= screen, told[name]


def _json(text: str) -> Any:
    def no_number(word: str) -> NoReturn:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(text, parse_constant=no_number)


def _balanced(html: str) -> bool:
    """Whether every tag is closed in turn: what was typed and became one would not be."""
    open_: list[str] = []
    for end, tag in TAG.findall(html):
        if tag in VOID:
            continue
        if not end:
            open_.append(tag)
        elif not open_ or open_.pop() != tag:
            return False
    return not open_


def _page(answer: Answer) -> None:
    policy = answer.header("content-security-policy")
    assert POLICY.search(policy), policy
    assert "unsafe" not in policy
    for rule in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"):
        assert rule in policy
    assert answer.header("x-content-type-options") == "nosniff"
    assert answer.header("cache-control") == "no-store"
    assert _balanced(answer.text)
