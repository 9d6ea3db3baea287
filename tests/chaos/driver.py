"""How a request reaches the queue: straight through the core here, over HTTP in another driver."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Protocol

import asyncpg

from queue_core import calling, queues, tickets
from queue_core.calling import Called, Finish
from queue_core.core import Act, Channel, Core
from queue_core.errors import Refused
from queue_core.tickets import Joined, Ticket
from tests.invariants import LOST, Answer


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants, once; it may be delivered several times. `queue` is a name as in `4071/A`."""

    key: str
    verb: str
    queue: str | None = None
    phone: str | None = None
    channel: Channel = "ussd"
    replace: bool = False
    minutes: int = 10
    counter: str | None = None
    finish: Finish | None = None


class Driver(Protocol):
    """Whatever can deliver a request."""

    async def deliver(self, request: Request) -> Answer:
        """One delivery. Never raises: an answer that did not come is `lost`, with the reason in `said`."""
        ...


class CoreDriver:
    """Delivers by calling the core's verbs."""

    def __init__(self, core: Core, queue_ids: dict[str, str]) -> None:
        self._core = core
        self._queue_ids = queue_ids

    async def deliver(self, request: Request) -> Answer:
        asked = time.time()
        outcome, label, said = await self._outcome(request)
        return Answer(
            request=request.key,
            verb=request.verb,
            asked=asked,
            answered=time.time(),
            outcome=outcome,
            queue=request.queue,
            phone=request.phone,
            label=label,
            said=said,
        )

    async def _outcome(self, request: Request) -> tuple[str, str | None, object]:
        try:
            answer = await self._do(request)
        except Refused as refusal:
            return f"refused: {refusal.code}", None, refusal.facts
        except (asyncpg.PostgresError, OSError) as error:
            return LOST, None, type(error).__name__
        match answer:
            case Joined():
                return "joined" if answer.new else "already", answer.ticket.label, answer
            case Called():
                return ("called", answer.ticket.label, answer) if answer.ticket else ("empty", None, answer)
            case Ticket():
                return request.verb, answer.label, answer
            case _:
                return request.verb, None, answer

    async def _do(self, request: Request) -> object:
        if request.queue is None:
            return await self._customer(request)
        queue = self._queue_ids[request.queue]
        if request.verb == "join":
            act = Act("customer", request.channel, request=request.key)
            return await tickets.join(self._core, act, queue, request.phone, replace=request.replace)
        return await self._staff(request, Act("staff", "staff", request=request.key), queue)

    async def _customer(self, request: Request) -> Ticket:
        act = Act("customer", request.channel, request=request.key)
        phone = request.phone or ""
        match request.verb:
            case "leave":
                return await tickets.leave(self._core, act, phone)
            case "defer":
                return await tickets.defer(self._core, act, phone, request.minutes)
            case "come_back":
                return await tickets.come_back(self._core, act, phone)
            case _:
                return await tickets.coming(self._core, act, phone)

    async def _staff(self, request: Request, act: Act, queue: str) -> Any:
        match request.verb:
            case "call_next":
                return await calling.call_next(self._core, act, queue, request.counter, request.finish)
            case "pause":
                return await queues.pause(self._core, act, queue)
            case _:
                return await queues.open_(self._core, act, queue)
