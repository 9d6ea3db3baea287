"""Safaricom without a reseller, Kenya: a query with the whole history of the session, answered with CON or END."""

from __future__ import annotations

from ussd.fields import from_form
from ussd.request import NOT_KEPT, SORRY, BadRequest, Page, Reply, Request

CODE = "safaricom"
METHODS = frozenset({"GET"})
SCREEN = 156  # with CON and its space 160


def parse(query: bytes, _path: str = "") -> Request:
    """What was dialled after the service code stands first in the history. Raises BadRequest."""
    fields = from_form(query)
    transcript = fields.text("USSD_PARAMS")
    return Request(
        gateway=CODE,
        session_key=fields.name("SESSION_ID"),
        phone=fields.phone("ORIG", "KE"),
        is_first=not transcript,
        service_code=fields.service_code("DEST"),
        transcript=transcript,
        screen=SCREEN,
    )


def render(page: Page, _request: Request) -> Reply:
    return Reply(f"{'END' if page.ends else 'CON'} {page.text}", headers=NOT_KEPT)


def refuse(_problem: BadRequest) -> Reply:
    return Reply(f"END {SORRY}", headers=NOT_KEPT)
