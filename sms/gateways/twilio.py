"""Twilio: texts through the provider's own SDK, the reports that it posts, and the proof that it was Twilio."""

from __future__ import annotations

import asyncio
import logging
import re
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sms.inbound import storable
from sms.sending import Report, SendFailed, Sent

if TYPE_CHECKING:
    from twilio.http.async_http_client import AsyncTwilioHttpClient
    from twilio.rest.api.v2010.account.message import MessageInstance

log = logging.getLogger("zamu.sms")
silent = logging.getLogger("zamu.sms.twilio.sdk")  # it would tell whole addresses and answers
silent.disabled = True

PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
REST_SECONDS = 4  # a connection at rest is dropped before a server's usual five seconds: a cut one is an unknown send
LONGEST_VALIDITY = 36_000  # seconds
RECENT = 50  # how many texts to one phone a look-up reads
CLOCKS_DIFFER = timedelta(minutes=1)
FIELD_LENGTH = 200


CHECK_KEY = "Check ZAMU_TWILIO_ACCOUNT_SID and ZAMU_TWILIO_AUTH_TOKEN against Twilio's console."
CHECK_ADDRESS = "Check ZAMU_TWILIO_ACCOUNT_SID and ZAMU_TWILIO_BASE_URL: there is no such account there."
CHECK_SENDER = "Check ZAMU_TWILIO_FROM: the account may not send from it."
CHECK_SERVICE = "Check ZAMU_TWILIO_FROM: there is no such messaging service, or it has no sender."
CHECK_PUBLIC_URL = "Check ZAMU_PUBLIC_URL: Twilio cannot report to it."
ALLOW_REGION = "Allow the person's country in Twilio's console under Messaging, Geo permissions."
UPGRADE = "A trial account sends only to verified numbers: upgrade it in Twilio's console."
REGISTER = "Register ZAMU_TWILIO_FROM for the person's country in Twilio's console."
ASK = "The account is suspended: write to Twilio."

AUTHENTICATION = SendFailed("authentication", "retry", stops_gateway=True, advice=CHECK_KEY)
WRONG_ADDRESS = SendFailed("wrong_address", "retry", stops_gateway=True, advice=CHECK_ADDRESS)
WRONG_SERVICE = SendFailed("invalid_service", "retry", stops_gateway=True, advice=CHECK_SERVICE)
INVALID_SENDER = SendFailed("invalid_sender", "retry", stops_gateway=True, advice=CHECK_SENDER)
INVALID_PHONE = SendFailed("invalid_phone", "final")
THROTTLED = SendFailed("throttled", "retry")
# Twilio's codes, and HTTP's where an answer has none. What one person's number or country may cause never stops the
# gateway: that person would stop it for everybody.
REFUSED = {
    **dict.fromkeys((301, 302, 307, 308, 404, 20404), WRONG_ADDRESS),
    **dict.fromkeys((401, 403, 20003), AUTHENTICATION),
    **dict.fromkeys((429, 20429, 30022, 30023, 30027, 63018), THROTTLED),
    **dict.fromkeys((21212, 21603), INVALID_SENDER),
    **dict.fromkeys((21211, 21604), INVALID_PHONE),
    **dict.fromkeys((21614, 21635), SendFailed("unsupported_number", "final")),
    **dict.fromkeys(range(21701, 21706), WRONG_SERVICE),
    **dict.fromkeys((30018, 30024, 30032, 30034), SendFailed("unregistered_sender", "final", advice=REGISTER)),
    # Something on the way speaks here: Twilio behind it may have the text.
    **{status: SendFailed(f"http_{status}", "unknown") for status in (502, 504)},
    21408: SendFailed("region_not_allowed", "final", advice=ALLOW_REGION),
    21602: SendFailed("empty_text", "final"),
    21606: SendFailed("unfit_sender", "final", advice=CHECK_SENDER),
    21608: SendFailed("trial_account", "final", advice=UPGRADE),
    21609: SendFailed("invalid_callback", "retry", stops_gateway=True, advice=CHECK_PUBLIC_URL),
    21610: SendFailed("opted_out", "final", opted_out=True),
    21611: SendFailed("sender_queue_full", "retry"),
    21612: SendFailed("could_not_route", "final"),
    21617: SendFailed("text_too_long", "final"),
    30001: SendFailed("queue_overflow", "retry"),
    30002: SendFailed("account_suspended", "retry", stops_gateway=True, advice=ASK),
    30003: SendFailed("phone_off", "retry"),
    30004: SendFailed("blocked", "final"),
    30005: SendFailed("unknown_phone", "final"),
    30006: SendFailed("cannot_reach", "final"),
    30007: SendFailed("filtered", "final"),
    30008: SendFailed("provider_error", "retry"),
    30009: SendFailed("segment_missing", "final"),
    30010: SendFailed("too_expensive", "final"),
    30017: SendFailed("congestion", "retry"),
    30036: SendFailed("expired", "final"),
    30410: SendFailed("provider_timeout", "retry"),
}
UNREADABLE_ERRORS = (ValueError, AttributeError, TypeError, LookupError)  # what the SDK raises for JSON that is none
UNREADABLE = SendFailed("unreadable_answer", "unknown")
MISCONFIGURED = SendFailed("misconfigured", "retry", stops_gateway=True, advice=f"{CHECK_KEY} {CHECK_ADDRESS}")
NEVER_CONNECTED = SendFailed("connection_failed", "retry")
ANSWER_LOST = SendFailed("answer_lost", "unknown")
EXPIRED, EXPIRED_CODE = "expired", "30036"

REPORT_STATUSES = {
    "accepted": "sent",
    "scheduled": "sent",
    "queued": "sent",
    "sending": "sent",
    "sent": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "partially_delivered": "delivered",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "failed",
}


@dataclass(slots=True)
class Exchange:
    """One request under way. From the moment it leaves, Twilio may have the text."""

    limit: asyncio.Timeout
    left: bool = False


under_way: ContextVar[Exchange] = ContextVar("under_way")


class Credentials:
    """What the SDK is signed in with. Its own way is deprecated in aiohttp, which says so for every request."""

    def __init__(self, account_sid: str, auth_token: str) -> None:
        self._header = f"Basic {b64encode(f'{account_sid}:{auth_token}'.encode()).decode()}"

    def to_auth_strategy(self) -> Credentials:
        return self

    def get_auth_string(self) -> str:
        return self._header


class Twilio:
    """Must be made where an event loop runs, and be closed.

    A `sender` that begins with MG is a messaging service. `report_url` is where Twilio is to report, in public;
    each text adds its id as `m`. `base_url` (scheme, host and port) replaces the provider's own host; `timeout`
    is (until the request leaves, until it is answered) in seconds: the SDK keeps none of its own.
    """

    code = "twilio"

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        *,
        sender: str,
        report_url: str | None = None,
        base_url: str | None = None,
        timeout: tuple[float, float] = (3.0, 10.0),
    ) -> None:
        from twilio.rest import Client

        self._sender = {"messaging_service_sid" if sender.startswith("MG") else "from_": sender}
        self._report_url = report_url
        self._connecting, self._answering = timeout
        self._http = self._connect()
        self._client = Client(
            account_sid,
            credential_provider=Credentials(account_sid, auth_token),
            http_client=self._http,
            environment={"TWILIO_EDGE": ""},  # ours: there, TWILIO_EDGE and TWILIO_REGION would change the host
        )
        if base_url:
            self._client.api.base_url = base_url.rstrip("/")

    async def send(self, phone: str, body: str, *, reference: str, expires_in: timedelta) -> Sent | SendFailed:
        if not PHONE.fullmatch(phone):
            return INVALID_PHONE
        from aiohttp import ClientError, InvalidURL

        options: dict[str, Any] = {"to": phone, "body": body, **self._sender}
        options["validity_period"] = min(max(int(expires_in.total_seconds()), 1), LONGEST_VALIDITY)
        if self._report_url:
            options["status_callback"] = f"{self._report_url}?m={reference}"
        exchange = Exchange(asyncio.timeout(self._connecting))
        try:
            return await self._create(exchange, options)
        except InvalidURL:
            return MISCONFIGURED
        except (ClientError, OSError):
            return ANSWER_LOST if exchange.left else NEVER_CONNECTED
        except UNREADABLE_ERRORS:
            return UNREADABLE if exchange.left else MISCONFIGURED

    async def _create(self, exchange: Exchange, options: dict[str, Any]) -> Sent | SendFailed:
        from twilio.base.exceptions import TwilioRestException, TwilioServiceException

        under_way.set(exchange)
        try:
            async with exchange.limit:
                message = await self._client.messages.create_async(**options)
        except (TwilioRestException, TwilioServiceException) as error:
            return _refused(error.status, error.code)
        if not message.sid:
            return UNREADABLE
        return Sent(message.sid, segments=int(message.num_segments or 0) or None)

    async def look_up(self, phone: str, body: str, since: datetime) -> list[Report]:
        """Twilio sets DateSent only when a text leaves it, so all to the phone are read, not those of a day."""
        from aiohttp import ClientError
        from twilio.base.exceptions import TwilioException

        exchange = Exchange(asyncio.timeout(self._connecting))
        under_way.set(exchange)
        try:
            async with exchange.limit:
                found = await self._client.messages.list_async(to=phone, limit=RECENT)
        except (TwilioException, ClientError, OSError, *UNREADABLE_ERRORS) as error:
            log.warning("a text could not be looked up: %s", type(error).__name__)
            return []
        since -= CLOCKS_DIFFER
        texts = [text for text in found if text.body == body and text.date_created and text.date_created >= since]
        return [report for text in reversed(texts) if (report := _report(text))]

    async def close(self) -> None:
        await self._http.close()

    def _connect(self) -> AsyncTwilioHttpClient:
        """The SDK's client around a session of ours, which tells when a request leaves, and tries nothing twice."""
        from aiohttp import ClientSession, TCPConnector, TraceConfig
        from twilio.http.async_http_client import AsyncTwilioHttpClient

        trace = TraceConfig()
        trace.on_request_headers_sent.append(self._leaves)
        http = AsyncTwilioHttpClient(pool_connections=False, logger=silent)
        connector = TCPConnector(limit=0, keepalive_timeout=REST_SECONDS)  # the outbox knows how many at once
        http.session = ClientSession(connector=connector, trace_configs=[trace])
        return http

    async def _leaves(self, *_: object) -> None:
        exchange = under_way.get()
        exchange.left = True
        exchange.limit.reschedule(asyncio.get_running_loop().time() + self._answering)


def parse_report(form: Mapping[str, str], reference: str | None = None) -> Report | None:
    """A status callback from its form and the `m` of its address; None where it names no text or no status."""
    fields = {storable(key, FIELD_LENGTH): storable(value, FIELD_LENGTH) for key, value in form.items()}
    provider_id = fields.get("MessageSid") or fields.get("SmsSid")
    status, phone = fields.get("MessageStatus") or fields.get("SmsStatus"), fields.pop("To", None)
    if not provider_id or not status:
        return None
    code = fields.get("ErrorCode") or ""
    meaning = EXPIRED if code == EXPIRED_CODE else REPORT_STATUSES.get(status.lower(), status)
    return Report(provider_id, meaning, phone, _reason(code), fields, _uuid(reference))


def _refused(status: int, code: int) -> SendFailed:
    if code in REFUSED:
        return REFUSED[code]
    name = f"http_{status}" if code == status else f"twilio_{code}"
    return SendFailed(name, "retry" if status >= 500 else "final")


def _report(text: MessageInstance) -> Report | None:
    """What a look-up found, as if it had been reported."""
    form = {"MessageSid": text.sid, "MessageStatus": text.status, "To": text.to, "ErrorCode": text.error_code}
    return parse_report({key: str(value) for key, value in form.items() if value})


def _reason(code: str) -> str | None:
    known = REFUSED.get(int(code)) if code.isdecimal() else None
    return known.code if known else code or None


def _uuid(text: str | None) -> UUID | None:
    with suppress(ValueError):
        return UUID(text) if text else None
    return None
