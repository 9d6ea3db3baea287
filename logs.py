"""Structured logs: one JSON object a line, in UTC, with the request's id and every phone number masked."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import time
from datetime import UTC, datetime

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitoring.metrics import requests
from queue_core.trace import request_id

# A run of 9 to 15 digits that stands alone is a phone number: its middle goes. What stands before it may be written as
# an escape (%2B, \n). Ids have letters about their digits, or end like a UUID, and fractions have a point.
PHONE = re.compile(
    r"(?P<id>\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b)"
    r"|(?P<escape>%[0-9A-Fa-f]{2}|\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|[a-z])|(?<![0-9A-Za-z])(?<!\d\.))"
    r"(?P<head>\d{4})\d{2,8}(?P<tail>\d{3})(?![0-9A-Za-z]|\.\d)"
)
LONG = re.compile(r"\d{9}")
UNPRINTABLE = re.compile(r"[^ -~]")  # an id may be a provider's, and a line break in it would begin a header
STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}

SORRY = "Something went wrong on our side. Name this when you ask: "

encode = json.JSONEncoder(default=str).encode  # made once: it costs as much as writing the line

access = logging.getLogger("zamu.access")
log = logging.getLogger("zamu")


def mask(text: str) -> str:
    """Hide the middle digits of whatever may be a phone number."""
    if not LONG.search(text):  # as good as always, and ten times quicker to see
        return text
    return PHONE.sub(lambda found: found["id"] or f"{found['escape']}{found['head']}*****{found['tail']}", text)


class JsonFormatter(logging.Formatter):
    """A line per record, whatever it holds. JSON escapes line breaks, so nobody can forge a second line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "request": mask(request_id.get()),
            "message": mask(_message(record)),
        }
        line |= {key: _value(value) for key, value in vars(record).items() if key not in STANDARD}
        if record.exc_info:
            line["error"] = mask(self.formatException(record.exc_info))
        return json.dumps(line)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - a record that cannot be put together is still worth a line
        return f"{_words(record.msg)} (could not be put together)"


def _value(value: object) -> object:
    """What JSON says as well as words would, and words for all else."""
    if value is None or isinstance(value, bool | float):
        return value
    words = _words(value)
    masked = mask(words)
    return value if isinstance(value, int) and masked == words else masked


def _words(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - whatever a broken object raises
        return f"<{type(value).__name__}>"


def configure() -> None:
    """Everything that any library logs leaves through one handler on standard error."""
    # Nobody reads who called the logger from which thread; finding out costs more than writing the line.
    logging._srcfile = None  # noqa: SLF001 - the documented switch
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
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
        request_id.set(os.urandom(16).hex())
        began, status = time.perf_counter(), 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"].append((b"x-request-id", UNPRINTABLE.sub("", request_id.get()).encode()))
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception:
            log.exception("a request failed")
            await PlainTextResponse(SORRY + request_id.get(), 500)(scope, receive, watch)
        finally:
            route, seconds = getattr(scope.get("route"), "path", "unknown path"), time.perf_counter() - began
            requests(route, status).observe(seconds)
            access.info("%s %s", scope["method"], route, extra={"status": status, "ms": round(seconds * 1000, 1)})
