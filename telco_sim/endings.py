"""How a request that sends a text ends when the fault in force says that no answer comes back."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from starlette.requests import Request

from telco_sim.telco import Telco

HANG_POLL_SECONDS = 0.05


async def end(request: Request, telco: Telco, ending: str) -> None:
    """Leave the caller without a reply where `ending` says so; what is returned later reaches nobody."""
    if ending == "cut":
        # ASGI cannot close a connection without a reply, so this reaches through uvicorn for the socket.
        cast("Any", request.receive).__self__.transport.abort()
    while ending != "answer" and not telco.stopping and not await request.is_disconnected():  # noqa: ASYNC110 - two ends
        await asyncio.sleep(HANG_POLL_SECONDS)
