"""What a telco calls for callers: USSD requests, the ends of sessions, and the neutral JSON contract."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from queue_core.trace import request_id
from ussd.gateways import GATEWAYS, Gateway, africastalking, neutral
from ussd.request import SORRY, BadRequest, Page
from webhooks.security import by_path, read_body, secret_matches

log = logging.getLogger("zamu.webhooks")

BUSY = Page(SORRY, ends=True, state="overloaded")
METHODS = ("GET", "POST", "PUT")  # each gateway answers some of them, which nobody learns without the secret


def routes(secrets: Sequence[str], ussd_secrets: Mapping[str, Sequence[str]]) -> list[Route]:
    """`secrets` are all accepted, so that one can replace another without a gap; `ussd_secrets` are other gateways'."""
    gateways = {africastalking.CODE: secrets, **ussd_secrets}

    async def inbound(request: Request) -> Response:
        if not secret_matches(request.headers.get("x-webhook-secret", ""), secrets):
            raise HTTPException(401, "The header X-Webhook-Secret is missing or wrong. Nothing was changed.")
        return await _ussd(request, neutral)

    async def of_gateway(request: Request) -> Response:
        code = request.path_params["gateway"]
        return await by_path(gateways.get(code, ()), _ussd_of_gateway)(request)

    return [
        Route("/hooks/{gateway}/ussd/{secret}", of_gateway, methods=METHODS),
        Route("/hooks/{gateway}/ussd/{secret}/{path:path}", of_gateway, methods=METHODS),
        Route("/hooks/africastalking/ussd-end/{secret}", by_path(secrets, _ussd_end), methods=["POST"]),
        Route("/ussd/inbound", inbound, methods=["POST"]),
    ]


async def _ussd_of_gateway(request: Request) -> Response:
    gateway = GATEWAYS[request.path_params["gateway"]]
    if request.method not in gateway.METHODS:
        raise HTTPException(
            405, f"Only {' and '.join(sorted(gateway.METHODS))} are answered here. Nothing was changed."
        )
    return await _ussd(request, gateway)


async def _ussd(request: Request, gateway: Gateway) -> Response:
    """From here on the answer is 200 with words that a person can read, whatever is wrong."""
    try:
        step = gateway.parse(await _data(request), request.path_params.get("path", ""))
    except BadRequest as problem:
        log.warning("a USSD request was refused: %s", problem)
        reply = gateway.refuse(problem)
    else:
        request_id.set(step.session_key)
        busy = request.scope.get("overloaded")  # see overload.py
        reply = gateway.render(BUSY if busy else await request.state.engine.answer(step), step)
    return Response(reply.body, reply.status, reply.headers, reply.media_type)


async def _data(request: Request) -> bytes:
    query: bytes = request.scope["query_string"]
    return query if request.method == "GET" else await read_body(request)


async def _ussd_end(request: Request) -> Response:
    """Late, twice or never: it only tidies up. Answered 200 even when it says nothing that we know."""
    try:
        event = africastalking.parse_end(await read_body(request))
    except BadRequest as problem:
        log.warning("the end of a session was not understood: %s", problem)
    else:
        request_id.set(event.session_key)
        await request.state.engine.ended(event)
    return Response()
