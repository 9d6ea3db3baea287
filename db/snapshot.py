"""`db/schema.sql`: the schema that the migrations and functions make, to read and to compare in a review."""

from __future__ import annotations

import asyncio
import re
import subprocess
import tempfile
from pathlib import Path

from db import embedded
from db.embedded.postgres import BIN
from db.migrate import migrate

FILE = Path(__file__).parent / "schema.sql"
HEAD = "-- Made by `make schema` from db/migrations and db/functions. Do not edit.\n"
# pg_dump's own chatter: its version, session settings, a key against injected commands, rulers.
NOISE = re.compile(r"^(--.*|SET .*;|SELECT pg_catalog\.set_config.*|\\(un)?restrict .*)$\n", re.MULTILINE)


def snapshot(url: str) -> str:
    """The schema of a database as SQL, the same text for the same schema."""
    command = [
        str(BIN / "pg_dump"),
        "--schema-only",
        "--no-owner",
        "--no-privileges",
        f"--dbname={url}",
    ]
    dump = subprocess.run(command, capture_output=True, check=True, text=True).stdout  # noqa: S603
    body = re.sub(r"\n{2,}", "\n\n", NOISE.sub("", dump)).strip()
    return f"{HEAD}\n{body}\n"


def main() -> None:
    """Write db/schema.sql."""
    with tempfile.TemporaryDirectory() as folder, embedded.start(Path(folder), durable=False) as servers:
        asyncio.run(migrate(servers.database_url))
        FILE.write_text(snapshot(servers.database_url))


if __name__ == "__main__":
    main()
