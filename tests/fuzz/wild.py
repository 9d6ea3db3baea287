"""What nobody should type and no machine should send: strange words, strange JSON, strange bytes."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import quote_from_bytes

from hypothesis import strategies as st

# Each has broken somebody's program before, and several at once break more.
HAZARDS: Final = [
    *(
        "\0",
        "\r\nSet-Cookie: stolen=1",
        "\ufeff",
        "\u2028",
        "\x1b[2J",
        "\ud83d",
        "\udfff",
        "%00",
        "%",
        "\\",
        "\u2003\t",
    ),
    *("<script>alert(1)</script>", "{{ 7 * 7 }}", "{0.__class__}%s%n", "' or 1=1 --"),
    *("\u0663", "²", "Ⅷ", "e\u0301", "\u200b", "\u202e", "👩\u200d👩\u200d👧", "ﷺ", "王", "Ü", "ẞ", "İ"),
    *("0", "1", "9", "-1", "+", "=", "@", "*", "#", "1*1", "A", "x", " "),
]
# By themselves.
PLAIN: Final = [
    *("", " ", "00", "1e9", "1.5", "NaN", "9" * 30, "null", "true", "{}", "[]", "é" * 50, "x" * 161, "A" * 5000),
    *("9" * 5000, "1*" * 10_000, "💣" * 200, "../../etc/passwd", "//evil.example/", "https://evil.example/", "/staff/"),
]
# What is right in some other place, or was once.
MISPLACED: Final = [
    *("+254711000001", "0711 000 001", "00254711000001", "+254711000001;ext=5", "+2547\n11000001", "+1900123", "MTN"),
    *("00000000-0000-4000-8000-000000000000", "0" * 36, "4071", "9999", "4071/A", "A001", "complete", "send-home"),
    *("*384*40#", "*384*40*4071*1*1#", "*384*40*0#", "*" + "1" * 300 + "#", "483920", "000000", "serve-out"),
    *("JOIN 4071 A", "STOP", "LEAVE", "LATE 99", "NEXT A 483920", "NEXT A 000000", "clinic1", "admin", "en"),
    *("2026-02-30T25:61:00Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+14:00", "08:30-13:00, 14:00-17:00"),
]
ANYTHING: Final = st.characters(exclude_categories=())  # half characters, too
MIXED: Final = st.lists(st.sampled_from(HAZARDS), min_size=1, max_size=4).map("".join)
WORDS: Final = MIXED | MIXED | st.sampled_from(PLAIN) | st.sampled_from(MISPLACED) | st.text(ANYTHING, max_size=30)

# Every field meets each of these. Those of the first row would be seen on pages, and are short enough for most names.
SEEN: Final = ["\"'><b>{{7*7}}", "\ud83d\u202e😀"]
SURE: Final = [*SEEN, "a\0b\r\nSet-Cookie: stolen=1", "9" * 5000]

NUMBERS: Final = st.sampled_from([0, -1, 2**31, 2**63, 10**30, 10**4000, 1.5, -0.0, 1e308, float("nan"), float("inf")])
LEAVES: Final[st.SearchStrategy[Any]] = WORDS | NUMBERS | st.sampled_from([None, True, False])
THINGS: Final = LEAVES | st.lists(LEAVES, max_size=2) | st.dictionaries(WORDS, LEAVES, max_size=2)
BROKEN: Final = [
    *(b"[" * 20_000, b'{"a":' * 5_000, b"[]" * 50, b'"' + b"\\" * 999, b'{"a":1', b"\xef\xbb\xbf{}", b"nul", b""),
    *(b"\xff\xfe\0", b"\xc3", b"\xed\xa0\x80", b"&" * 3000, b"a=1&" * 3000, b"%ZZ=%ZZ", b"x" * 20_000),
]
BYTES: Final = st.binary(max_size=60) | st.sampled_from(BROKEN)

CONTROL: Final = bytes([*range(32), 127])  # no server takes them in a header; see test_framing.py


def written(words: str, how: int) -> bytes:
    """As a form has it: every byte as %XX, or none, or with an escape that is none."""
    whole = words.encode(errors="surrogatepass")
    escaped = b"".join(b"%%%02X" % byte for byte in whole)
    return (escaped, whole.replace(b"&", b"%26"), escaped + b"%", b"%zz" + escaped)[how]


def in_address(words: str, how: int) -> bytes:
    """As an address has it, which holds ASCII alone; escaped thoroughly, twice, or hardly."""
    whole = words.encode(errors="surrogatepass")[:6000]
    once = quote_from_bytes(whole, safe="/" if how else "").encode()
    return once.replace(b"%", b"%25") if how == 2 else once + (b"%" if how == 3 else b"")


def in_header(words: str) -> bytes:
    """As a header has it: on one line."""
    return words.encode(errors="surrogatepass").translate(None, CONTROL)[:4000].strip()


def printable(query: bytes) -> bytes:
    """As a query has it, which holds no blanks, nor anything but ASCII; see test_framing.py."""
    return bytes(byte for byte in query[:16_000] if 32 < byte < 127 and byte != 35)


def as_json(thing: object, *, escaped: bool) -> bytes:
    return json.dumps(thing, ensure_ascii=escaped).encode(errors="surrogatepass")
