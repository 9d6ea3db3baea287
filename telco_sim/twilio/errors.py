"""Twilio's error codes, the numbers that always fail, and the JSON of a refusal."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

UNAUTHENTICATED, OVER_LENGTH, UNSUBSCRIBED = 20003, 21617, 21610
INVALID_PARAMETER, NO_SUCH_SERVICE, INVALID_CALLBACK = 20001, 21701, 21609
NO_BODY, NO_SENDER, NO_RECIPIENT, INVALID_RECIPIENT = 21602, 21603, 21604, 21211
INVALID_SENDER, FOREIGN_SENDER = 21212, 21606

SENTENCES = {
    20001: "A parameter is invalid.",
    20003: "Authenticate",
    20429: "Too Many Requests",
    20500: "An internal server error has occurred.",
    20503: "Service unavailable.",
    21211: "The 'To' number is not a valid phone number.",
    21212: "The 'From' number is not a valid phone number, short code or sender id.",
    21408: "Permission to send an SMS has not been enabled for the region of the 'To' number.",
    21602: "Message body is required.",
    21603: "A 'From' phone number is required.",
    21604: "A 'To' phone number is required.",
    21606: "The 'From' number is not an SMS-capable number of your account.",
    21609: "The 'StatusCallback' is not a valid URL.",
    21610: "Attempt to send to an unsubscribed recipient.",
    21611: "This 'From' number has exceeded the maximum number of queued messages.",
    21612: "The 'To' number is not currently reachable via SMS.",
    21614: "The 'To' number is not a valid mobile number.",
    21617: "The message body exceeds the 1600 character limit.",
    21701: "The Messaging Service does not exist.",
}
CODES_OF_STATUS = {401: UNAUTHENTICATED, 429: 20429, 500: 20500, 503: 20503}
STATUSES_OF_CODE = {code: status for status, code in CODES_OF_STATUS.items()}

MAGIC_SENDERS = {"+15005550001": INVALID_SENDER, "+15005550007": FOREIGN_SENDER, "+15005550008": 21611}
MAGIC_RECIPIENTS = {
    "+15005550001": INVALID_RECIPIENT,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": UNSUBSCRIBED,
    "+15005550009": 21614,
}


class RefusedError(Exception):
    """Twilio does not take the request; `code` is its own error code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code

    def response(self) -> Response:
        """Return what Twilio answers."""
        status = STATUSES_OF_CODE.get(self.code, 400)
        return JSONResponse(
            {
                "code": self.code,
                "message": SENTENCES.get(self.code, f"Error {self.code}."),
                "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
                "status": status,
            },
            status_code=status,
        )
