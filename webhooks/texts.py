"""What a provider of texts calls: texts from people, delivery reports, opt-outs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from queue_core import customers
from queue_core.trace import request_id
from sms import delivery
from sms.gateways import africastalking, twilio, twilio_inbound
from sms.inbound import Inbound
from sms.sending import Report
from webhooks.security import by_path, read_body, read_form

log = logging.getLogger("zamu.webhooks")

SECONDS = 2.5  # a provider waits three for the answer to a text
NO_WORDS = '<?xml version="1.0" encoding="UTF-8"?><Response/>'  # answers go out as texts of their own


def routes(secrets: Sequence[str], public_url: str, twilio_tokens: Sequence[str]) -> list[Route]:
    """Where Africa's Talking posts, and Twilio, which also signs what it sends to `public_url`."""

    async def signed_form(request: Request) -> dict[str, str]:
        body, query = await read_body(request), request.url.query
        url = f"{public_url}{request.scope['raw_path'].decode()}{'?' + query if query else ''}"
        if not twilio_inbound.signed_by(twilio_tokens, url, body, request.headers):
            log.warning("a request that says it is Twilio's is not signed by it")
            raise HTTPException(403, "The signature is missing or wrong. Nothing was changed.")
        return read_form(body)

    async def twilio_text(request: Request) -> Response:
        await _receive(request, twilio_inbound.parse_inbound(await signed_form(request)))
        return Response(NO_WORDS, media_type="text/xml")

    async def twilio_delivery(request: Request) -> Response:
        reference = request.query_params.get("m")
        return await _record(request, "twilio", twilio.parse_report(await signed_form(request), reference))

    return [
        Route("/hooks/africastalking/delivery/{secret}", by_path(secrets, _delivery), methods=["POST"]),
        Route("/hooks/africastalking/sms/{secret}", by_path(secrets, _text), methods=["POST"]),
        Route("/hooks/africastalking/opt-out/{secret}", by_path(secrets, _opt_out), methods=["POST"]),
        Route("/hooks/twilio/delivery/{secret}", by_path(secrets, twilio_delivery), methods=["POST"]),
        Route("/hooks/twilio/sms/{secret}", by_path(secrets, twilio_text), methods=["POST"]),
    ]


async def _text(request: Request) -> Response:
    await _receive(request, africastalking.parse_inbound(read_form(await read_body(request))))
    return Response()


async def _delivery(request: Request) -> Response:
    report = africastalking.parse_report(read_form(await read_body(request)))
    return await _record(request, "africastalking", report)


async def _opt_out(request: Request) -> Response:
    """Somebody told the provider that he wants no texts from us."""
    phone = africastalking.parse_opt_out(read_form(await read_body(request)))
    if phone is None:
        log.warning("an opt-out named no phone")
    else:
        await customers.opt_out(request.state.core, phone)
    return Response()


async def _receive(request: Request, message: Inbound | None) -> None:
    """Once it is handled the answer is 200. While we cannot, the provider is to repeat it, and hears an error."""
    if message is None:
        raise HTTPException(400, "A text needs an id. Nothing was changed.")
    request_id.set(f"{message.gateway}:{message.provider_id}")
    async with asyncio.timeout(SECONDS):
        await request.state.inbox.receive(message)


async def _record(request: Request, gateway: str, report: Report | None) -> Response:
    """A provider that hears anything but 200 may send the same again for hours, so it always hears 200."""
    if report is None:
        log.warning("a delivery report was not understood")
    else:
        await delivery.record(request.state.pool, gateway, report)
    return Response()
