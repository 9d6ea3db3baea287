"""Texts to a short code in the Africa's Talking dialect: posted until the application answers 200, and fetched."""

from __future__ import annotations

import asyncio
import random
import uuid
from dataclasses import replace
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from telco_sim.callbacks import encode_form
from telco_sim.exchange import Answer
from telco_sim.faults import InboundFault
from telco_sim.ledger import Row
from telco_sim.sms import BAD_REQUEST, REFUSALS, UNAUTHORIZED, authorized, plain
from telco_sim.telco import Telco

GATEWAY = "africastalking"
INBOUND_SECONDS = 10.0
COST = "KES 1.00"
TAKEN = 200
BATCH = 100


def receive(telco: Telco, phone: str, to: str, words: str) -> Row:
    """Take a text from a phone; the number of its row is the id by which it can be fetched."""
    return telco.ledger.write(
        "inbound",
        phone,
        gateway=GATEWAY,
        to=to,
        text=words,
        id=str(uuid.uuid4()),
        linkId=f"{random.randrange(10**20):020}",
    )


async def post(telco: Telco, row: Row, fault: InboundFault) -> Answer:
    """Post one copy and return its first answer; while that is not 200, it is posted again in the background."""
    fields = _fields(telco, row, fault)
    answer = await _attempt(telco, row, fields)
    if telco.config.inbound_url and answer.status != TAKEN:
        telco.callbacks.background(_insist(telco, row, fields))
    return answer


async def fetch(request: Request) -> Response:
    """`GET /version1/messaging`: texts after `lastReceivedId`, oldest first, at most a hundred at once."""
    telco: Telco = request.app.state.telco
    query = request.query_params
    if not authorized(telco, query.get("username", ""), request.headers.get("apikey", "")):
        return plain(UNAUTHORIZED, REFUSALS[UNAUTHORIZED])
    last = query.get("lastReceivedId", "0")
    if not last.isascii() or not last.isdigit():
        return plain(BAD_REQUEST, "The query parameter 'lastReceivedId' was malformed")
    rows = [row for row in telco.ledger.of("inbound") if row.number > int(last) and row.data["gateway"] == GATEWAY]
    return JSONResponse({"SMSMessageData": {"Messages": [_fetched(row) for row in rows[:BATCH]]}})


async def _insist(telco: Telco, row: Row, fields: dict[str, str]) -> None:
    for pause in telco.config.inbound_retries:
        await asyncio.sleep(pause)
        if (await _attempt(telco, row, fields)).status == TAKEN:
            return


async def _attempt(telco: Telco, row: Row, fields: dict[str, str]) -> Answer:
    form = encode_form(fields, bare_star=telco.config.bare_star)
    answer = await telco.callbacks.post(telco.config.inbound_url, form, seconds=INBOUND_SECONDS)
    if answer.status not in {0, TAKEN}:
        answer = replace(answer, error=f"The application answered HTTP {answer.status}; the gateway takes only 200.")
    telco.ledger.write(
        "inbound.post",
        row.phone,
        gateway=GATEWAY,
        id=fields["id"],
        answered=answer.status,
        answerError=answer.error,
    )
    return answer


def _fields(telco: Telco, row: Row, fault: InboundFault) -> dict[str, str]:
    return {
        "date": written(row.time) if fault.date is None else fault.date,
        "from": row.phone,
        "id": row.data["id"],
        "linkId": row.data["linkId"],
        "text": row.data["text"],
        "to": row.data["to"],
        "cost": COST,
        "networkCode": telco.network_of(row.phone).code,
    }


def _fetched(row: Row) -> dict[str, Any]:
    return {
        "linkId": row.data["linkId"],
        "text": row.data["text"],
        "to": row.data["to"],
        "id": row.number,
        "date": f"{row.time:%Y-%m-%dT%H:%M:%S}.{row.time.microsecond // 1000:03}Z",
        "from": row.phone,
    }


def written(time: datetime) -> str:
    """Write a time in UTC as the callback's `date` has it."""
    return f"{time:%Y-%m-%d %H:%M:%S}"
