"""Live updates over sockets: who may open one, and what may be said on it. They only say that something changed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
from typing import Any
from uuid import UUID

from starlette.responses import PlainTextResponse
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from db.pool import FAILED
from monitoring.metrics import LIMITS
from queue_core import accounts, board
from queue_core.board import Place
from queue_core.core import Core
from staff_web.cookies import cookie
from staff_web.guard import COOKIE, Guard
from staff_web.hub import Hub, Mailbox, encode

log = logging.getLogger("zamu.live")

SILENCE_SECONDS = 60.0  # who answers no ping for so long is gone
CLOSE_SECONDS = 1.0  # who reads nothing does not hear good-bye either
MOST_FOLLOWED = 20
MOST_ASKED = 200  # subscriptions in a socket's life: each asks the database
MESSAGE_BYTES = 4096  # see commands/web.py

NAMES = re.compile(
    r"branch:(?P<branch>[0-9]{4})|queue:(?P<of>[0-9]{4})/(?P<queue>[A-Z]{1,2})|ticket:(?P<ticket>[0-9a-f-]{36})"
)
NOT_UNDERSTOOD = (1008, "This is not understood. Say subscribe, unsubscribe or pong.")
TOO_MUCH = (1008, "You ask too much. Connect again, and follow what you need.")
SILENT = (1001, "You were silent for too long. Connect again.")
AWAY = (1013, "The database does not answer. Connect again in a while.")
UNKNOWN = "There is no such branch, line or ticket."
TOO_MANY = f"One socket follows at most {MOST_FOLLOWED} things. Unsubscribe first."


def routes(guard: Guard) -> list[WebSocketRoute]:
    """`/ws` is everybody's, `/staff/ws` needs a session."""

    async def public(socket: WebSocket) -> None:
        if await _is_ours(guard, socket):
            await Conversation(socket).run()

    async def staff(socket: WebSocket) -> None:
        if not await _is_ours(guard, socket):
            return
        try:
            session = await _session(socket)
        except FAILED:
            await _deny(socket, 503, "The database does not answer. Connect again in a while.")
            return
        if session is None or session.member.must_change_password:
            await _deny(socket, 403, "Log in first.")
            return
        await Conversation(socket, session.member.branches).run()

    return [WebSocketRoute("/ws", public), WebSocketRoute("/staff/ws", staff)]


async def _is_ours(guard: Guard, socket: WebSocket) -> bool:
    """Whether our own page opens it; otherwise it is refused before it begins."""
    if not guard.is_ours(socket.headers.get("origin", ""), socket.headers):
        log.warning("a socket from another site was refused")
        await _deny(socket, 403, "This page is not ours.")
        return False
    return True


async def _deny(socket: WebSocket, status: int, words: str) -> None:
    await socket.send_denial_response(PlainTextResponse(words, status))


async def _session(socket: WebSocket) -> accounts.Session | None:
    token = cookie(socket.headers, COOKIE)
    return await accounts.session(socket.state.core, token, active=False) if token else None


class Conversation:
    """One open socket, from its first word to its end. `branches` are the ids that it may follow; None is all."""

    def __init__(self, socket: WebSocket, branches: tuple[str, ...] | None = None) -> None:
        self._socket = socket
        self._branches = branches
        self._core: Core = socket.state.core
        self._hub: Hub = socket.state.hub
        self._limit = asyncio.timeout(SILENCE_SECONDS)
        self._ending: tuple[int, str] | None = None
        self._asked = 0
        address = accounts.network(socket.client.host if socket.client else "")
        self._box = Mailbox(socket.send_text, self.hang_up, address, None if branches is None else self._may_stay)

    async def run(self) -> None:
        """To its end; where there is no room it is refused before it begins."""
        if not self._hub.take_in(self._box):
            LIMITS.labels("sockets").inc()
            log.warning("a socket was refused: there are too many")
            await _deny(self._socket, 503, "Too many are looking on. Connect again in a while.")
            return
        try:
            await self._socket.accept()
            async with self._limit:
                await self._hear_all()
        except (WebSocketDisconnect, OSError) as gone:
            if not isinstance(gone, TimeoutError):
                return
        finally:
            self._hub.leave(self._box)
        with contextlib.suppress(OSError, RuntimeError, WebSocketDisconnect):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._socket.close(*(self._ending or SILENT))

    def hang_up(self, code: int, reason: str) -> None:
        """End it from outside, whatever it waits for."""
        if self._ending is None and not self._limit.expired():
            self._ending = (code, reason)
            self._limit.reschedule(asyncio.get_running_loop().time())

    async def _may_stay(self) -> bool:
        session = await _session(self._socket)
        return session is not None and session.member.branches == self._branches

    async def _hear_all(self) -> None:
        loop = asyncio.get_running_loop()
        while self._ending is None:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1000))
            if self._ending is None:
                self._limit.reschedule(loop.time() + SILENCE_SECONDS)
            try:
                self._ending = await self._hear(_read(message.get("text"))) or self._ending
            except FAILED:
                self._ending = AWAY

    async def _hear(self, message: Any) -> tuple[int, str] | None:
        """One message; gives how to end when it makes no sense."""
        match message:
            case {"type": "pong"}:
                return None
            case {"type": "unsubscribe", "to": str(name)}:
                self._hub.unfollow(self._box, name)
                return None
            case {"type": "subscribe", "to": str(name)} if self._asked < MOST_ASKED:
                self._asked += 1
                await self._subscribe(name)
                return None
            case {"type": "subscribe"}:
                return TOO_MUCH if self._asked >= MOST_ASKED else NOT_UNDERSTOOD
        return NOT_UNDERSTOOD

    async def _subscribe(self, name: str) -> None:
        found = await _find(self._core, name)
        if found is None or (self._branches is not None and found[1].branch_id not in self._branches):
            self._answer({"type": "refused", "to": name, "why": UNKNOWN})
        elif name not in self._box.follows and len(self._box.follows) >= MOST_FOLLOWED:
            self._answer({"type": "refused", "to": name, "why": TOO_MANY})
        else:
            thing, place = found
            self._hub.follow(self._box, name, thing, place)
            self._answer({"type": "subscribed", "to": name, "version": place.version})
            if name.startswith("ticket:"):
                await self._hub.tell_ticket(self._box, thing, place)

    def _answer(self, message: dict[str, object]) -> None:
        self._box.put(("answer", message["to"]), encode(message))


def _read(text: str | None) -> Any:
    try:
        return json.loads(text or "")
    except (ValueError, RecursionError):
        return None


async def _find(core: Core, name: str) -> tuple[str, Place] | None:
    """The id of what a subscription names, and where it is."""
    named = NAMES.fullmatch(name)
    if named is None:
        return None
    if named["branch"]:
        place = await board.find_branch(core, named["branch"])
        return (place.branch_id, place) if place else None
    if named["queue"]:
        place = await board.find_line(core, named["of"], named["queue"])
        return (place.lines[0], place) if place else None
    with contextlib.suppress(ValueError):
        ticket_id = str(UUID(named["ticket"]))
        place = await board.find_ticket(core, ticket_id)
        return (ticket_id, place) if place else None
    return None
