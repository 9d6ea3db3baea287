"""The id that ties everything logged for one request together; for a caller it is the USSD session's."""

from __future__ import annotations

from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="-")
