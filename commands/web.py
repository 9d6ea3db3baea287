"""uvicorn as `zamu serve` runs it: a stop that was asked for is quick, is no failure, and finishes what is in hand."""

from __future__ import annotations

import asyncio
import logging
import socket
import subprocess
import sys
from types import FrameType

import uvicorn
from starlette.applications import Starlette
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.supervisors import Multiprocess

from app import spare_the_collector
from commands.patience import Patience
from commands.server import STOP_SECONDS, end
from staff_web.live import MESSAGE_BYTES

SENDER = [sys.executable, "-m", "cli", "worker"]
IDLE_SECONDS = 1.0
KEEP_SECONDS = 75  # longer than proxies keep a connection for later: whoever asks by it should be the one who ends it
WAKE_SECONDS = 30  # a process that starts on a busy machine says nothing for so long; killed earlier it never would

log = logging.getLogger("zamu")
no_paths = logging.getLogger("zamu.sockets")
no_paths.setLevel(logging.WARNING)  # uvicorn tells of each socket with its path, in which a gateway's secret may stand


class Connection(Patience):
    """At a stop, an idle one is left for a moment: a proxy may be about to ask by it, and would hear a reset."""

    stopping = False

    def shutdown(self) -> None:
        self.stopping = True
        if getattr(self.cycle, "response_complete", True):  # there is no cycle before the first request
            self.loop.call_later(IDLE_SECONDS, super().shutdown)
        else:
            super().shutdown()

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        if self.stopping and self.cycle is not None:
            self.cycle.keep_alive = False

    def handle_websocket_upgrade(self) -> None:
        if self.stopping:
            self.transport.close()
        else:
            super().handle_websocket_upgrade()


class Socket(WebSocketsSansIOProtocol):
    """A socket that is refused has been answered; uvicorn would log that as a fault of ours, each time."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.logger = no_paths
        super().connection_made(transport)

    async def send(self, message: ASGISendEvent) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True


def config(app: Starlette | str, workers: int = 1, trusted_proxies: str | None = None) -> uvicorn.Config:
    """`app` is an application, or the name of what makes one in each of several processes."""
    return uvicorn.Config(
        app,
        factory=isinstance(app, str),
        workers=workers,
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=trusted_proxies,
        http=Connection,
        ws=Socket,
        ws_max_size=MESSAGE_BYTES,
        ws_ping_interval=None,  # the hub pings in words, which scripts can hear
        ws_per_message_deflate=False,  # what is sent is small, and its memory would be most of a socket's
        timeout_keep_alive=KEEP_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
        timeout_worker_healthcheck=WAKE_SECONDS,
    )


class One(uvicorn.Server):
    """One process. `ending` is set as soon as it is to stop, so that texts are finished while requests are."""

    def __init__(self, app: Starlette, ending: asyncio.Event, trusted_proxies: str | None) -> None:
        super().__init__(config(app, 1, trusted_proxies))
        self._ending = ending

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self._captured_signals.clear()  # or uvicorn raises them again after the end, as if that were a failure

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        spare_the_collector()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._ending.set()
        await super().shutdown(sockets)


class Several(Multiprocess):
    """Several web processes, and where `sends` one more that sends texts. Whichever dies is started again."""

    def __init__(
        self, app: str, workers: int, listener: socket.socket, trusted_proxies: str | None, *, sends: bool
    ) -> None:
        super().__init__(config(app, workers, trusted_proxies), [listener])
        self._sends = sends
        self._sender: subprocess.Popen[bytes] | None = None

    def init_processes(self) -> None:
        super().init_processes()
        self._start_sender()

    def keep_subprocess_alive(self) -> None:
        super().keep_subprocess_alive()
        if self._sender and self._sender.poll() is not None:
            log.error("the process that sends texts ended with status %s", self._sender.returncode)
            self._start_sender()

    def terminate_all(self) -> None:
        if self._sender:
            self._sender.terminate()
        super().terminate_all()

    def join_all(self) -> None:
        super().join_all()
        if self._sender:
            end(self._sender)

    def _start_sender(self) -> None:
        if self._sends:
            # In a group of its own, so that Ctrl-C does not hit it before us.
            self._sender = subprocess.Popen(SENDER, start_new_session=True)  # noqa: S603 - our own words only
