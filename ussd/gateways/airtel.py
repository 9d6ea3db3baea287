"""Airtel through Comviva Flares: a query with the latest key, answered with the text and a header: on, or over."""

from __future__ import annotations

import re

from ussd.fields import dialled, from_form
from ussd.request import NOT_KEPT, SORRY, BadRequest, Page, Reply, Request

CODE = "airtel"
METHODS = frozenset({"GET"})
CODE_DIALLED = re.compile(r"\d[\d*]{2,}")


def parse(query: bytes, _path: str = "") -> Request:
    """The first input is the code that was dialled, without its `*` and `#`. Raises BadRequest."""
    fields = from_form(query)
    is_abort, typed = bool(fields.text("clean")), fields.text("input")
    may_be_dialled = CODE_DIALLED.fullmatch(typed) is not None
    return Request(
        gateway=CODE,
        session_key=fields.name("SessionID"),
        phone="" if is_abort else fields.phone("MSISDN"),
        is_first=None if may_be_dialled and not is_abort else False,
        input=typed,
        dialled_path=dialled(f"*{typed}"),
        is_abort=is_abort,
    )


def render(page: Page, _request: Request) -> Reply:
    return _reply(page.text, goes_on=not page.ends)


def refuse(_problem: BadRequest) -> Reply:
    return _reply(SORRY, goes_on=False)


def _reply(text: str, *, goes_on: bool) -> Reply:
    return Reply(text, headers={**NOT_KEPT, "Freeflow": "FC" if goes_on else "FB", "charge": "N", "amount": "0"})
