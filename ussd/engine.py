"""One key of a caller, from the gateway's request to the page that he sees."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextvars import copy_context
from time import perf_counter

from monitoring.metrics import LIMITS, hops
from queue_core.core import Core, written
from queue_core.phones import mask
from ussd.delivery import Marks, read, too_long
from ussd.rebuild import last_answer, steps
from ussd.recent import Recent
from ussd.request import Ended, Page, Request
from ussd.rows import DOWN
from ussd.screens import MENU, SCREENS
from ussd.session import Loaded, Session, SessionStore, newer
from ussd.turns import Turns
from ussd.visit import House, Visit
from ussd.walk import Notice, fire, notice, walk

log = logging.getLogger("zamu.ussd")

SECONDS = 2.0  # nobody waits longer for words


class Engine:
    """Answers callers. `secret` keeps what they typed out of sight in what is stored of it, and is the PINs' pepper."""

    def __init__(self, core: Core, store: SessionStore, house: House, secret: bytes) -> None:
        self._core = core
        self._store = store
        self._house = house
        self._marks = Marks(secret)
        self._pepper = secret
        self._turns = Turns()
        self._recent = Recent(self._marks)
        self._left: set[asyncio.Task[bool]] = set()

    async def answer(self, request: Request) -> Page:
        """The page for this delivery: always words, within about two seconds. A repeat gets the same page.

        Only a caller who has hung up gets an empty one.
        """
        if request.is_abort:
            await self.ended(Ended(request.gateway, request.session_key, reached_end=False))
            return Page("", ends=True, state="aborted")
        began = perf_counter()
        async with self._turns.take(request) as (turn, doubled):
            if not doubled or turn.page is None:
                turn.page = await self._answer(request)
            hops(request.gateway, turn.page.state).observe(perf_counter() - began)
            return turn.page

    async def ended(self, event: Ended) -> None:
        """The gateway says that a session is over; whoever was cut off may continue when he dials again."""
        await self._store.close(event)

    async def _answer(self, request: Request) -> Page:
        session = Session(request.gateway, request.session_key, request.phone, MENU)
        visit = Visit(self._core, self._house, self._store, self._marks, request, session, self._pepper)
        try:
            went_on = await self._in_time(visit, self._recent.take(request))
        except Exception as error:  # noqa: BLE001 - whatever broke, a person waits for words
            return _sorry(visit, error)
        if went_on:
            await self._store.save(visit.session)
            self._recent.put(visit.session)
        return visit.session.page

    async def _in_time(self, visit: Visit, recent: Session | None) -> bool:
        """As `_take`. What hangs is left to itself: even to cancel a query takes an answer of the server."""
        context = copy_context()
        context.run(written.set, False)  # noqa: FBT003 - a variable's value
        work = asyncio.create_task(_take(visit, recent), context=context)
        try:
            await asyncio.wait((work,), timeout=SECONDS)
        finally:
            visit.written = context[written]
            if not work.done():
                work.cancel()
                self._left.add(work)
                work.add_done_callback(self._forget)
        if work in self._left:
            raise TimeoutError
        return work.result()

    def _forget(self, work: asyncio.Task[bool]) -> None:
        self._left.discard(work)
        if not work.cancelled():
            work.exception()  # too late to matter, and nobody else asks for it


async def _take(visit: Visit, recent: Session | None) -> bool:
    """Whether the session went on; a repeat changes nothing."""
    request = visit.request
    if too_long(request.transcript or ""):
        raise Notice("stopped")
    loaded = Loaded(recent) if recent else await visit.store.load(request)
    if loaded.over_limit:
        LIMITS.labels("ussd_sessions").inc()
        raise Notice("limit")
    session = loaded.session
    if session is not None and session.phone != request.phone:
        log.warning("session %s began on another phone than %s", request.session_key, mask(request.phone))
        session = None
    if session is None:
        await _begin(visit)
        return True
    return await _go_on(visit, session)


async def _begin(visit: Visit) -> None:
    request = visit.request
    if request.transcript:
        await _rebuild(visit, 0)
    else:
        visit.inputs = deque((typed, _step(visit.session, typed)) for typed in request.dialled_path)
        if request.is_first is None:
            visit.session.trail.append(visit.marks.mark(request.input or ""))
        await walk(visit)


async def _go_on(visit: Visit, session: Session) -> bool:
    delivery = read(session, visit.request, visit.marks)
    if delivery.inputs is None:
        visit.session = session
        return False
    if session.menu != MENU:  # what was typed answers a screen that is no more
        visit.session.trail = session.trail
        await walk(visit)
        return True
    if delivery.restarts:
        await _begin(visit)
        return True
    visit.session = session
    if len(delivery.inputs) == 1 or SCREENS[session.state].takes_names:
        typed = next(filter(None, reversed(delivery.inputs)), "")  # a name may hold an asterisk
        visit.inputs.append((typed, _step(session, typed, visit.request.transcript)))
        await walk(visit, seen=True)
        return True
    if (known := newer(session, await visit.store.reload(visit.request))) is not session:
        return await _go_on(visit, known)
    await _rebuild(visit, delivery.known)
    return True


def _step(session: Session, typed: str, transcript: str | None = None) -> str:
    """A name for this press, the same when it is delivered again."""
    if transcript is None or session.not_accumulated:
        return f"{session.started} {session.steps} {session.state} {typed}"
    return transcript


async def _rebuild(visit: Visit, known: int) -> None:
    """Walks again what the transcript has after the first `known` characters, doing nothing twice."""
    visit.rebuilt = True
    visit.inputs = steps(visit.request.transcript or "", known)
    seen = visit.session.state != "dialled"
    if outcome := await last_answer(visit):
        visit.session.state, seen = "dialled", False
        fire(visit, outcome)
    await walk(visit, seen=seen)


def _sorry(visit: Visit, error: Exception) -> Page:
    if isinstance(error, Notice):
        return notice(visit, str(error))
    # Not the error's own words where they come from the database: they may hold a phone number.
    about = type(error).__name__ if isinstance(error, DOWN) else None
    log.error(
        "session %s in %r: %s",
        visit.session.key,
        visit.session.state,
        about,
        exc_info=None if about else error,
    )
    return notice(visit, "unknown" if visit.written else "busy")
