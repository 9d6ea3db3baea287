"""A telco that speaks Twilio's dialect, and Twilio's own SDK pointed at it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from starlette.responses import Response
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from telco_sim.config import TelcoConfig
from tests.telco_sim.conftest import Application

__all__ = [
    "ACCOUNT",
    "NUMBER",
    "PUBLIC",
    "SDK_WARNINGS",
    "TOKEN",
    "TwilioException",
    "TwilioRestException",
    "sdk",
    "twilio_config",
    "twiml",
    "valid",
]

# Twilio's SDK uses what aiohttp means to drop.
SDK_WARNINGS = [
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning"),
]
ACCOUNT = "AC00000000000000000000000000000001"
TOKEN = "twilio_test_token_0123456789abcd"
NUMBER = "+15005550006"
PUBLIC = "https://queue.example.org"


def twilio_config(config: TelcoConfig, application: Application) -> TelcoConfig:
    return replace(
        config,
        twilio_account_sid=ACCOUNT,
        twilio_auth_token=TOKEN,
        twilio_senders=frozenset({NUMBER, "384387", "CLINIC"}),
        twilio_inbound_url=f"{application.url}/twilio/sms?key=a%20b",
        public_url=PUBLIC,
        inbound_retries=(0.01,),
    )


def valid(url: str, fields: dict[str, str], signature: str) -> bool:
    """Tell what the vendor's validator says."""
    return bool(RequestValidator(TOKEN).validate(url, fields, signature))


@asynccontextmanager
async def sdk(url: str, account: str = ACCOUNT, token: str = TOKEN) -> AsyncIterator[Client]:
    async with AsyncTwilioHttpClient() as http:
        client = Client(account, token, http_client=http)
        client.api.base_url = url
        yield client


def twiml(*messages: str) -> Response:
    said = "".join(f"<Message>{message}</Message>" for message in messages)
    return Response(
        f'<?xml version="1.0" encoding="UTF-8"?><Response>{said}</Response>', media_type="text/xml; charset=utf-8"
    )
