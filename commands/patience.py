"""How long a connection may take and how much it may send: uvicorn alone would wait, and read, for ever."""

from __future__ import annotations

import asyncio
from typing import Final

from httptools import HttpParserError
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

HEAD_SECONDS: Final = 10.0  # for a request line with its headers, and for what still comes after the answer
AGAIN_SECONDS: Final = 0.5
READ_SECONDS: Final = 20.0  # for whoever does not take the answer: he keeps a place from others
MOST_HEAD: Final = 32 * 1024  # bytes of a request that are not its body, as much as nginx takes
MOST_UNREAD: Final = 1024 * 1024  # bytes of a body after the answer: who is cut off while he sends may not see it


class Patience(HttpToolsProtocol):
    """Ends what is too slow, and what has too much besides a body: headers, trailers, the frames of chunks."""

    _coming: asyncio.TimerHandle | None = None
    _going: asyncio.TimerHandle | None = None
    _answering: RequestResponseCycle | None = None
    _besides = 0
    _unread = 0
    _in_head = True
    _answered = False
    _whole = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        self._await_more()

    def connection_lost(self, exc: Exception | None) -> None:
        self._tell()
        super().connection_lost(exc)
        self._have_enough()
        self._taken()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._besides += len(data)
        if self._besides > MOST_HEAD and not self.transport.is_closing():
            self.logger.warning("A request had too much besides its body.")
            self.send_400_response("Too much besides a body.")

    def send_400_response(self, msg: str) -> None:
        super().send_400_response(msg)
        self._hang_up()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._besides = self._unread = 0
        self._in_head, self._answered, self._whole = True, False, False
        self._await_more()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A trailer would become a header of a request that is being answered already."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > MOST_HEAD:
            raise HttpParserError
        self._in_head = False
        self._have_enough()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._besides -= len(body)
        self._unread += len(body) if self._answered else 0
        if self._unread > MOST_UNREAD:
            self._hang_up()
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._whole = True
        self._have_enough()
        super().on_message_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        self._answered, self._answering = True, None
        super().on_response_complete()
        if not self._whole:
            self._await_more()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._taken()
        self._going = self.loop.call_later(READ_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._taken()

    def _await_more(self) -> None:
        self._have_enough()
        self._coming = self.loop.call_later(HEAD_SECONDS, self._look_again)

    def _look_again(self) -> None:
        """What came while this process was busy is read before anybody is hung up on."""
        self._coming = self.loop.call_later(AGAIN_SECONDS, self._hang_up)

    def _hang_up(self) -> None:
        self._tell()
        self.transport.close()

    def _tell(self) -> None:
        """Whoever still answers a request of this connection writes no more: uvicorn tells the last one's alone."""
        if self._answering:
            self._answering.disconnected = True
            self._answering.message_event.set()

    def _have_enough(self) -> None:
        if self._coming:
            self._coming.cancel()

    def _taken(self) -> None:
        if self._going:
            self._going.cancel()
