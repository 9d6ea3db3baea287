"""A provider of texts that takes 200 ms for each, in Africa's Talking's words."""

from __future__ import annotations

import asyncio
from itertools import count

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

SECONDS = 0.2

_numbers = count(1)


async def messaging(request: Request) -> JSONResponse:
    await request.body()
    await asyncio.sleep(SECONDS)
    sent = {"cost": "KES 0.8000", "messageId": f"ATXid_{next(_numbers)}", "number": "+254711000001", "statusCode": 101}
    return JSONResponse({"SMSMessageData": {"Message": "Sent to 1/1", "Recipients": [sent]}}, 201)


app = Starlette(routes=[Route("/version1/messaging", messaging, methods=["POST", "GET"])])
