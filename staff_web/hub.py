"""Tells open sockets what changed: one look at the database a branch, however many look on."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Hashable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from db.pool import FAILED
from queue_core import board
from queue_core.board import BranchMoved, LineMoved, Place, TicketNow
from queue_core.core import Core
from staff_web.looks import Looks

log = logging.getLogger("zamu.live")

COALESCE_SECONDS = 0.05  # between two looks
POLL_SECONDS = 2.0  # what no process told us of is seen after this long
SETTLE_SECONDS = 5.0  # no transaction is open longer, so a smaller audit id does not come later than this
PING_SECONDS = 25.0  # proxies cut what is silent for a minute
RECHECK_SECONDS = 15.0  # until a session that is over is seen
AGAIN_SECONDS = 1.0  # between looks at a database that is away
MOST_SOCKETS = 5000  # in one process
FOR_STAFF = 500  # of them: strangers cannot take these
MOST_OF_ONE_ADDRESS = 200  # of strangers, who may be a waiting room behind one router
MOST_MAIL = 200  # what waits for a reader who does not read; then he is cut off, and sees the truth when he is back

encode = json.JSONEncoder(separators=(",", ":")).encode
PING = encode({"type": "ping"})
CUT_OFF = (1013, "You do not read what is sent. Connect again.")
OVER = (1008, "Your session is over. Log in again.")


class Mailbox:
    """What one socket is still to be sent: of each kind the latest alone, except calls, of which none is left out.

    Its sender lives only while there is something to send, so a slow reader holds up nobody and an idle one is cheap.
    `hang_up` ends the socket with a code and a reason. `welcome` asks whether whoever opened it still may: a stranger's
    has none, and is counted by the `address` that it comes from.
    """

    __slots__ = ("_mail", "_send", "_sender", "address", "follows", "hang_up", "ping_at", "welcome")

    def __init__(
        self,
        send: Callable[[str], Awaitable[None]],
        hang_up: Callable[[int, str], None],
        address: str = "",
        welcome: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        self.follows: dict[str, str] = {}
        self.hang_up = hang_up
        self.address = address
        self.welcome = welcome
        self.ping_at = asyncio.get_running_loop().time() + PING_SECONDS
        self._send = send
        self._mail: dict[Hashable, str] = {}
        self._sender: asyncio.Task[None] | None = None

    def put(self, kind: Hashable, text: str) -> None:
        self._mail.pop(kind, None)
        self._mail[kind] = text
        if len(self._mail) > MOST_MAIL:
            self.hang_up(*CUT_OFF)
        elif self._sender is None:
            self._sender = asyncio.create_task(self._deliver())

    def close(self) -> None:
        if self._sender:
            self._sender.cancel()
        self._mail.clear()

    async def _deliver(self) -> None:
        try:
            while self._mail:
                await self._send(self._mail.pop(next(iter(self._mail))))
        except (OSError, RuntimeError):  # the socket is gone, and whoever reads it hears so
            self._mail.clear()
        finally:
            self._sender = None


@dataclass(slots=True)
class Watch:
    """A branch that somebody follows. All after the audit id `after` is asked for, without what is `known` of a line.

    `after` stays some seconds behind: an audit id can come to light after a greater one of another line.
    """

    after: int
    newest: int
    newest_at: float
    things: set[str] = field(default_factory=set)
    lines: set[str] = field(default_factory=set)
    known: dict[str, int] = field(default_factory=dict)

    def advance(self, version: int, now: float) -> None:
        if now - self.newest_at > SETTLE_SECONDS:
            self.after, self.newest, self.newest_at = self.newest, version, now


class Hub:
    """The sockets of this process and what they follow: branches, lines and tickets, by id."""

    def __init__(self, core: Core) -> None:
        self.boxes: set[Mailbox] = set()
        self.boards = Looks(partial(board.board, core))
        self._core = core
        self._strangers: Counter[str] = Counter()
        self._readers: defaultdict[str, set[Mailbox]] = defaultdict(set)
        self._watches: dict[str, Watch] = {}
        self._branch_of: dict[str, str] = {}
        self._tickets: defaultdict[str, dict[str, TicketNow | None]] = defaultdict(dict)
        self._changed: set[str] = set()
        self._something = asyncio.Event()

    def take_in(self, box: Mailbox) -> bool:
        """Whether there is room for it, which it has from now on until it leaves."""
        if len(self.boxes) >= MOST_SOCKETS:
            return False
        if box.welcome is None:
            if self._strangers.total() >= MOST_SOCKETS - FOR_STAFF:
                return False
            if self._strangers[box.address] >= MOST_OF_ONE_ADDRESS:
                return False
            self._strangers[box.address] += 1
        self.boxes.add(box)
        return True

    def hint(self, queue_id: str) -> None:
        """Something may have changed in this line."""
        if branch_id := self._branch_of.get(queue_id):
            self._look_soon(branch_id)

    def follow(self, box: Mailbox, name: str, thing: str, place: Place) -> None:
        """From now on this box hears of a branch, a line or a ticket: `thing` is its id, `name` the box's word."""
        box.follows[name] = thing
        self._readers[thing].add(box)
        watch = self._watches.get(place.branch_id)
        if watch is None:
            now = asyncio.get_running_loop().time()
            watch = self._watches[place.branch_id] = Watch(place.version, place.version, now)
            self._look_soon(place.branch_id)
        watch.things.add(thing)
        watch.lines.update(place.lines)
        self._branch_of |= dict.fromkeys(place.lines, place.branch_id)
        if thing not in (place.branch_id, *place.lines):
            self._tickets[place.lines[0]].setdefault(thing, None)

    async def tell_ticket(self, box: Mailbox, ticket_id: str, place: Place) -> None:
        """How it is now, to one who has just begun to follow it; unless he heard later news meanwhile."""
        line = place.lines[0]
        told = self._tickets[line].get(ticket_id)
        for ticket in await board.tickets(self._core, [ticket_id]):
            if self._tickets[line].get(ticket_id) is told:
                box.put(ticket_id, encode(_as_event(ticket, place.version)))

    def unfollow(self, box: Mailbox, name: str) -> None:
        thing = box.follows.pop(name, "")
        readers = self._readers.get(thing, set())
        readers.discard(box)
        if thing in self._readers and not readers:
            self._forget(thing)

    def leave(self, box: Mailbox) -> None:
        """The socket is gone."""
        if box in self.boxes and box.welcome is None:
            self._strangers[box.address] -= 1
            if not self._strangers[box.address]:
                del self._strangers[box.address]
        self.boxes.discard(box)
        box.close()
        for name in tuple(box.follows):
            self.unfollow(box, name)

    async def run(self, _stop: asyncio.Event) -> None:
        """Look, keep sockets awake, and ask again who may be here; for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._look_forever())
            group.create_task(self._ping_forever())
            group.create_task(self._recheck_forever())

    def _look_soon(self, branch_id: str) -> None:
        self._changed.add(branch_id)
        self._something.set()

    def _forget(self, thing: str) -> None:
        del self._readers[thing]
        for branch_id, watch in tuple(self._watches.items()):
            watch.things.discard(thing)
            if not watch.things:
                for line in (*watch.lines, *watch.known):
                    self._branch_of.pop(line, None)
                del self._watches[branch_id]
        for line, tickets in tuple(self._tickets.items()):
            tickets.pop(thing, None)
            if not tickets:
                del self._tickets[line]

    async def _look_forever(self) -> None:
        loop = asyncio.get_running_loop()
        poll_at = loop.time() + POLL_SECONDS
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(poll_at):
                    await self._something.wait()
            self._something.clear()
            branches, self._changed = self._changed, set()
            if loop.time() >= poll_at:
                branches, poll_at = set(self._watches), loop.time() + POLL_SECONDS
            try:
                await self._look(branches)
            except FAILED as error:
                log.warning("the database failed a look: %s", type(error).__name__)
                self._changed |= branches
                await asyncio.sleep(AGAIN_SECONDS)
                self._something.set()
            await asyncio.sleep(COALESCE_SECONDS)

    async def _look(self, branches: Iterable[str]) -> None:
        watches = {branch_id: self._watches[branch_id] for branch_id in branches if branch_id in self._watches}
        if not watches:
            return
        after = {branch_id: watch.after for branch_id, watch in watches.items()}
        known = {line: last for watch in watches.values() for line, last in watch.known.items()}
        now = asyncio.get_running_loop().time()
        moved = await board.moved(self._core, after, known)
        for branch in moved:
            watches[branch.branch_id].advance(branch.version, now)
            for line in branch.lines:
                watches[branch.branch_id].known[line.id] = line.last
                self._tell_line(branch, line)
        await self._look_at_tickets({line.id: branch.version for branch in moved for line in branch.lines})

    def _tell_line(self, branch: BranchMoved, line: LineMoved) -> None:
        if branch.branch_id in self._watches:
            self._branch_of[line.id] = branch.branch_id
        readers = self._readers.get(branch.branch_id, set()) | self._readers.get(line.id, set())
        where = {"branch": branch.code, "queue": line.code}
        for call in line.calls:
            at = call.called_at and call.called_at.isoformat()
            said = {"ticket": call.label, "counter": call.counter, "called_at": at, "again": call.again}
            _post(readers, object(), {"type": "ticket_called", **where, **said, "version": branch.version})
        state = {"version": branch.version, "waiting": line.waiting, "status": line.status}
        _post(readers, line.id, {"type": "queue_update", **where, **state})

    async def _look_at_tickets(self, versions: dict[str, int]) -> None:
        ids = [ticket_id for line in versions for ticket_id in self._tickets.get(line, ())]
        if not ids:
            return
        for ticket in await board.tickets(self._core, ids):
            told = self._tickets.get(ticket.queue_id, {})
            if told.get(ticket.id) == ticket or ticket.id not in told:
                continue
            told[ticket.id] = ticket
            _post(self._readers.get(ticket.id, ()), ticket.id, _as_event(ticket, versions[ticket.queue_id]))

    async def _ping_forever(self) -> None:
        while True:
            now = asyncio.get_running_loop().time()
            for box in self.boxes:
                if box.ping_at <= now:
                    box.ping_at = now + PING_SECONDS
                    box.put("ping", PING)
            await asyncio.sleep(1)

    async def _recheck_forever(self) -> None:
        while True:
            await asyncio.sleep(RECHECK_SECONDS)
            for box in tuple(self.boxes):
                with contextlib.suppress(*FAILED):
                    if box.welcome and not await box.welcome():
                        box.hang_up(*OVER)


def _as_event(ticket: TicketNow, version: int) -> dict[str, Any]:
    facts = {"ticket": ticket.id, "status": ticket.status, "ahead": ticket.ahead, "minutes": ticket.minutes}
    return {"type": "ticket_update", **facts, "version": version}


def _post(boxes: Iterable[Mailbox], kind: Hashable, event: dict[str, Any]) -> None:
    text = encode(event)
    for box in boxes:
        box.put(kind, text)
