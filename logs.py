"""Structured logs: one JSON object a line, in UTC, with the request's id and every phone number masked."""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from datetime import UTC, datetime
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from queue_core.trace import request_id

# A run of 9 to 15 digits that stands alone is a phone number: its middle goes. Ids keep letters about them.
PHONE = re.compile(r"(?<![\w.])(\+?\d{4})\d{3,8}(\d{3})(?![\w.])")
STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}

access = logging.getLogger("zamu.access")


def mask(text: str) -> str:
    """Hide the middle digits of whatever may be a phone number."""
    return PHONE.sub(r"\1*****\2", text)


class JsonFormatter(logging.Formatter):
    """A line per record. JSON escapes line breaks, so nobody can forge a second line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "request": request_id.get(),
            "message": record.getMessage(),
        }
        line |= {key: value for key, value in vars(record).items() if key not in STANDARD}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return mask(json.dumps(line, default=str))


def configure() -> None:
    """Everything that any library logs leaves through one handler on standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    for noisy in ("httpx", "transitions.core", "africastalking", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


class RequestLog:
    """Middleware: gives each request an id, logs one line when it ends, and turns a fault of ours into plain words.

    The path is never logged, because a gateway's secret stands in it: the name of the route is.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id.set(uuid4().hex)
        began, status = time.perf_counter(), 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"].append((b"x-request-id", request_id.get().encode()))
            await send(message)

        try:
            await self.app(scope, receive, watch)
        finally:
            route = scope.get("route")
            access.info(
                "%s %s",
                scope["method"],
                getattr(route, "path", "unknown path"),
                extra={"status": status, "ms": round((time.perf_counter() - began) * 1000, 1)},
            )
