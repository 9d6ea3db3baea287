"""The archive of PostgreSQL's log: how segments are copied there, and fetched again by a server that recovers."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

LOG = "wal"
# A segment of a quiet minute is 16 MiB of almost nothing, so all are compressed.
COPY = (
    "if test -e {to}; then gzip -dc {to} | cmp -s - %p;"
    " else gzip -c %p > {to}.part && sync {to}.part && mv {to}.part {to}; fi"
)
FETCH = "test -e {to} && gzip -dc {to} > %p"
LATEST_SECONDS = 60  # at most this much is lost with the machine


def archiving(backups: Path) -> dict[str, str]:
    """The settings of a server that copies each finished piece of its log to `backups`. Raises OSError."""
    (backups / LOG).mkdir(mode=0o700, parents=True, exist_ok=True)
    return {
        "archive_mode": "on",
        "archive_command": COPY.format(to=_place(backups)),
        "archive_timeout": str(LATEST_SECONDS),
    }


def recovering(backups: Path, to: str | None) -> dict[str, str]:
    """The settings of a server that goes through the log, to its end or to a moment, and then serves."""
    target = {"recovery_target_time": to, "recovery_target_action": "promote"} if to else {}
    return {"restore_command": FETCH.format(to=_place(backups)), "hot_standby": "off", **target}


def _place(backups: Path) -> str:
    """A file of the archive, for the shell that PostgreSQL starts: it reads % itself."""
    return quote(str(backups.absolute() / LOG)).replace("%", "%%") + "/%f.gz"
