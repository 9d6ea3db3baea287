"""A good request bent in one place or two: in what it says, in its headers, now and then in where it goes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from hypothesis import strategies as st

from tests.fuzz.fields import FORMS_TOKEN, joined, pairs_of
from tests.fuzz.wild import BYTES, THINGS, WORDS, as_json, in_address, in_header, printable, written
from tests.fuzz.wire import Asked

Bend = Callable[[st.DrawFn, Asked], Asked]

MOST: Final = 60_000  # bytes; a server that has to hang up on more may do so before its answer is read
HIDDEN: Final = frozenset({b"password", b"old", b"new", b"again"})  # typed into another field it would be shown there
METHODS: Final = (
    *("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"),
    *("PROPFIND", "MKCOL", "PURGE", "QUERY"),
)
HOWS: Final = st.integers(0, 3)
CHANGES: Final = ["one"] * 4 + ["several"] * 3 + ["drop", "twice", "rename", "add", "move", "bare"]

# Of those that say how long a body is see test_framing.py.
Values = dict[bytes, Sequence[bytes]]
READ: Final[Values] = {
    b"accept": (b"text/html", b"*/*;q=nan"),
    b"accept-encoding": (b"gzip", b"gzip;q=0"),
    b"content-encoding": (b"gzip",),
    b"content-type": (b"application/json", b"multipart/form-data; boundary=x", b"text/plain; charset=utf-16", b";;"),
    b"if-none-match": (b"*", b'W/"x"'),
    b"traceparent": (b"00-00000000000000000000000000000000-0000000000000000-00", b"ff-x"),
    b"x-forwarded-for": (b"unknown", b"192.0.2.1, ::1", b"192.0.2.1:80", b"[2001:db8::1]:80", b",,,", b"fe80::1%eth0"),
    b"x-forwarded-proto": (b"ftp", b"https", b"http,https"),
    b"x-live": (b"1",),
    b"x-request-id": (b"a" * 3000,),
}
# Behind those that are there: twice the same name is as good as none.
COOKIES: Final = (
    *(b"__Host-zamu-said=W10=", b'__Host-zamu-said="\\012"', b"__Host-zamu-said=WzEsMl0=", b"__Host-zamu-said=\xff"),
    *(
        b"__Host-zamu-said=bnVsbA==",
        b"__Host-zamu-said=x; __Host-zamu-said=x",
        b"=; ;;=",
        b"; " * 1500,
        b"zamu-known-x=.",
    ),
)
# With these the door stays shut.
DECIDING: Final[Values] = {
    b"authorization": (b"Bearer x", b"Basic Og=="),
    b"cookie": (b"__Host-zamu=x", b"__Host-zamu-door=\xff; =;;="),
    b"host": (b"[", b"[::1", b"evil.example", b"queue.example.org:99999", b"a@b", b"127.0.0.1:1"),
    b"origin": (b"null", b"https://evil.example", b"http://[", b"http://127.0.0.1:1", b"https://queue.example.org"),
    b"sec-fetch-site": (b"cross-site", b"none", b"same-origin"),
    b"x-twilio-signature": (b"x", b"AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
    b"x-twilio-webhooks-signature-settings": (b"alg=none", b"algorithm=hmac-sha256"),
    b"x-webhook-secret": (b"x", b"\xc3\xa9"),
}


@st.composite
def bent(draw: st.DrawFn, good: Asked) -> Asked:
    """Mostly in what it says: whatever says nothing of ours is sent away at the door."""
    says: Sequence[Bend] = (*[_fields] * 6, _bytes) if good.body or good.query else (_query,)
    for bend in draw(st.lists(st.sampled_from(says), min_size=1, max_size=2)):
        good = bend(draw, good)
    good = replace(good, headers=_headers(draw, good))
    if draw(st.integers(0, 5)) == 5:
        good = draw(st.sampled_from([_address, _method, _deciding]))(draw, good)
    return replace(good, body=good.body[:MOST])


@st.composite
def bent_object(draw: st.DrawFn, good: bytes) -> bytes:
    """A JSON object with something wrong in it."""
    return _object(draw, good)


@st.composite
def strange(draw: st.DrawFn) -> Asked:
    """What has nothing to do with us."""
    path = b"/" + b"/".join(in_address(words, draw(HOWS)) for words in draw(st.lists(WORDS, max_size=4)))
    asked = _query(draw, Asked(draw(st.sampled_from(METHODS)), path[:8000], body=draw(BYTES)))
    return _deciding(draw, replace(asked, headers=_headers(draw, asked)))


def _fields(draw: st.DrawFn, asked: Asked) -> Asked:
    if asked.query and (not asked.body or draw(st.booleans())):
        return replace(asked, query=printable(_form(draw, asked.query)))
    if asked.body.startswith(b"{"):
        return replace(asked, body=_object(draw, asked.body))
    return replace(asked, body=_form(draw, asked.body))


def _form(draw: st.DrawFn, data: bytes) -> bytes:
    pairs = pairs_of(data)
    ours = [place for place, (name, _) in enumerate(pairs) if name != FORMS_TOKEN]
    if not ours:
        return data + b"&" + _wild(draw)
    place = draw(st.sampled_from(ours))
    name, value = pairs[place]
    match draw(st.sampled_from(CHANGES)):
        case "one":
            pairs[place] = name, _wild(draw)
        case "several":
            for other in draw(st.sets(st.sampled_from(ours), min_size=1)):
                pairs[other] = pairs[other][0], _wild(draw)
        case "drop":
            del pairs[place]
        case "twice":
            pairs.insert(draw(st.integers(0, len(pairs))), (name, _wild(draw)))
        case "rename":
            pairs[place] = _wild(draw), value
        case "add":
            pairs.append((_wild(draw), value))
        case "move":  # what belongs to one field is in another
            shown = [value for name, value in pairs if name not in HIDDEN]
            pairs[place] = name, draw(st.sampled_from(shown))
        case _:
            return joined(pairs) + b"&" + _wild(draw)
    return joined(pairs)


def _wild(draw: st.DrawFn) -> bytes:
    return written(draw(WORDS), draw(HOWS))


def _object(draw: st.DrawFn, data: bytes) -> bytes:
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError):
        return data + draw(BYTES)
    if not isinstance(fields, dict) or not fields:
        return data + draw(BYTES)
    return _written(draw, fields, escaped=draw(st.booleans()))


def _written(draw: st.DrawFn, fields: dict[str, Any], *, escaped: bool) -> bytes:
    name, thing = draw(st.sampled_from(sorted(fields))), draw(THINGS)
    match draw(st.sampled_from(CHANGES)):
        case "one":
            fields[name] = thing
        case "several":
            fields |= {other: draw(THINGS) for other in sorted(draw(st.sets(st.sampled_from(sorted(fields)))))}
        case "drop":
            del fields[name]
        case "twice":
            again = as_json({name: thing}, escaped=escaped)
            return as_json(fields, escaped=escaped)[:-1] + b"," + again[1:]
        case "add" | "rename":
            fields[draw(WORDS)] = thing
        case "move":
            fields[name] = fields[draw(st.sampled_from(sorted(fields)))]
        case _:
            return as_json([fields, thing], escaped=escaped)
    return as_json(fields, escaped=escaped)


def _bytes(draw: st.DrawFn, asked: Asked) -> Asked:
    """Cut, grown, or something else altogether."""
    body, noise = asked.body, draw(BYTES)
    start, end = sorted((draw(st.integers(0, len(body))), draw(st.integers(0, len(body)))))
    bodies = (noise, body[:start], body[:start] + noise + body[start:], body[:start] + body[end:], body * 300)
    return replace(asked, body=draw(st.sampled_from(bodies)))


def _headers(draw: st.DrawFn, asked: Asked) -> tuple[tuple[bytes, bytes], ...]:
    """Those that matter to nobody's right, and more cookies; some there twice."""
    added = [(name, _value(draw, READ[name])) for name in draw(st.lists(st.sampled_from(sorted(READ)), max_size=4))]
    if not draw(st.booleans()):
        return (*asked.headers, *added)
    cookies = b"; ".join(filter(None, (asked.header(b"cookie"), _value(draw, COOKIES))))
    return (*asked.with_header(b"cookie", cookies), *added)


def _value(draw: st.DrawFn, known: Sequence[bytes]) -> bytes:
    return draw(st.sampled_from(known) | WORDS.map(in_header))


def _deciding(draw: st.DrawFn, asked: Asked) -> Asked:
    name = draw(st.sampled_from(sorted(DECIDING)))
    value = _value(draw, DECIDING[name])
    if draw(st.booleans()):
        return replace(asked, headers=asked.with_header(name, value))
    return replace(asked, headers=(*asked.headers, (name, value)))


def _method(draw: st.DrawFn, asked: Asked) -> Asked:
    return replace(asked, method=draw(st.sampled_from(METHODS)))


def _address(draw: st.DrawFn, asked: Asked) -> Asked:
    parts = asked.path.split(b"/")
    place = draw(st.integers(1, len(parts)))
    wild = in_address(draw(WORDS | st.sampled_from(["..", ".", ";x", "%2e%2e", "/"])), draw(HOWS))
    taken = draw(st.integers(0, 1))  # instead of a part, or between two
    return replace(asked, path=b"/".join([*parts[:place], wild, *parts[place + taken :]]))


def _query(draw: st.DrawFn, asked: Asked) -> Asked:
    name = draw(st.sampled_from([b"next", b"ask", b"m", b"v"]) | WORDS.map(lambda words: written(words, 0)))
    return replace(asked, query=printable(name + b"=" + _wild(draw)))
