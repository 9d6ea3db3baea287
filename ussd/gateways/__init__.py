"""USSD gateways: pure translation between a provider's HTTP and our own words. All of them are named here."""

from __future__ import annotations

from typing import Final, Protocol

from ussd.gateways import (
    africastalking,
    airtel,
    arkesel,
    beem,
    hubtel,
    infobip,
    mtn,
    nalo,
    neutral,
    safaricom,
)
from ussd.request import BadRequest, Page, Reply, Request


class Gateway(Protocol):
    """What a module of this package offers. `METHODS` are those of HTTP that it answers.

    `parse` gets the body, or the query of a GET, and what follows the secret in the path. It raises BadRequest, which
    `refuse` puts into words.
    """

    METHODS: frozenset[str]

    def parse(self, data: bytes, path: str = "", /) -> Request: ...

    def render(self, page: Page, request: Request) -> Reply: ...

    def refuse(self, problem: BadRequest) -> Reply: ...


GATEWAYS: Final[dict[str, Gateway]] = {
    africastalking.CODE: africastalking,
    airtel.CODE: airtel,
    arkesel.CODE: arkesel,
    beem.CODE: beem,
    hubtel.CODE: hubtel,
    infobip.CODE: infobip,
    mtn.CODE: mtn,
    nalo.CODE: nalo,
    neutral.CODE: neutral,
    safaricom.CODE: safaricom,
}
