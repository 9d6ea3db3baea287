"""USSD gateways: pure translation between a provider's HTTP and our own words. All of them are named here."""

from __future__ import annotations

from typing import Final, Protocol

from ussd.gateways import africastalking, neutral
from ussd.request import BadRequest, Page, Reply, Request


class Gateway(Protocol):
    """What a module of this package offers; `parse` raises BadRequest, which `refuse` puts into words."""

    def parse(self, body: bytes) -> Request: ...

    def render(self, page: Page, request: Request) -> Reply: ...

    def refuse(self, problem: BadRequest) -> Reply: ...


GATEWAYS: Final[dict[str, Gateway]] = {africastalking.CODE: africastalking, neutral.CODE: neutral}
