"""What makes a password too weak: its length, and what anybody would try first. What it is made of is free."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

SHORTEST = 15
SHORTEST_WITH_SECOND_FACTOR = 8
LONGEST = 200
FEWEST_OF_ITS_OWN = 8  # characters that are left without words that anybody would try
FEWEST_DIFFERENT = 4
FEWEST_WORDS = 3  # different common ones, which together nobody tries first

# The heads of every published list of leaked passwords, and what people here would add.
COMMON = frozenset(
    """
    000000 111111 112233 121212 123123 123321 1234 12345 123456 1234567 12345678 123456789 1234567890 654321 666666
    696969 987654 987654321 9876543210 0987654321 abc123 abcd1234 abcdef abcdefg abcdefgh abcdefghijklmnopqrstuvwxyz
    1q2w3e 1q2w3e4r 1q2w3e4r5t 1qaz2wsx qazwsx zaq12wsx q1w2e3r4 asdf asdfgh asdfghjkl qwer qwert qwerty qwertz
    qwertyuiop qwertzuiop azerty zxcvbn zxcvbnm
    admin administrator africa afya america arsenal asante baseball batman bailey banana barcelona basketball bank
    blessed blessing branch business butterfly changeme charlie cheese chelsea chocolate clinic computer cookie counter
    daniel default desktop dragon everton family flower football freedom ginger google guest habari hakuna harambee
    hello hellohello hospital hunter iloveyou india internet jambo jennifer jessica jesus jesuschrist jordan karibu
    kenya killer kilimanjaro letmein liverpool login london lovely loveyou lucky manager manchester master matata maria
    matthew mercedes michael michelle mombasa monday monkey mother mpesa mustang nairobi naruto ninja nothing office
    orange pakistan panel pass passw0rd passwd password passphrase patrick pepper pharmacy please pokemon princess
    purple queen queue queues reception root safari safaricom samsung samuel school secret security server service
    shadow simba snoopy soccer solomon spring staff starwars summer sunday sunshine superman system tanzania temp
    temporary test tester testing ticket tigger trustno1 uganda unknown user username welcome whatever william winter
    wizard zamu
    """.split()  # noqa: SIM905 - a list to be read and added to
)


def plain(password: str) -> bytes:
    """The same for the same characters, by whatever keyboard they came."""
    return unicodedata.normalize("NFKC", password).encode(errors="surrogatepass")


def weakness(password: str, theirs: list[str], *, second_factor: bool) -> dict[str, Any] | None:
    """What is wrong with a password: {"why": short | long | yours | common, "least": how many characters}.

    `theirs` are the login and the names that anybody knows of the person. They, and common words, may be part of a
    password that has enough besides.
    """
    least = SHORTEST_WITH_SECOND_FACTOR if second_factor else SHORTEST
    folded = unicodedata.normalize("NFKC", password).casefold()
    if len(folded) < least:
        why = "short"
    elif len(folded) > LONGEST:
        why = "long"
    elif _is_made_of(folded, {word for text in theirs for word in _words(text)}):
        why = "yours"
    elif _is_made_of(folded, COMMON, FEWEST_WORDS) or _is_pattern(folded):
        why = "common"
    else:
        return None
    return {"why": why, "least": least}


def _words(text: str) -> set[str]:
    parts = re.split(r"[\W_]+", text.casefold())
    return {part for part in (*parts, "".join(parts)) if len(part) > 2}


def _is_made_of(folded: str, words: Iterable[str], enough: int = 100) -> bool:
    """Whether it has some of these words, fewer than `enough`, and too little besides."""
    left = re.sub(r"[\W_]+", "", folded)
    found = 0
    for word in sorted(words, key=len, reverse=True):
        found += word in left
        left = left.replace(word, "")
    return 0 < found < enough and len(left) < FEWEST_OF_ITS_OWN


def _is_pattern(folded: str) -> bool:
    """The same few characters, or one stretch again and again, or a row of the alphabet."""
    steps = {ord(after) - ord(before) for before, after in pairwise(folded)}
    return len(set(folded)) < FEWEST_DIFFERENT or len(steps) == 1 or folded in (folded + folded)[1:-1]
