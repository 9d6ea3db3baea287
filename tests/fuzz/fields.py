"""The fields of a request, wherever it has them, one by one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from tests.fuzz.wild import as_json, printable, written
from tests.fuzz.wire import Asked

FORMS_TOKEN: Final = b"csrf"  # wrong ones are tests/staff_web/test_forms.py's; here they would hide all else
Pairs = list[tuple[bytes, bytes]]


def pairs_of(form: bytes) -> Pairs:
    return [(name, value) for name, _, value in (pair.partition(b"=") for pair in form.split(b"&"))]


def joined(pairs: Pairs) -> bytes:
    return b"&".join(b"=".join(pair) for pair in pairs)


def with_each_field(asked: Asked) -> dict[str, Callable[[str], Asked]]:
    """By the names of its fields, what makes the same request with other words in that one."""
    return {name: _changer(asked, "query", name) for name in _names(asked.query)} | {
        name: _changer(asked, "body", name) for name in _names(asked.body)
    }


def _names(data: bytes) -> list[str]:
    if data.startswith(b"{"):
        return list(_object(data))
    return [name.decode() for name, _ in pairs_of(data) if name and name != FORMS_TOKEN]


def _changer(asked: Asked, place: str, name: str) -> Callable[[str], Asked]:
    data: bytes = getattr(asked, place)

    def change(words: str) -> Asked:
        if data.startswith(b"{"):
            return replace(asked, body=as_json(_object(data) | {name: words}, escaped=True))
        changed = joined([(key, written(words, 0) if key == name.encode() else value) for key, value in pairs_of(data)])
        return replace(asked, query=printable(changed)) if place == "query" else replace(asked, body=changed)

    return change


def _object(data: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(data)
    return found
