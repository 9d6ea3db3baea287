"""Cookies of ours as the browser sent them, and none that only looks like one of ours."""

from __future__ import annotations

from starlette.datastructures import Headers

BLANKS = " \t"


def cookie(headers: Headers, name: str) -> str:
    """The value of a cookie of ours; empty where it is not there, or there twice, so that one of them is foreign.

    Starlette strips every sign that Unicode takes for a blank from a name. Browsers hold the prefix `__Host-` against
    other hosts, but not such a sign followed by it.
    """
    pairs = (pair.partition("=") for header in headers.getlist("cookie") for pair in header.split(";"))
    found = [value.strip(BLANKS + '"') for key, _, value in pairs if key.strip(BLANKS) == name]
    return found[0] if len(found) == 1 else ""
