"""Traces: a collector on loopback hears of each request, its statements and each text; of no phone and no secret."""

from __future__ import annotations

import gzip
import threading
from collections import defaultdict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.commands.conftest import sender, telco
from tests.disturbing import until
from tests.faults.phones import Phone
from tests.terminal import SECRET, Process, Terminal, database, terminal
from tests.world import World, phone, seeded, world

__all__ = ["database", "seeded", "sender", "telco", "terminal", "world"]

OK = 0


class Collector:
    """Takes what is exported, as OpenTelemetry's own collector does."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        bodies = self.bodies

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                packed = self.headers["content-encoding"] == "gzip"
                bodies.append(gzip.decompress(body) if packed else body)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_said: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    @property
    def spans(self) -> list[Span]:
        told = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        return [span for one in told for of in one.resource_spans for scope in of.scope_spans for span in scope.spans]


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def attributes(span: Span) -> dict[str, str | int]:
    return {one.key: one.value.string_value or one.value.int_value for one in span.attributes}


async def join(server: Process) -> None:
    handset = Phone(server.url, phone(1))
    await handset.dial()
    await handset.press("1")
    await handset.press("1")
    assert "Your number is A001" in handset.screen.text


async def test_a_request_a_statement_and_a_text_have_their_spans_and_no_phone_or_secret_is_in_any(
    terminal: Terminal, world: World, sender: dict[str, str], collector: Collector
) -> None:
    with (
        terminal.serving(**sender, ZAMU_TRACES_URL=collector.url) as server,
        terminal.running("worker", **sender, ZAMU_TRACES_URL=collector.url) as worker,
    ):
        worker.wait_for("Sending texts")
        await join(server)
        await until(world.pool, "select bool_or(status in ('sent', 'delivered')) from notifications")
        assert server.stop()[0] == worker.stop()[0] == 0
    children = defaultdict(list)
    for span in collector.spans:
        children[span.parent_span_id].append(span)
    hops = [span for span in children[b""] if span.name == "POST /hooks/{gateway}/ussd/{secret}"]
    assert len(hops) == 3
    for hop in hops:
        told = attributes(hop)
        assert (told["http.response.status_code"], hop.status.code) == (200, OK)
        assert {one.trace_id for one in children[hop.span_id]} <= {hop.trace_id}
    statements = [attributes(one)["db.query.text"] for hop in hops for one in children[hop.span_id]]
    assert any("join_queue($1" in str(words) for words in statements)
    (text_id,) = [attributes(span)["zamu.text"] for span in children[b""] if span.name == "text by africastalking"]
    assert await world.pool.fetchval("select template from notifications where id = $1::uuid", text_id)
    everything = b"".join(collector.bodies)
    assert phone(1).removeprefix("+").encode() not in everything
    assert SECRET.encode() not in everything


async def test_a_collector_that_is_away_costs_nobody_anything(terminal: Terminal, collector: Collector) -> None:
    collector.server.server_close()
    with terminal.serving(ZAMU_TRACES_URL=collector.url) as server:
        await join(server)
        assert server.stop()[0] == 0
        assert "Traceback" not in server.said
