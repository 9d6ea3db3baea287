"""Secrets that are made at first start and kept in a file that only its owner reads."""

from __future__ import annotations

import json
import secrets
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile


class Unusable(Exception):
    """They cannot be kept or read; the message is a sentence for the operator."""


def kept(folder: Path) -> tuple[str, str]:
    """The secret key and the webhook secret of `folder`, which is made if need be. Raises Unusable."""
    path = folder / "secrets.json"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _make(path)
        found = json.loads(path.read_text())
        return str(found["secret_key"]), str(found["webhook_secret"])
    except OSError as error:
        problem = error.strerror
    except (ValueError, LookupError, TypeError):
        problem = "it does not hold what it should"
    raise Unusable(
        f"{path} cannot be read or written: {problem}. Nothing was started. Make {folder} writable,"
        " remove a broken secrets.json, or set ZAMU_DATA_DIR to another folder."
    )


def _make(path: Path) -> None:
    """Put in place complete, and only where there are none: another process may be starting too."""
    fresh = {"secret_key": secrets.token_urlsafe(32), "webhook_secret": secrets.token_urlsafe(32)}
    with NamedTemporaryFile("w", dir=path.parent) as file:
        json.dump(fresh, file)
        file.flush()
        with suppress(FileExistsError):
            path.hardlink_to(file.name)
