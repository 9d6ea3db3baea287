"""The composition root: the only place where pools, gateways, the engine and the background tasks are put together."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

import redis.asyncio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

import logs
import providers
from announcer import Announcer
from db.pool import FAILED, Pool, connect
from logs import RequestLog
from monitoring import scrape
from monitoring.checks import Checkup, of_settings
from monitoring.pulse import Pulse
from monitoring.stores import Stores
from overload import RETRY_SECONDS, Crowd, Overload
from queue_core import retention, sweeper
from queue_core.core import Core
from settings import Settings, load
from sms.gateways.africastalking import AfricasTalking
from sms.inbox import House as TextHouse
from sms.inbox import Inbox
from sms.missed import Missed
from sms.outbox import Outbox
from sms.spool import Spool
from sms.staff import Desk
from staff_web import assets, board, live, pages
from staff_web import routes as staff_web
from staff_web.guard import Guard
from staff_web.hub import MOST_SOCKETS, Hub
from staff_web.security_headers import OnlyHttps, headers
from ussd import session as sessions
from ussd.engine import Engine
from ussd.limits import Limit
from ussd.visit import House
from webhooks import health, texts
from webhooks import routes as webhooks

if TYPE_CHECKING:
    from tracing import Tracing

log = logging.getLogger("zamu")

AGAIN_SECONDS = 1.0  # before work that a fault of ours ended begins again
FINISH_SECONDS = 4.5  # the outbox needs 4 at most, unless its database hangs
COLLECT_AFTER = (20_000, 20, 20)  # Python looks after 700 new objects, and 2,000 sockets are told at once
CANCEL_SECONDS = 0.1  # until what still runs is told once more to end
CLOSE_SECONDS = 1.0  # a database that does not say good-bye is left without


@dataclass(frozen=True, slots=True)
class Parts:
    """One process's connections and engine. Made in its running loop."""

    pool: Pool
    redis: redis.asyncio.Redis
    core: Core
    engine: Engine
    inbox: Inbox
    hub: Hub
    stores: Stores
    checkup: Checkup


@asynccontextmanager
async def parts(
    settings: Settings,
    work_until: asyncio.Event | None = None,
    crowd: Crowd | None = None,
    traces: Tracing | None = None,
) -> AsyncIterator[Parts]:
    """Everything of one process, connected and running; with `work_until` it sends texts too, until that is set.

    `crowd` are the requests of a web process. At the end what is in hand is finished, within seconds.
    """
    async with AsyncExitStack() as stack:
        if traces:
            stack.push_async_callback(traces.close)
        pool = await connect(str(settings.database_url), heard=traces.statement if traces else None)
        stack.push_async_callback(_close, pool)
        client = sessions.connect(str(settings.redis_url))
        stack.push_async_callback(client.aclose)
        announcer = Announcer(client)
        stack.push_async_callback(_running(announcer.run()))
        core = Core(pool, announcer)
        spool, hub = Spool(settings.spool), Hub(core)
        inbox = _inbox(settings, core, spool)
        settled = of_settings(
            settings.public_url, settings.at_base_url, settings.sms_gateways, settings.trusted_proxies
        )
        pulse = Pulse(pool, lambda: len(hub.boxes), MOST_SOCKETS if crowd else 0, lambda: crowd.now if crowd else 0)
        announcer.listeners.append(hub.hint)
        if work_until:
            wake = await stack.enter_async_context(_worker(settings, core, inbox, traces, work_until))
            announcer.listeners.append(lambda _queue_id: wake())
        listening = await stack.enter_async_context(redis.asyncio.from_url(str(settings.redis_url)))
        for work in (announcer.listen(listening), *map(tirelessly, (inbox.run, hub.run, pulse.run))):
            stack.push_async_callback(_running(work))
        yield Parts(
            pool=pool,
            redis=client,
            core=core,
            engine=_engine(settings, core, client),
            inbox=inbox,
            hub=hub,
            stores=Stores(pool, client, spool.held, version("zamu")),
            checkup=Checkup(settled, pool, client, spool.held),
        )


async def _close(pool: Pool) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_SECONDS):
            await pool.close()


@asynccontextmanager
async def _worker(
    settings: Settings, core: Core, inbox: Inbox, traces: Tracing | None, stop: asyncio.Event
) -> AsyncIterator[Callable[[], None]]:
    """The outbox and the sweeper at work; gives what wakes the outbox."""
    gateways = [providers.gateway(name, settings) for name in settings.sms_gateways]
    outbox = Outbox(
        core.pool,
        [traces.gateway(gateway) for gateway in gateways] if traces else gateways,
        providers.words(settings),
        routes=settings.sms_routes,
        rates=settings.sms_rates,
        only_to=settings.sms_only_to,
    )
    work = [
        asyncio.create_task(tirelessly(outbox.run, stop)),
        asyncio.create_task(tirelessly(partial(sweeper.run, core), stop)),
        asyncio.create_task(tirelessly(partial(retention.run, core, settings.retention_days), stop)),
        *(
            asyncio.create_task(tirelessly(Missed(core.pool, inbox, gateway).run, stop))
            for gateway in gateways
            if isinstance(gateway, AfricasTalking)
        ),
    ]
    try:
        yield outbox.wake
    finally:
        stop.set()
        _, stuck = await asyncio.wait(work, timeout=FINISH_SECONDS)
        for task in stuck:
            task.cancel()
        for gateway in gateways:
            await gateway.close()


async def tirelessly(work: Callable[[asyncio.Event], Awaitable[None]], stop: asyncio.Event | None = None) -> None:
    """Work until `stop` is set. A fault of ours may cost a second, but not every text after it."""
    stop = stop or asyncio.Event()
    while not stop.is_set():
        try:
            await work(stop)
        except Exception:
            log.exception("work in the background failed, and begins again")
            await asyncio.sleep(AGAIN_SECONDS)


def _running(work: Coroutine[None, None, None]) -> Callable[[], Awaitable[None]]:
    """Start something that runs for ever; gives what ends it."""
    task = asyncio.create_task(work)

    async def end() -> None:
        while not task.done():  # the Redis client may make an error of its own of it
            task.cancel()
            await asyncio.wait([task], timeout=CANCEL_SECONDS)
        with contextlib.suppress(asyncio.CancelledError):
            task.result()

    return end


def _inbox(settings: Settings, core: Core, spool: Spool) -> Inbox:
    key = settings.secret_key.encode()
    house = TextHouse(settings.help_phone, key, settings.brand, settings.sms_keyword)
    desk = Desk(core, key, strict=settings.staff_codes)
    return Inbox(core, house, desk, spool)


def _engine(settings: Settings, core: Core, client: redis.asyncio.Redis) -> Engine:
    store = sessions.SessionStore(client, core.pool, Limit())
    house = House(settings.help_phone, settings.brand, settings.shortcode)
    return Engine(core, store, house, settings.secret_key.encode())


def create_app(settings: Settings, work_until: asyncio.Event | None = None) -> Starlette:
    """The web application. `settings` name the servers; `work_until` is as for `parts`."""
    crowd, traces = Crowd(), tracing(settings)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, object]]:
        async with parts(settings, work_until, crowd, traces) as made:
            yield {name: getattr(made, name) for name in Parts.__slots__}

    traced = [traces.requests()] if traces else []
    only_https = [Middleware(OnlyHttps)] if settings.public_url.startswith("https:") else []
    web = Starlette(
        routes=[
            *webhooks.routes(settings.webhook_secrets, settings.ussd_secrets),
            *texts.routes(settings.webhook_secrets, settings.public_url, settings.twilio_auth_tokens),
            *health.routes,
            *scrape.routes(settings.metrics_token),
            *staff_web.routes(settings.secret_key.encode(), settings.public_url),
            *live.routes(Guard(settings.secret_key.encode(), settings.public_url)),
            *board.routes,
            *assets.routes,
        ],
        middleware=[Middleware(Overload, crowd), Middleware(RequestLog), *traced, *only_https],
        exception_handlers={HTTPException: _refused, ClientDisconnect: _gone, **dict.fromkeys(FAILED, _away)},
        lifespan=lifespan,
    )
    web.router.redirect_slashes = False  # it would lead to whatever host a request names
    return web


def tracing(settings: Settings) -> Tracing | None:
    """None where nobody collects traces: then none of their packages is loaded."""
    if settings.traces_url is None:
        return None
    from tracing import Tracing  # noqa: PLC0415

    return Tracing(settings.traces_url)


def from_environment() -> Starlette:
    """For `uvicorn --factory`: one of several web processes, which send no texts themselves."""
    logs.configure()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    app = create_app(load())
    spare_the_collector()
    return app


def _end_with_parent() -> None:
    """Who was killed cannot stop us any more, and whatever is started in his place needs the port that we hold."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def spare_the_collector() -> None:
    """What is loaded by now stays: a search through it for garbage held everybody up for 200 ms, again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


async def _refused(request: Request, error: Exception) -> Response:
    status, words = (error.status_code, error.detail) if isinstance(error, HTTPException) else (500, "")
    return _said(request, status, words)


def _said(request: Request, status: int, words: str) -> Response:
    """People get a page with a way back, machines and scripts the words alone."""
    for_people = "text/html" in request.headers.get("accept", "")
    return pages.trouble(status, words) if for_people else PlainTextResponse(words, status, headers(None))


async def _gone(_request: Request, _error: Exception) -> Response:
    """Whoever asked hung up in the middle of his request; this is for the log."""
    return Response(status_code=499)


async def _away(request: Request, error: Exception) -> Response:
    """For what has no words of its own; a provider sends it again."""
    log.warning("the database failed a request: %s", type(error).__name__)
    answer = _said(request, 503, "The database does not answer, so this is not done yet. Please send it again.")
    answer.headers["retry-after"] = RETRY_SECONDS
    return answer
