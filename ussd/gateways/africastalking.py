"""Africa's Talking USSD: forms with the whole history of the session, answered with CON or END and a text."""

from __future__ import annotations

from ussd.fields import from_form
from ussd.request import SORRY, BadRequest, Ended, Page, Reply, Request

CODE = "africastalking"
METHODS = frozenset({"POST"})
SCREEN = 156  # with CON and its space 160, all that Safaricom shows


def parse(body: bytes, _path: str = "") -> Request:
    """Raises BadRequest."""
    fields = from_form(body)
    transcript = fields.text("text")
    return Request(
        gateway=CODE,
        session_key=fields.name("sessionId"),
        phone=fields.phone("phoneNumber", "KE"),
        is_first=not transcript,
        service_code=fields.service_code("serviceCode"),
        network=fields.text("networkCode"),
        transcript=transcript,
        screen=SCREEN,
    )


def parse_end(body: bytes) -> Ended:
    """The event that a session is over; it may come late, twice or never. Raises BadRequest."""
    fields = from_form(body)
    return Ended(CODE, fields.name("sessionId"), reached_end=fields.text("status") == "Success")


def render(page: Page, _request: Request) -> Reply:
    """The name of the screen goes with it, and comes back in the gateway's own log of the session."""
    prefix = "END" if page.ends else "CON"
    return Reply(f"{prefix} {page.text}", headers={"at-ussd-hop-metadata": page.state})


def refuse(_problem: BadRequest) -> Reply:
    """Whatever was wrong with a request, somebody holds a phone: any status but 200 shows him a failure."""
    return Reply(f"END {SORRY}")
