"""Africa's Talking: texts through the provider's own SDK, and what it posts: delivery reports, texts, opt-outs."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from queue_core.errors import Refused
from queue_core.phones import normalise
from sms.inbound import LONGEST_ID, LONGEST_TEXT, Inbound, instant, storable
from sms.sending import Report, SendFailed, Sent

if TYPE_CHECKING:
    import requests

PHONE = re.compile(r"\+[1-9][0-9]{6,14}")  # the SDK's own check lets through "+2547\n" and 22 digits
REST_SECONDS = 4  # a connection at rest is dropped before a server's usual five seconds: a cut one is an unknown send
FETCHED = "fetched-"
ACCEPTED = {100, 101, 102}
OPTED_OUT = "userinblacklist"  # the provider writes it with a capital L in reports, without one in answers
FIELD_LENGTH = 200

CHECK_KEY = "Check ZAMU_AT_USERNAME and ZAMU_AT_API_KEY against the provider's dashboard."
CHECK_ADDRESS = "Check ZAMU_AT_BASE_URL: what answers there is not Africa's Talking."
CHECK_SENDER = "Check ZAMU_AT_SENDER: the account may not send under that name."
TOP_UP = "Top up the Africa's Talking account."
ASK = "The account is on hold: write to Africa's Talking."
REFUSED_REQUESTS = {
    401: SendFailed("authentication", "retry", stops_gateway=True, advice=CHECK_KEY),
    402: SendFailed("insufficient_balance", "retry", stops_gateway=True, advice=TOP_UP),
    403: SendFailed("authentication", "retry", stops_gateway=True, advice=CHECK_KEY),
    404: SendFailed("wrong_address", "retry", stops_gateway=True, advice=CHECK_ADDRESS),
    429: SendFailed("throttled", "retry"),
}
REFUSED_RECIPIENTS = {
    401: SendFailed("risk_hold", "retry", stops_gateway=True, advice=ASK),
    402: SendFailed("invalid_sender_id", "retry", stops_gateway=True, advice=CHECK_SENDER),
    403: SendFailed("invalid_phone", "final"),
    404: SendFailed("unsupported_number", "final"),
    405: SendFailed("insufficient_balance", "retry", stops_gateway=True, advice=TOP_UP),
    406: SendFailed("opted_out", "final", opted_out=True),
    407: SendFailed("could_not_route", "final"),
    409: SendFailed("do_not_disturb", "final"),
    500: SendFailed("provider_error", "retry"),
    501: SendFailed("provider_error", "retry"),
    502: SendFailed("rejected_by_gateway", "retry"),
}
# Refused as a whole, the provider lists no recipient and says only the name.
REFUSED_BY_NAME = {"InvalidSenderId": 402, "InsufficientBalance": 405, "RiskHold": 401}
UNREADABLE = SendFailed("unreadable_answer", "unknown")

# Absent: switched off for now. Success may still follow, and wins over it.
REPORT_STATUSES = {
    "sent": "sent",
    "submitted": "sent",
    "buffered": "sent",
    "success": "delivered",
    "rejected": "failed",
    "failed": "failed",
    "absentsubscriber": "failed",
    "expired": "failed",
}


class AfricasTalking:
    """The SDK blocks, so every call runs in one of this gateway's own threads.

    `base_url` (scheme, host and port) replaces the provider's own hosts; `timeout` is (connect, read) in
    seconds.
    """

    code = "africastalking"

    def __init__(
        self,
        username: str,
        api_key: str,
        *,
        sender: str | None = None,
        base_url: str | None = None,
        threads: int = 128,
        timeout: tuple[float, float] = (3.0, 10.0),
    ) -> None:
        from africastalking.SMS import SMSService

        self._sender = sender or None
        self._timeout = timeout
        self._service = SMSService(username, api_key)
        if base_url:
            self._service._baseUrl = f"{base_url.rstrip('/')}/version1"  # noqa: SLF001 - it has no setting for it
        # The SDK composes the request. Its own transport loses the HTTP status, and opens a connection for
        # every text, which costs 16 ms of reading certificates each time.
        self._service._make_request = self._request  # noqa: SLF001
        self._connections = threading.local()
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="africastalking")

    async def send(self, phone: str, body: str, *, reference: str, expires_in: timedelta) -> Sent | SendFailed:
        if not PHONE.fullmatch(phone):
            return REFUSED_RECIPIENTS[403]
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._send, phone, body)

    async def look_up(self, phone: str, body: str, since: datetime) -> None:
        """The provider lists only what comes in: a report settles what was lost."""

    async def received(self, after: str) -> list[tuple[str, Inbound]]:
        """What people texted after the provider's own number `after`, the oldest first, each with its number.

        These numbers are not the ids of the callbacks, so they make other ids. Raises OSError where there is no list.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._received, after)

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _send(self, phone: str, body: str) -> Sent | SendFailed:
        from requests import RequestException

        try:
            response = self._service.send(body, [phone], self._sender, timeout=self._timeout)
        except ValueError:  # an address or a header that cannot be written: nothing left this machine
            return SendFailed("misconfigured", "retry", stops_gateway=True, advice=f"{CHECK_KEY} {CHECK_ADDRESS}")
        except RequestException as error:
            if _never_connected(error):
                return SendFailed("connection_failed", "retry")
            return SendFailed("answer_lost", "unknown")
        return _judge(response.status_code, response.text)

    def _received(self, after: str) -> list[tuple[str, Inbound]]:
        response = self._service.fetch_messages(after, timeout=self._timeout)
        response.raise_for_status()
        try:
            listed = [
                {key: str(value) for key, value in row.items()} for row in response.json()["SMSMessageData"]["Messages"]
            ]
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise OSError("the list of received texts cannot be read") from error
        texts = [(row.get("id", ""), parse_inbound({**row, "id": f"{FETCHED}{row.get('id', '')}"})) for row in listed]
        return sorted(((name, text) for name, text in texts if name.isdecimal() and text), key=lambda one: int(one[0]))

    def _request(
        self,
        url: str,
        method: str,
        *,
        headers: dict[str, str],
        data: dict[str, str] | None,
        timeout: tuple[float, float],
        params: dict[str, str] | None = None,
        **_unused: object,
    ) -> requests.Response:
        # A redirect would be followed by a GET, which looks like success and sends nothing.
        return self._session().request(
            method, url, headers=headers, data=data, params=params, timeout=timeout, allow_redirects=False
        )

    def _session(self) -> requests.Session:
        """One connection for each thread."""
        from requests import Session

        mine = self._connections
        if not hasattr(mine, "session"):
            mine.session = Session()
        elif time.monotonic() - mine.used > REST_SECONDS:
            mine.session.close()
        mine.used = time.monotonic()
        session: Session = mine.session
        return session


def parse_report(form: Mapping[str, str]) -> Report | None:
    """A delivery report from its form; None where it names no text or no status."""
    fields = {storable(key, FIELD_LENGTH): storable(value, FIELD_LENGTH) for key, value in form.items()}
    provider_id, status, phone = fields.get("id"), fields.get("status"), fields.pop("phoneNumber", None)
    if not provider_id or not status:
        return None
    reason = fields.get("failureReason") or None
    if reason and reason.lower() == OPTED_OUT:
        reason = "opted_out"
    return Report(provider_id, REPORT_STATUSES.get(status.lower(), status), phone, reason, fields)


def _judge(status: int, text: str) -> Sent | SendFailed:
    if not 200 <= status < 300:
        return _refused(status)
    try:
        told = json.loads(text)["SMSMessageData"]
        recipients, message = told["Recipients"], str(told.get("Message", ""))
        if recipients:
            return _judge_recipient(recipients[0], message)
    except (ValueError, LookupError, TypeError, AttributeError):
        return UNREADABLE
    return REFUSED_RECIPIENTS.get(REFUSED_BY_NAME.get(message, 0), SendFailed("no_recipient", "retry"))


def _refused(status: int) -> SendFailed:
    if status in REFUSED_REQUESTS:
        return REFUSED_REQUESTS[status]
    if 300 <= status < 400:
        return REFUSED_REQUESTS[404]
    return SendFailed(f"http_{status}", "retry" if status >= 500 else "final")


def _judge_recipient(recipient: dict[str, Any], message: str) -> Sent | SendFailed:
    code = int(recipient.get("statusCode", 0))
    if code in ACCEPTED or (not code and recipient["status"] == "Success"):
        parts = re.search(r"Message parts: (\d+)", message)
        name = str(recipient.get("messageId") or "None")
        return Sent(
            provider_id=None if name == "None" else name[:FIELD_LENGTH],
            cost=str(recipient.get("cost") or "") or None,
            segments=int(parts[1]) if parts else None,
        )
    return REFUSED_RECIPIENTS.get(code, SendFailed("could_not_send", "retry"))


def _never_connected(error: Exception) -> bool:
    """Whether nothing of the request can have left: only then is a second try safe."""
    from ssl import SSLCertVerificationError

    from requests import ConnectTimeout
    from urllib3.exceptions import NewConnectionError

    # requests wraps urllib3's MaxRetryError, which wraps the reason.
    reason = getattr(error.args[0], "reason", None) if error.args else None
    cause = reason.args[0] if reason is not None and reason.args else None
    return (
        isinstance(error, ConnectTimeout)
        or isinstance(reason, NewConnectionError)
        or isinstance(cause, SSLCertVerificationError)
    )


def parse_inbound(form: Mapping[str, str]) -> Inbound | None:
    """A text from a person, from its form or from the list of what was received; None where it has no id."""
    provider_id = storable(str(form.get("id", "")), LONGEST_ID)
    if not provider_id:
        return None
    return Inbound(
        gateway=AfricasTalking.code,
        provider_id=provider_id,
        phone=_phone(form.get("from", "")),
        recipient=storable(form.get("to", ""), LONGEST_ID),
        text=storable(form.get("text", ""), LONGEST_TEXT),
        sent_at=instant(form.get("date", "")),
    )


def parse_opt_out(form: Mapping[str, str]) -> str | None:
    """The phone that wants no more texts; None where there is none."""
    return _phone(form.get("phoneNumber", ""))


def _phone(written: str) -> str | None:
    """None for a sender that is a name, such as an operator's own."""
    try:
        return normalise(written)
    except Refused:
        return None
