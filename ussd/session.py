"""One caller's session, and where it is kept between two keys."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from db.pool import Pool
from queue_core.tickets import DialIn, dial_in_from
from ussd.batches import Batches
from ussd.limits import LOAD_OR_START, Limit, OwnLimiter
from ussd.request import Ended, Page, Request
from ussd.rows import Rows

log = logging.getLogger("zamu.ussd")

SECONDS = 300  # longer than any network keeps a session open
REDIS_SECONDS = 0.3  # a cache that is slower than this is away
AWAY_SECONDS = 1.0  # how long it is then left alone
AWAY = (RedisError, OSError)
AT_ONCE = 64  # questions to Redis; the client has a hundred connections, and would call a further one a failure
RUN = re.compile(rb"run_id:\w+")

Mark = tuple[int, str]


@dataclass(eq=False, slots=True)
class Session:
    """Where a caller is. `trail` marks every delivery that was answered, so that none is taken twice.

    `menu` names the menu that the state belongs to, `joining` says that a caller cut off here may continue;
    `errors` counts wrong keys in a row. `rest` are parts of the screen that are still to be shown.
    What was typed is not kept: it may be a PIN.
    """

    gateway: str
    key: str
    phone: str
    menu: str
    state: str = "dialled"
    joining: bool = False
    language: str = "en"
    data: dict[str, Any] = field(default_factory=dict)
    steps: int = 0
    errors: int = 0
    reply: str = ""
    rest: list[str] = field(default_factory=list)
    ended: bool = False
    trail: list[Mark] = field(default_factory=list)
    not_accumulated: bool = False
    started: float = field(default_factory=time.time)
    forgotten: bool = False

    @property
    def page(self) -> Page:
        """The last answer."""
        return Page(self.reply, self.ended, self.state)

    def dump(self) -> str:
        return encode({name: getattr(self, name) for name in FIELDS})


FIELDS = tuple(Session.__dataclass_fields__)
encode = json.JSONEncoder(separators=(",", ":")).encode


def parse(text: str | bytes) -> Session:
    """A session as `dump` wrote it, also in an older or newer release."""
    fields = json.loads(text)
    session = Session(**{name: fields[name] for name in FIELDS if name in fields})
    session.trail = [(length, name) for length, name in session.trail]
    return session


@dataclass(frozen=True, slots=True)
class Loaded:
    session: Session | None
    over_limit: bool = False


def connect(url: str) -> Redis:
    """A client that never tries twice: a caller waits, and PostgreSQL knows as much.

    Its own time-outs are left off: each of its steps would set one, and one around all of them is enough.
    """
    return Redis.from_url(url, socket_timeout=None, socket_connect_timeout=None, retry=Retry(NoBackoff(), 0))


class SessionStore:
    """Sessions in Redis, and in PostgreSQL for when Redis is away or was emptied."""

    def __init__(self, redis: Redis, pool: Pool, limit: Limit | None = None) -> None:
        self._redis = redis
        self._limit = limit
        self._own_limiter = OwnLimiter(limit) if limit else None
        self._run = b""
        redis.connection_pool.connection_kwargs["redis_connect_func"] = self._meet
        self._load_or_start = redis.register_script(LOAD_OR_START)
        self._asking = asyncio.Semaphore(AT_ONCE)
        self._away_until = 0.0
        self._doubted_until = 0.0
        self._texts = Batches(self._set)
        self.rows = Rows(pool)

    async def load(self, request: Request) -> Loaded:
        """The session that this request continues; None when it starts one or nobody knows it."""
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                text, over_limit = await self._get(request, starts=bool(request.is_first))
        except AWAY as error:
            self._leave_alone(error)
            session = await self.reload(request)
            return Loaded(session, session is None and self._over_own_limit(request))
        if text:
            session = parse(text)
            if time.monotonic() < self._doubted_until:
                session = newer(session, await self.reload(request))
            return Loaded(session)
        if request.is_first:
            return Loaded(None, over_limit)
        session = await self.reload(request)
        return Loaded(session, session is None and await self._over_limit(request))

    async def reload(self, request: Request) -> Session | None:
        """What PostgreSQL knows of the session, for when Redis gave back an older step."""
        return parse_if(await self.rows.load(request.gateway, request.session_key))

    async def dial_in(self, phone: str) -> tuple[DialIn, Session | None]:
        """What decides the first screen, and the phone's last session of the past ten minutes."""
        facts, last = await self.rows.dial_in(phone)
        return dial_in_from(facts), parse_if(last)

    async def save(self, session: Session) -> None:
        """Keep the session in both stores, at once; one of the two is enough.

        Without either the caller is answered all the same: his transcript or his ticket brings him back.
        """
        text = session.dump()
        spared = self.rows.away and time.monotonic() >= self._away_until
        row = None if session.forgotten or spared else self.rows.write(session, text)
        kept = await self._texts.add((_name(session.gateway, session.key), text))
        if row is not None:
            kept = await row or kept
        if not kept and row is not None:
            log.error("session %s is kept nowhere", session.key)

    async def close(self, ended: Ended) -> None:
        if not ended.reached_end:
            await self.rows.drop(ended.gateway, ended.session_key)

    async def _meet(self, connection: AbstractConnection) -> None:
        """Look, on each new connection, whether this is still the same run of the same server.

        One that was started anew or took another's place may give old states, and it need not be one of our commands
        that finds the old connection broken.
        """
        await connection.on_connect()
        await connection.send_command("INFO", "server")
        with suppress(ResponseError):  # this user may not ask
            found = RUN.search(await connection.read_response(disable_decoding=True))
            if found and self._run not in (b"", found[0]):
                self._doubted_until = time.monotonic() + SECONDS
            self._run = found[0] if found else b""

    async def _get(self, request: Request, *, starts: bool) -> tuple[bytes | str | None, bool]:
        if time.monotonic() < self._away_until:
            raise TimeoutError
        key = _name(request.gateway, request.session_key)
        async with self._asking:
            if not starts or self._limit is None:
                return await self._redis.get(key), False
            text, over = await self._load_or_start(
                keys=[key, f"ussd-limit:{request.phone}"], args=[self._limit.interval, self._limit.tolerance]
            )
        return text, bool(over)

    async def _set(self, texts: list[tuple[str, str]]) -> list[bool]:
        if time.monotonic() < self._away_until:
            return [False] * len(texts)
        try:
            async with asyncio.timeout(REDIS_SECONDS), self._redis.pipeline(transaction=False) as commands:
                for name, text in texts:
                    # Not `set`: what it does about its old arguments takes longer than the command.
                    commands.execute_command("SET", name, text, "EX", SECONDS)
                await commands.execute()
        except AWAY as error:
            self._leave_alone(error)
            return [False] * len(texts)
        return [True] * len(texts)

    async def _over_limit(self, request: Request) -> bool:
        """For a session that may have been dialled with digits after the service code."""
        if self._limit is None:
            return False
        try:
            return (await self._get(request, starts=True))[1]
        except AWAY as error:
            self._leave_alone(error)
            return self._over_own_limit(request)

    def _over_own_limit(self, request: Request) -> bool:
        return self._own_limiter is not None and self._own_limiter.over(request.phone)

    def _leave_alone(self, error: Exception) -> None:
        now = time.monotonic()
        if now < self._away_until:
            return
        log.warning("Redis is away, sessions come from PostgreSQL: %s", type(error).__name__)
        self._away_until = now + AWAY_SECONDS
        self._doubted_until = now + SECONDS  # when it is back it may give old states


def parse_if(text: str | None) -> Session | None:
    return parse(text) if text else None


def newer(one: Session, other: Session | None) -> Session:
    return other if other and (other.started, other.steps) > (one.started, one.steps) else one


def _name(gateway: str, key: str) -> str:
    return f"ussd:{gateway}:{key}"
