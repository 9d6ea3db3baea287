"""Twilio's SMS side: `POST …/Messages.json` takes a text, `GET` lists what passed through the account."""

from __future__ import annotations

import asyncio
import base64
import binascii
import secrets

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from telco_sim.endings import end
from telco_sim.faults import TwilioFault
from telco_sim.telco import Telco
from telco_sim.twilio.errors import CODES_OF_STATUS, UNAUTHENTICATED, UNSUBSCRIBED, RefusedError
from telco_sim.twilio.listing import page
from telco_sim.twilio.message import Message
from telco_sim.twilio.order import Order
from telco_sim.twilio.statuses import UNDELIVERED, follow
from telco_sim.units import sms_parts

CREATED = 201


async def create(request: Request) -> Response:
    """Take a text, or fail in the way that a fault or the request asks for."""
    telco: Telco = request.app.state.telco
    order = Order.read(await request.body())
    telco.ledger.write(
        "twilio.request", order.to, **{"from": order.sender}, text=order.body, validityPeriod=order.validity
    )
    fault = telco.faults.for_twilio(order.to)
    try:
        _check_account(telco, request)
        response = await _accept(telco, order, fault)
        code = 0
    except RefusedError as refused:
        response, code = refused.response(), refused.code
    await asyncio.sleep(fault.delay)
    ending = fault.ending if response.status_code == CREATED else "answer"
    telco.ledger.write("twilio.answer", order.to, status=response.status_code, code=code, ending=ending)
    await end(request, telco, ending)
    return response


async def listed(request: Request) -> Response:
    """List messages in and out, newest first."""
    telco: Telco = request.app.state.telco
    try:
        _check_account(telco, request)
        return JSONResponse(page(telco.twilio_messages, request.url.path, request.query_params))
    except RefusedError as refused:
        return refused.response()


def send(telco: Telco, message: Message, *, validity: str = "", delivered: bool = True) -> None:
    """Keep a message that goes out, and put it into its phone's inbox where it arrives."""
    telco.twilio_messages.append(message)
    row = telco.ledger.write(
        "twilio.message",
        message.to,
        **{"from": message.sender},
        text=message.body,
        parts=message.parts,
        messageId=message.sid,
        direction=message.direction,
        validityPeriod=validity,
        delivered=delivered and not telco.is_off(message.to),
    )
    if delivered:
        telco.deliver(row)


async def _accept(telco: Telco, order: Order, fault: TwilioFault) -> Response:
    if fault.status:
        raise RefusedError(CODES_OF_STATUS[fault.status])
    order.judge(telco.config.twilio_senders)
    if fault.code or (order.sender, order.to) in telco.optouts:
        raise RefusedError(fault.code or UNSUBSCRIBED)
    message = Message(
        account=telco.config.twilio_account_sid,
        sender=order.sender,
        to=order.to,
        body=order.body,
        parts=sms_parts(order.body),
        direction="outbound-api",
        status="queued",
    )
    answer = message.as_json()
    send(telco, message, validity=order.validity, delivered=fault.reports not in UNDELIVERED)
    following = telco.callbacks.background(follow(telco, message, order.callback, fault))
    if fault.reports == "early":
        await asyncio.wait({following})
    return JSONResponse(answer, status_code=CREATED)


def _check_account(telco: Telco, request: Request) -> None:
    account = telco.config.twilio_account_sid
    expected = f"{account}:{telco.config.twilio_auth_token}".encode()
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    try:
        shown = base64.b64decode(credentials, validate=True)
    except (binascii.Error, ValueError):
        shown = b""
    right = scheme.lower() == "basic" and secrets.compare_digest(shown, expected)
    if not account or not right or request.path_params["account"] != account:
        raise RefusedError(UNAUTHENTICATED)
