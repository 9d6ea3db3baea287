"""What each process counts while it works. What the database knows as well is asked there: see `stores.py`."""

from __future__ import annotations

from functools import cache
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY: Final = CollectorRegistry()

# Bounds in seconds. Few: each is a series for every route, and for every screen of every gateway.
REQUEST = (0.025, 0.1, 0.4, 1, 2.5)
HOP = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3)
HAND_OVER = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60)
PROVIDER = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20)


def _counter(name: str, words: str, *labels: str) -> Counter:
    return Counter(name, words, labels, registry=REGISTRY)


def _histogram(name: str, words: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
    return Histogram(name, words, labels, registry=REGISTRY, buckets=buckets)


def _sum(name: str, words: str) -> Gauge:
    """Of all living processes together."""
    return Gauge(name, words, registry=REGISTRY, multiprocess_mode="livesum")


REQUESTS: Final = _histogram("zamu_request_seconds", "HTTP requests, by route and status", REQUEST, "route", "status")
HOPS: Final = _histogram("zamu_hop_seconds", "Keys of callers, until their words are there", HOP, "gateway", "screen")
# To find a series by its labels costs as much as to count in it.
requests: Final = cache(REQUESTS.labels)
hops: Final = cache(HOPS.labels)

LIMITS: Final = _counter("zamu_limits_hit", "Who was told to wait because of a limit", "limit")
LOG_INS_REFUSED: Final = _counter("zamu_log_ins_refused", "Log-ins that were refused", "why")

TEXTS: Final = _counter("zamu_texts", "What became of attempts to send", "template", "gateway", "state")
HAND_OVERS: Final = _histogram(
    "zamu_hand_over_seconds", "From when a text is due to the first attempt to send it", HAND_OVER, "template"
)
PROVIDERS: Final = _histogram("zamu_provider_seconds", "Until a provider answers a text", PROVIDER, "gateway")
REPORTS: Final = _counter("zamu_delivery_reports", "Delivery reports", "gateway", "status")
RECEIVED: Final = _counter("zamu_texts_received", "Texts from people that were handled", "gateway", "outcome")
SET_ASIDE: Final = _counter("zamu_texts_set_aside", "Texts from people that failed five times")
RESTING: Final = Gauge(
    "zamu_gateway_rests",
    "1 while a gateway that fails is left alone",
    ["gateway"],
    registry=REGISTRY,
    multiprocess_mode="livemax",
)

# Set once a second by `pulse.py`.
PROCESSES: Final = _sum("zamu_processes", "Processes that run")
SOCKETS: Final = _sum("zamu_sockets_open", "Boards and panels that follow live")
SOCKETS_ROOM: Final = _sum("zamu_sockets_most", "How many can")
IN_HAND: Final = _sum("zamu_requests_in_hand", "HTTP requests that wait for their answer")
POOL_USED: Final = _sum("zamu_pool_used", "Database connections of the pools that are in use")
POOL_SIZE: Final = _sum("zamu_pool_most", "How many there can be")
MEMORY: Final = _sum("zamu_memory_bytes", "Resident memory")
LATE: Final = Gauge(
    "zamu_loop_late_seconds",
    "How late the latest process is with what it has to do",
    registry=REGISTRY,
    multiprocess_mode="livemax",
)
