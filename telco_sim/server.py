"""A small uvicorn server that can be started inside a test, on a free port, and stops at once."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import AsyncIterator, Callable, Iterator

import uvicorn
from starlette.types import ASGIApp

BACKLOG = 2048


class PortTakenError(Exception):
    """Another program listens there; the message is the sentence to show."""


class Server(uvicorn.Server):
    """uvicorn without signal handlers of its own, which tells the application before it waits for it."""

    def __init__(self, app: ASGIApp, before_stop: Callable[[], None]) -> None:
        """Serve `app`; `before_stop` must end every request that waits on purpose."""
        config = uvicorn.Config(
            app,
            ws="none",
            log_config=None,
            access_log=False,
            date_header=False,
            backlog=BACKLOG,
            timeout_graceful_shutdown=1,
        )
        super().__init__(config)
        self._before_stop = before_stop
        self._stop_asked = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever started the server."""
        yield

    def stop(self) -> None:
        """Ask the server to stop; `serve` returns soon after."""
        self._stop_asked.set()

    async def main_loop(self) -> None:
        """Wait to be stopped; uvicorn would look ten times a second."""
        await self._stop_asked.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what waits on purpose, then everything else."""
        self._before_stop()
        await super().shutdown(sockets)


def bind(host: str, port: int) -> socket.socket:
    """Open a listening address, port 0 meaning any free one; raises PortTakenError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        # Connections queue up from here on, so nobody need wait until the server has started.
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno != errno.EADDRINUSE:
            raise
        raise PortTakenError(
            f"Port {port} on {host} is already in use: stop the other program or choose another port.",
        ) from None
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the address that a client would use."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextlib.asynccontextmanager
async def serving(app: ASGIApp, before_stop: Callable[[], None] = lambda: None) -> AsyncIterator[str]:
    """Serve any ASGI application on a free loopback port of this process; yields its address."""
    listener = bind("127.0.0.1", 0)
    server = Server(app, before_stop)
    serve = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield url_of(listener)
    finally:
        server.stop()
        await serve
