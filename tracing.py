"""Traces for whoever asks where the time goes: a span a request with its statements, and one a text handed over.

Only imported where ZAMU_TRACES_URL is set. No phone, no secret and no word of a person is in any of them.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version

from asyncpg.connection import LoggedQuery
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode, Tracer, get_current_span
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from queue_core.trace import request_id
from sms.sending import Gateway, Report, SendFailed, Sent

EXPORT_SECONDS = 2  # for one batch; a collector that is away costs spans, and nobody's time
LAST_SECONDS = 1  # at the end, for what was not told yet
LONGEST_NAME = 60


class Tracing:
    """Tells a collector at `url` (OTLP over HTTP, such as http://localhost:4318) from a thread of its own.

    How many requests are traced is OpenTelemetry's own setting, OTEL_TRACES_SAMPLER; all by default.
    """

    def __init__(self, url: str) -> None:
        resource = Resource.create({"service.name": "zamu", "service.version": version("zamu")})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        exporter = OTLPSpanExporter(endpoint=f"{url}/v1/traces", timeout=EXPORT_SECONDS)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self.tracer: Tracer = self._provider.get_tracer("zamu")

    def statement(self, done: LoggedQuery) -> None:
        """A statement of the request at hand. What it was about is in its arguments, which are left out."""
        if not get_current_span().is_recording():
            return  # the sweeper and the outbox ask the database all the time
        ended = time.time_ns()
        query = done.query.strip()
        span = self.tracer.start_span(
            query.split("\n", 1)[0][:LONGEST_NAME],
            kind=SpanKind.CLIENT,
            attributes={"db.system.name": "postgresql", "db.query.text": query},
            start_time=ended - int(done.elapsed * 1e9),
        )
        if done.exception:
            span.set_status(StatusCode.ERROR, type(done.exception).__name__)
        span.end(ended)

    def requests(self) -> Middleware:
        return Middleware(TracedRequests, self.tracer)

    def gateway(self, gateway: Gateway) -> Gateway:
        return TracedGateway(gateway, self.tracer)

    async def close(self) -> None:
        """Tell the last spans, if the collector takes them at once."""
        last = threading.Thread(target=self._provider.shutdown, daemon=True)
        last.start()
        await asyncio.to_thread(last.join, LAST_SECONDS)


class TracedRequests:
    """Middleware: a span a request, named by its route, because a gateway's secret stands in the path."""

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self.app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # An exception's words may be a person's: its name is told, and the request's id finds its line in the log.
        with self._tracer.start_as_current_span(
            scope["method"], kind=SpanKind.SERVER, record_exception=False, set_status_on_exception=False
        ) as span:

            async def watch(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                await send(message)

            try:
                await self.app(scope, receive, watch)
            except Exception as error:
                span.set_status(StatusCode.ERROR, type(error).__name__)
                raise
            finally:
                route = getattr(scope.get("route"), "path", "unknown path")
                span.update_name(f"{scope['method']} {route}")
                span.set_attributes({"http.route": route, "zamu.request": request_id.get()})


@dataclass(frozen=True, slots=True)
class TracedGateway:
    """A gateway whose texts have a span each, with the notification's id."""

    gateway: Gateway
    tracer: Tracer

    @property
    def code(self) -> str:
        return self.gateway.code

    async def send(self, phone: str, body: str, *, reference: str, expires_in: timedelta) -> Sent | SendFailed:
        with self.tracer.start_as_current_span(
            f"text by {self.code}", kind=SpanKind.CLIENT, record_exception=False, set_status_on_exception=False
        ) as span:
            span.set_attribute("zamu.text", reference)
            result = await self.gateway.send(phone, body, reference=reference, expires_in=expires_in)
            if isinstance(result, SendFailed):
                span.set_status(StatusCode.ERROR, result.code)
            return result

    async def look_up(self, phone: str, body: str, since: datetime) -> Sequence[Report] | None:
        return await self.gateway.look_up(phone, body, since)

    async def close(self) -> None:
        await self.gateway.close()
